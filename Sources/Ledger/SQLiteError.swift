import CSQLite

/// What SQLite said when it could not do something, with the words that it has for it.
///
/// Stays inside this module: the ledger turns it into a `LedgerError` that says what to do.
struct SQLiteError: Error, Hashable {
    /// The extended result code.
    var code: Int32
    var message: String

    /// The result code without its extension: the class of the failure.
    var primaryCode: Int32 { code & 0xff }

    /// The file's content is not what SQLite, or this schema, could have written.
    var isDamage: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

    /// Another program holds a lock on the file.
    var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }

    /// A value that the schema rules out; told from any other damage only by its words.
    static func damagedValue(_ words: String) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, message: words)
    }

    /// What a person can do about it; empty where nothing better is known than the message.
    var advice: String {
        switch primaryCode {
        case SQLITE_FULL: "; free space on that volume, or make it larger"
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN:
            "; make the file and its folder writable for the user that runs velokube, or point --state elsewhere"
        case SQLITE_IOERR: "; check the volume (network folders without shared memory cannot hold a ledger)"
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            "; restart velokube: it sets the damaged file aside and rebuilds the ledger"
        case SQLITE_BUSY, SQLITE_LOCKED: "; close the other program that has the file open"
        default: ""
        }
    }
}
