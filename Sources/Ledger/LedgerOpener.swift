import CSQLite
import Glibc

/// What is held while a ledger is open. When it goes, the file is closed first and the lock freed after it.
final class LedgerFile {
    let connection: Connection
    let watch: FileWatch
    private let lock: FileLock

    init(connection: Connection, watch: FileWatch, lock: FileLock) {
        self.connection = connection
        self.watch = watch
        self.lock = lock
    }

    deinit { connection.close() }
}

/// Opens a ledger's file: takes the lock, refuses what is not ours to touch, sets aside what is damaged.
///
/// A refusal leaves the file and its WAL byte for byte as they were.
struct LedgerOpener {
    var path: String
    var binding: LedgerBinding
    /// Wall clock in milliseconds.
    var now: Int64
    var limits: LedgerLimits
    var migrations = Migration.all

    /// An open ledger and what was read from it.
    struct Opened {
        var file: LedgerFile
        var state: LedgerState
        var opening: Ledger.Opening
        var damage: String?
        var binding: LedgerBinding
    }

    /// What one try to open the file came to.
    private enum Attempt {
        case opened(Connection, LedgerState, LedgerBinding, isNew: Bool)
        case damaged(String)
        case refused(LedgerError)
    }

    func open() throws(LedgerError) -> Opened {
        let place = try LedgerPlace(path)
        let lock = try FileLock(path: place.path + ".lock")
        var setAside = try place.setAsideLeftovers(now: now)
        var damage = setAside.map { _ in "the file is gone and only its log is there" }
        for _ in 0..<2 {
            switch attempt(place) {
            case .opened(let connection, let state, let binding, let isNew):
                guard let watch = FileWatch(path: place.path) else {
                    throw .unusable("the ledger \(path) was removed while it was opened; start velokube again")
                }
                let file = LedgerFile(connection: connection, watch: watch, lock: lock)
                let found = isNew ? Ledger.Opening.created : .existing
                return Opened(
                    file: file, state: state, opening: setAside.map { .rebuiltAfter(setAside: $0) } ?? found,
                    damage: damage, binding: binding)
            case .refused(let error):
                throw error
            case .damaged(let words):
                setAside = try place.setAside(now: now)
                damage = words
            }
        }
        throw .unusable(
            "the ledger \(path) is damaged again right after it was made (\(damage ?? "")); "
                + "check the volume it is on")
    }

    private func attempt(_ place: LedgerPlace) -> Attempt {
        do throws(LedgerError) {
            if try !place.beginsLikeSQLite() { return .damaged("it does not begin like a SQLite file") }
        } catch {
            return .refused(error)
        }
        do throws(SQLiteError) {
            let connection = try Connection(path: place.path)
            if let refusal = try foreignRefusal(connection) { return .refused(refusal) }
            let isNew = try connection.number("PRAGMA user_version") == 0
            if let damage = try damage(connection, isNew: isNew) { return .damaged(damage) }
            let recorded = isNew ? nil : try Self.recordedBinding(connection)
            let differences = recorded?.differences(from: binding) ?? []
            guard differences.isEmpty else { return .refused(Self.boundElsewhere(path, differences)) }
            try configure(connection)
            try Migration.run(migrations, on: connection)
            for table in Migration.tables where try !Self.has(table, connection) {
                return .damaged("the table \(table) is not there")
            }
            let bound = try bind(connection, recorded)
            place.makePrivate()
            let state = try LedgerState.load(connection)
            connection.checkpointsOnClose()
            return .opened(connection, state, bound, isNew: isNew)
        } catch {
            if error.isDamage { return .damaged(error.message) }
            let words = "cannot open the ledger \(path): \(error.message)\(error.advice)"
            return .refused(error.isBusy ? .locked(words) : .unusable(words))
        }
    }

