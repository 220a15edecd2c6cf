import BusinessPolicy

/// Writes one batch inside the transaction that its caller has begun.
///
/// Changes nothing in memory: what memory is to take over comes back as a value, for after the commit.
struct BatchWriter {
    let connection: Connection
    let state: LedgerState
    let limits: LedgerLimits
    private var written = Written()
    /// Templates that a rule of this batch gave up; they go if that was the last one.
    private var suspects: Set<Int> = []

    /// What a written batch means for memory.
    struct Written {
        var entries: [RuleMirror.Entry] = []
        var newTemplates: [[UInt8]: TemplateShelf.Item] = [:]
        var droppedTemplates: [Int] = []
        var journalBytes = 0
    }

    static func write(
        _ batch: LedgerBatch, _ connection: Connection, _ state: LedgerState, _ limits: LedgerLimits
    ) throws(SQLiteError) -> Written {
        var writer = BatchWriter(connection: connection, state: state, limits: limits)
        try writer.writeRules(batch)
        try writer.writeProfiles(batch)
        try writer.writeTheRest(batch)
        writer.written.journalBytes = try JournalTable.append(
            batch.journal, bytes: state.journalBytes, limits: limits, connection)
        return writer.written
    }

    private init(connection: Connection, state: LedgerState, limits: LedgerLimits) {
        self.connection = connection
        self.state = state
        self.limits = limits
    }

    private mutating func writeRules(_ batch: LedgerBatch) throws(SQLiteError) {
        let removed = Set(batch.removals)
        for place in removed {
            // Equal names can be spelt in two ways in Unicode; SQLite compares bytes, so it is given the recorded ones.
            try connection.run(RuleRow.delete, values: RuleRow.key(state.rules[place]?.rule.place ?? place))
            if let template = state.rules[place]?.templateID { suspects.insert(template) }
        }
        var last: [RulePlace: Int] = [:]
        for (index, rule) in batch.upserts.enumerated() { last[rule.place] = index }
        for (index, rule) in batch.upserts.enumerated() where last[rule.place] == index {
            try upsert(rule, over: removed.contains(rule.place) ? nil : state.rules[rule.place])
        }
        for template in suspects.sorted() { try dropIfUnused(template) }
    }

    private mutating func upsert(_ rule: OwnedRule, over old: RuleMirror.Entry?) throws(SQLiteError) {
        if let place = old?.rule.place, !place.name.utf8.elementsEqual(rule.place.name.utf8) {
            try connection.run(RuleRow.delete, values: RuleRow.key(place))
        }
        let template = try rule.template.map { json throws(SQLiteError) in try shelve(json) }
        let keepsReadBack = old != nil && rule.readBack != nil && rule.readBack == old?.rule.readBack
        try connection.run(
            RuleRow.upsert, values: RuleRow.values(rule, templateID: template?.id, keepsReadBack: keepsReadBack))
        if let given = old?.templateID, given != template?.id { suspects.insert(given) }
        var short = rule.short
        short.template = template?.json
        written.entries.append(RuleMirror.Entry(rule: short, templateID: template?.id))
    }

    /// The one copy of a template, made if it is new.
    private mutating func shelve(_ json: JSON) throws(SQLiteError) -> TemplateShelf.Item {
        let bytes = json.serialized()
        if let item = state.templates[bytes] ?? written.newTemplates[bytes] { return item }
        let id = try connection.number("INSERT INTO document (bytes) VALUES (?) RETURNING id", .bytes(bytes))
        guard let id else { throw .damagedValue("a new document got no number") }
        let item = TemplateShelf.Item(id: id, json: json)
        written.newTemplates[bytes] = item
        return item
    }

    private mutating func dropIfUnused(_ template: Int) throws(SQLiteError) {
        let dropped = try connection.number(
            """
            DELETE FROM document WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM owned_rule WHERE template = ?1)
            RETURNING id
            """, SQLiteValue(template))
        if let dropped { written.droppedTemplates.append(dropped) }
    }

    private func writeProfiles(_ batch: LedgerBatch) throws(SQLiteError) {
        for id in batch.forgottenProfiles { try connection.run("DELETE FROM profile WHERE id = ?", SQLiteValue(id)) }
        for profile in batch.profiles {
            try connection.run(
                """
                INSERT OR REPLACE INTO profile (id, name, module_id, settled_version, missing_strikes)
                VALUES (?, ?, ?, ?, ?)
                """,
                SQLiteValue(profile.id), .text(profile.name), SQLiteValue(profile.moduleID),
                SQLiteValue(profile.settledVersion), SQLiteValue(profile.missingStrikes))
        }
    }

    private func writeTheRest(_ batch: LedgerBatch) throws(SQLiteError) {
        if let copy = batch.firstTouch {
            try connection.run(
                """
                INSERT INTO first_touch (module_id, at, version, bytes) VALUES (?, ?, ?, ?)
                ON CONFLICT (module_id) DO NOTHING
                """,
                SQLiteValue(copy.moduleID), SQLiteValue(copy.at), .text(copy.version), .bytes(copy.bytes))
        }
        for condition in batch.conditions {
            guard let json = condition.json else {
                try connection.run("DELETE FROM condition WHERE uid = ?", .text(condition.uid))
                continue
            }
            try connection.run(
                "INSERT OR REPLACE INTO condition (uid, json) VALUES (?, ?)", .text(condition.uid),
                .bytes(json.serialized()))
        }
        if let version = batch.watchVersion { try Meta.write(.watchVersion, version, connection) }
    }
}
