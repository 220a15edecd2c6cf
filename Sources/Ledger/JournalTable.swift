import BusinessPolicy

/// The journal as a table: written with every change, read by people, pruned from its old end.
enum JournalTable {
    /// What an entry takes beside its texts: its numbers, the row and the index.
    private static let entryOverhead = 64

    /// Writes the entries and prunes; returns what the journal then takes.
    static func append(
        _ entries: [JournalEntry], bytes: Int, limits: LedgerLimits, _ connection: Connection
    ) throws(SQLiteError) -> Int {
        guard let newest = entries.map(\.at).max() else { return bytes }
        var bytes = bytes
        for entry in entries { bytes += try insert(entry, connection) }
        let (seconds, attoseconds) = limits.journalAgeMax.components
        let oldest = newest - seconds * 1000 - attoseconds / 1_000_000_000_000_000
        bytes -=
            try connection.number("SELECT COALESCE(SUM(size), 0) FROM journal WHERE at < ?", SQLiteValue(oldest)) ?? 0
        try connection.run("DELETE FROM journal WHERE at < ?", SQLiteValue(oldest))
        return try shrink(from: bytes, to: limits.journalBytesMax, connection)
    }

    /// The newest entries, newest first.
    static func read(limit: Int, _ connection: Connection) throws(SQLiteError) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        try connection.query(
            """
            SELECT at, profile_id, segment_id, name, profile_name, owner_namespace, owner_name, owner_uid, kind, reason,
                before, after
            FROM journal ORDER BY id DESC LIMIT ?
            """, values: [SQLiteValue(max(limit, 0))]
        ) { row throws(SQLiteError) in entries.append(try decode(row)) }
        return entries
    }

    private static func insert(_ entry: JournalEntry, _ connection: Connection) throws(SQLiteError) -> Int {
        let before = entry.before?.serialized()
        let after = entry.after?.serialized()
        let owner = entry.owner
        let size =
            entryOverhead + (before?.count ?? 0) + (after?.count ?? 0) + entry.place.name.utf8.count
            + entry.profileName.utf8.count + entry.reason.utf8.count
            + (owner.map { $0.namespace.utf8.count + $0.name.utf8.count + $0.uid.utf8.count } ?? 0)
        try connection.run(
            """
            INSERT INTO journal (at, size, profile_id, segment_id, name, profile_name, owner_namespace, owner_name,
                owner_uid, kind, reason, before, after)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            SQLiteValue(entry.at), SQLiteValue(size), SQLiteValue(entry.place.profileID),
            SQLiteValue(entry.place.segmentID), .text(entry.place.name), .text(entry.profileName),
            SQLiteValue(owner?.namespace), SQLiteValue(owner?.name), SQLiteValue(owner?.uid),
            .text(entry.kind.rawValue), .text(entry.reason), SQLiteValue(before), SQLiteValue(after))
        return size
    }

    /// Drops the oldest entries until the rest fits.
    private static func shrink(
        from bytes: Int, to bytesMax: Int, _ connection: Connection
    ) throws(SQLiteError) -> Int {
        var bytes = bytes
        while bytes > bytesMax {
            var last: Int?
            try connection.query("SELECT id, size FROM journal ORDER BY id LIMIT 256") { row throws(SQLiteError) in
                guard bytes > bytesMax else { return }
                bytes -= try row.number(1)
                last = try row.number(0)
            }
            guard let last else { return bytes }
            try connection.run("DELETE FROM journal WHERE id <= ?", SQLiteValue(last))
        }
        return bytes
    }

    private static func decode(_ row: Row) throws(SQLiteError) -> JournalEntry {
        let kind = try row.text(8)
        guard let kind = Change.Kind(rawValue: kind) else {
            throw .damagedValue("\(kind.debugDescription) is no kind of change")
        }
        var owner: Owner?
        if let namespace = row.optionalText(5) {
            owner = Owner(namespace: namespace, name: try row.text(6), uid: try row.text(7))
        }
        return JournalEntry(
            at: Int64(try row.number(0)),
            place: RulePlace(profileID: try row.number(1), segmentID: try row.number(2), name: try row.text(3)),
            profileName: try row.text(4), owner: owner, kind: kind, reason: try row.text(9),
            before: try JSON.stored(row.optionalBytes(10)), after: try JSON.stored(row.optionalBytes(11)))
    }
}
