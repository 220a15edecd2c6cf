import BusinessPolicy

/// What the ledger keeps in memory of its file: written through by each commit, read without SQL.
struct LedgerState {
    var rules = RuleMirror()
    var templates = TemplateShelf()
    var profiles: [Int: ProfileRecord] = [:]
    var watchVersion: String?
    /// What the journal's entries take together.
    var journalBytes = 0
    /// Random, made with the file.
    var id = ""

    /// Follows a batch that has been committed. Cannot fail, so that file and memory never part.
    mutating func apply(_ batch: LedgerBatch, _ written: BatchWriter.Written) {
        for (bytes, item) in written.newTemplates { templates.add(item, bytes: bytes) }
        for id in written.droppedTemplates { templates.remove(id) }
        for place in batch.removals { rules.remove(place) }
        for entry in written.entries { rules.set(entry) }
        for id in batch.forgottenProfiles { profiles[id] = nil }
        for profile in batch.profiles { profiles[profile.id] = profile }
        watchVersion = batch.watchVersion ?? watchVersion
        journalBytes = written.journalBytes
    }

    /// Follows a `Ledger.startOver` that has been committed.
    mutating func startOver() {
        rules = RuleMirror()
        templates = TemplateShelf()
        profiles = [:]
        watchVersion = nil
    }

    /// Reads everything that memory holds from the file.
    static func load(_ connection: Connection) throws(SQLiteError) -> LedgerState {
        var state = LedgerState()
        state.id = try Meta.read(.ledgerID, connection) ?? ""
        state.watchVersion = try Meta.read(.watchVersion, connection)
        state.journalBytes = try connection.number("SELECT COALESCE(SUM(size), 0) FROM journal") ?? 0
        try connection.query("SELECT id, bytes FROM document") { row throws(SQLiteError) in
            let bytes = try row.bytes(1)
            state.templates.add(TemplateShelf.Item(id: try row.number(0), json: try .stored(bytes)), bytes: bytes)
        }
        try connection.query(
            "SELECT id, name, module_id, settled_version, missing_strikes FROM profile"
        ) { row throws(SQLiteError) in
            let id = try row.number(0)
            state.profiles[id] = ProfileRecord(
                id: id, name: try row.text(1), moduleID: row.optionalNumber(2), settledVersion: row.optionalText(3),
                missingStrikes: try row.number(4))
        }
        try state.loadRules(connection)
        return state
    }

    private mutating func loadRules(_ connection: Connection) throws(SQLiteError) {
        // Thousands of rules bear a handful of names of profiles and segments: they share them.
        var names: Set<String> = []
        var rules = RuleMirror()
        let templates = templates
        try connection.query(RuleRow.selectShort) { row throws(SQLiteError) in
            var entry = try RuleRow.decode(row, templates: templates)
            entry.rule.profileName = names.insert(entry.rule.profileName).memberAfterInsert
            entry.rule.segmentName = names.insert(entry.rule.segmentName).memberAfterInsert
            rules.set(entry)
        }
        self.rules = rules
    }
}

/// Single values under a name.
enum Meta {
    /// The names; what is written under one keeps its meaning for ever.
    enum Key: String {
        case ledgerID = "ledger_id"
        case cluster
        case orchestrator
        case scope
        case watchVersion = "watch_version"
    }

    static func read(_ key: Key, _ connection: Connection) throws(SQLiteError) -> String? {
        try connection.text("SELECT value FROM meta WHERE key = ?", .text(key.rawValue))
    }

    static func write(_ key: Key, _ value: String, _ connection: Connection) throws(SQLiteError) {
        try connection.run(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            .text(key.rawValue), .text(value))
    }

    static func remove(_ key: Key, _ connection: Connection) throws(SQLiteError) {
        try connection.run("DELETE FROM meta WHERE key = ?", .text(key.rawValue))
    }
}

extension JSON {
    /// Reads JSON that this module wrote: if it is none, the file is damaged.
    static func stored(_ bytes: [UInt8]) throws(SQLiteError) -> JSON {
        do throws(JSONError) {
            return try JSON.parse(bytes)
        } catch {
            throw .damagedValue("a stored JSON text is damaged at byte \(error.offset): \(error.problem)")
        }
    }

    static func stored(_ bytes: [UInt8]?) throws(SQLiteError) -> JSON? {
        guard let bytes else { return nil }
        return try stored(bytes)
    }
}