    /// Refuses a later version's ledger and another program's file, from the file's header alone: what else is in
    /// such a file may be more than this SQLite understands.
    private func foreignRefusal(_ connection: Connection) throws(SQLiteError) -> LedgerError? {
        let version = try connection.number("PRAGMA user_version") ?? 0
        let application = try connection.number("PRAGMA application_id") ?? 0
        guard application == Migration.applicationID else {
            let tables = try connection.number("SELECT COUNT(*) FROM sqlite_schema")
            return version == 0 && application == 0 && tables == 0
                ? nil : .unusable("\(path) is the SQLite file of another program; point --state at another file")
        }
        let known = migrations.last?.version ?? 0
        guard version <= known else {
            return .newerSchema(
                "the ledger \(path) is of a later velokube: its schema is \(version), and this one knows schemas up to "
                    + "\(known); run that velokube or a later one, or point --state at a new file, which is built from "
                    + "the cluster and the VCO and lacks the history")
        }
        return nil
    }

    private func damage(_ connection: Connection, isNew: Bool) throws(SQLiteError) -> String? {
        let verdict = try connection.text("PRAGMA quick_check(1)") ?? "quick_check says nothing"
        guard verdict == "ok" else { return verdict }
        if isNew { return nil }
        return try Self.has("meta", connection) ? nil : "the table meta is not there"
    }

    private static func has(_ table: String, _ connection: Connection) throws(SQLiteError) -> Bool {
        try connection.number("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", .text(table)) != nil
    }

    private func configure(_ connection: Connection) throws(SQLiteError) {
        guard !connection.isReadOnly else {
            throw SQLiteError(code: SQLITE_READONLY, message: "the file cannot be written")
        }
        for pragma in [
            // One process uses the file: whoever else is in it is a mistake, and waiting would only hide it.
            "PRAGMA busy_timeout = 0", "PRAGMA foreign_keys = ON", "PRAGMA trusted_schema = OFF",
            "PRAGMA cell_size_check = ON", "PRAGMA journal_size_limit = 16777216",
        ] { try connection.run(pragma) }
        guard try connection.text("PRAGMA journal_mode = WAL") == "wal" else {
            throw SQLiteError(code: SQLITE_IOERR, message: "its volume cannot hold a write-ahead log")
        }
        // A commit that returned survives a loss of power.
        try connection.run("PRAGMA synchronous = FULL")
        if let bytes = limits.fileBytesMax, let page = try connection.number("PRAGMA page_size") {
            try connection.run("PRAGMA max_page_count = \(max(bytes / page, 1))")
        }
    }

    private static func recordedBinding(_ connection: Connection) throws(SQLiteError) -> LedgerBinding? {
        guard let orchestrator = try Meta.read(.orchestrator, connection),
            let scope = try Meta.read(.scope, connection)
        else { return nil }
        return LedgerBinding(
            clusterID: try Meta.read(.cluster, connection), orchestrator: orchestrator, scope: scope)
    }

    /// Binds a file that is not bound yet, and fills in a cluster that was not known; returns what it is bound to.
    private func bind(
        _ connection: Connection, _ recorded: LedgerBinding?
    ) throws(SQLiteError) -> LedgerBinding {
        var bound = recorded ?? binding
        bound.clusterID = bound.clusterID ?? binding.clusterID
        guard bound != recorded else { return bound }
        try connection.transaction { () throws(SQLiteError) in
            if recorded == nil {
                try Meta.write(.ledgerID, Self.randomID(), connection)
                try Meta.write(.orchestrator, bound.orchestrator, connection)
                try Meta.write(.scope, bound.scope, connection)
            }
            if let cluster = bound.clusterID { try Meta.write(.cluster, cluster, connection) }
        }
        return bound
    }

    private static func randomID() -> String {
        (0..<16).map { _ in
            let byte = UInt8.random(in: .min ... .max)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    static func boundElsewhere(_ path: String, _ differences: [String]) -> LedgerError {
        .boundElsewhere(
            "the ledger \(path) is not for this start: \(differences.joined(separator: "; ")); point --state at "
                + "another file, or start with what the ledger is of")
    }
}
