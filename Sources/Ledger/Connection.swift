import CSQLite

/// One connection to one SQLite file.
///
/// Not `Sendable`: it belongs to the actor that opened it, so SQLite's own locking is switched off.
final class Connection {
    private var handle: OpaquePointer?
    private var statements: [String: Statement] = [:]

    /// Opens the file for reading and writing, making it if it is not there.
    ///
    /// Closing leaves the file and its WAL as they are until `checkpointsOnClose` is called: a file that turns out to
    /// be somebody else's must not be touched.
    init(path: String) throws(SQLiteError) {
        // SQLite reads meaning into ":memory:" and the like; with a folder in front it is only a name.
        let name = path.hasPrefix("/") ? path : "./" + path
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(name, &handle, flags, nil)
        guard code == SQLITE_OK else {
            let error = failure(code)
            sqlite3_close_v2(handle)
            handle = nil
            throw error
        }
        csqlite_set_checkpoint_on_close(handle, 0)
    }

    deinit { close() }

    /// From here on, closing folds the WAL into the file.
    func checkpointsOnClose() {
        csqlite_set_checkpoint_on_close(handle, 1)
    }

    /// True when SQLite fell back to reading because the file may not be written.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Closes the file. The connection is of no use afterwards.
    func close() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// Runs a statement for what it does. `sql` must be constant text: each one is compiled once and kept.
    func run(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) {
        try rows(sql, values) { _ throws(SQLiteError) in }
    }

    /// As above, for values that are already a list.
    func run(_ sql: String, values: [SQLiteValue]) throws(SQLiteError) {
        try rows(sql, values) { _ throws(SQLiteError) in }
    }

    /// Runs a query and hands over each of its rows; `sql` as for `run`.
    func query(
        _ sql: String, values: [SQLiteValue] = [], row: (Row) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        try rows(sql, values, row)
    }

    /// The first value of the first row, as a whole number.
    func number(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) -> Int? {
        var found: Int?
        try rows(sql, values) { row throws(SQLiteError) in
            if found == nil { found = try row.number(0) }
        }
        return found
    }

    /// The first value of the first row, as text.
    func text(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) -> String? {
        var found: String?
        try rows(sql, values) { row throws(SQLiteError) in
            if found == nil { found = try row.text(0) }
        }
        return found
    }

    /// Runs the body as one transaction: all of it, or, when it throws, nothing of it.
    func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try run("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            // SQLite has rolled back by itself after some errors, and a failed rollback leaves nothing to do: what was
            // not committed is not in the file either way.
            if sqlite3_get_autocommit(handle) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    private func rows(
        _ sql: String, _ values: [SQLiteValue], _ body: (Row) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        guard handle != nil else { throw SQLiteError(code: SQLITE_MISUSE, message: "the file is closed") }
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() { try body(Row(statement: statement)) }
    }

    private func prepared(_ sql: String) throws(SQLiteError) -> Statement {
        if let statement = statements[sql] { return statement }
        var compiled: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled else { throw failure(code) }
        let statement = Statement(handle: compiled)
        statements[sql] = statement
        return statement
    }

    private func failure(_ code: Int32) -> SQLiteError {
        guard let handle else { return SQLiteError(code: code, message: String(cString: sqlite3_errstr(code))) }
        return SQLiteError(code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}
