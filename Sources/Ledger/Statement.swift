import CSQLite

/// A value on its way into a statement.
enum SQLiteValue: Hashable {
    case null
    case number(Int64)
    case text(String)
    case bytes([UInt8])

    init(_ number: Int?) { self = number.map { .number(Int64($0)) } ?? .null }
    init(_ number: Int64) { self = .number(number) }
    init(_ flag: Bool) { self = .number(flag ? 1 : 0) }
    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    init(_ bytes: [UInt8]?) { self = bytes.map { .bytes($0) } ?? .null }
}

/// A compiled statement, owned by its connection, which keeps it for the next use.
final class Statement {
    private var handle: OpaquePointer?

    init(handle: OpaquePointer) { self.handle = handle }

    /// Must have happened before the connection closes.
    func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    /// Makes the statement ready for its next use and lets go of what was bound.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Binds the values to the parameters in their order; there must be as many.
    func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        precondition(
            values.count == Int(sqlite3_bind_parameter_count(handle)),
            "A statement was given another number of values than it has parameters.")
        for (offset, value) in values.enumerated() { try check(bind(value, at: Int32(offset + 1))) }
    }

    /// Goes to the next row; false when there is none.
    func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure(code)
        }
    }

    private func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
        switch value {
        case .null:
            return sqlite3_bind_null(handle, index)
        case .number(let number):
            return sqlite3_bind_int64(handle, index, number)
        case .text(var text):
            return text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    csqlite_bind_text(handle, index, $0.baseAddress, UInt64($0.count))
                }
            }
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { csqlite_bind_blob(handle, index, $0.baseAddress, UInt64($0.count)) }
        }
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> SQLiteError {
        SQLiteError(code: code, message: String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))))
    }

    /// The bytes of a column of the current row; nil for NULL.
    func columnBytes(_ index: Int32) -> [UInt8]? {
        guard sqlite3_column_type(handle, index) != SQLITE_NULL else { return nil }
        let count = Int(sqlite3_column_bytes(handle, index))
        guard count > 0, let start = sqlite3_column_blob(handle, index) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The number in a column of the current row; nil for NULL.
    func columnNumber(_ index: Int32) -> Int64? {
        guard sqlite3_column_type(handle, index) != SQLITE_NULL else { return nil }
        return sqlite3_column_int64(handle, index)
    }
}

/// The row that a statement stands on, good until it steps on.
///
/// A NULL where a value must be throws damage: the schema rules it out, so only a damaged file has it.
struct Row {
    fileprivate var statement: Statement

    init(statement: Statement) { self.statement = statement }

    func optionalNumber(_ column: Int32) -> Int? { statement.columnNumber(column).map(Int.init) }
    func optionalBytes(_ column: Int32) -> [UInt8]? { statement.columnBytes(column) }
    func optionalText(_ column: Int32) -> String? {
        statement.columnBytes(column).map { String(decoding: $0, as: UTF8.self) }
    }

    func number(_ column: Int32) throws(SQLiteError) -> Int { try present(optionalNumber(column), column) }
    func flag(_ column: Int32) throws(SQLiteError) -> Bool { try number(column) != 0 }
    func text(_ column: Int32) throws(SQLiteError) -> String { try present(optionalText(column), column) }
    func bytes(_ column: Int32) throws(SQLiteError) -> [UInt8] { try present(optionalBytes(column), column) }

    private func present<Value>(_ value: Value?, _ column: Int32) throws(SQLiteError) -> Value {
        guard let value else { throw .damagedValue("column \(column) of a row is NULL") }
        return value
    }
}
