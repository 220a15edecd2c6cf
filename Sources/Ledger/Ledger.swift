import BusinessPolicy

/// What velokube must not forget: which rules are its own, and which writes are under way.
///
/// One SQLite file, used by one process. Reads of rules and profiles come from memory; `commit` is the only way to
/// change anything, and is one transaction. Runs on a thread of its own, since an fsync waits for the disk.
package actor Ledger {
    /// How the file was found.
    package enum Opening: Hashable, Sendable {
        case existing
        case created
        /// It was damaged; it lies under this name now, and an empty one took its place.
        case rebuiltAfter(setAside: String)
    }

    /// How the file was found when it was opened.
    package private(set) var opening = Opening.created
    /// What was wrong with the file that was set aside, for the log; nil if none was.
    package private(set) var damage: String?
    /// Transactions that `commit` has written: each is one fsync, or two when SQLite also folds the WAL in.
    package private(set) var commitCount = 0
    /// What the file is about.
    package private(set) var binding: LedgerBinding
    /// Random, made with the file: tells one ledger from another.
    package var id: String { state.id }
    /// The watch's position as last recorded.
    package var watchVersion: String? { state.watchVersion }

    /// Watches the file while it is open; can be asked at any time, also while a commit waits for the disk.
    package var watch: FileWatch? { file?.watch }

    private let thread: LedgerThread
    private let path: String
    private let limits: LedgerLimits
    private var file: LedgerFile?
    private var state = LedgerState()

    /// Opens the ledger, or makes it, and holds it until `close`.
    ///
    /// A damaged file is set aside and an empty ledger takes its place (`opening` says so): losing it must lose no
    /// rule, which is the caller's work. `now` is the wall clock in milliseconds, for the name that such a file gets.
    package static func open(
        path: String, binding: LedgerBinding, now: Int64, limits: LedgerLimits = LedgerLimits()
    ) async throws(LedgerError) -> Ledger {
        let ledger = Ledger(thread: try LedgerThread(), path: path, binding: binding, limits: limits)
        try await ledger.start(now: now)
        return ledger
    }

    private init(thread: LedgerThread, path: String, binding: LedgerBinding, limits: LedgerLimits) {
        self.thread = thread
        self.path = path
        self.binding = binding
        self.limits = limits
    }

    deinit { thread.stop() }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private func start(now: Int64) throws(LedgerError) {
        let opened = try LedgerOpener(path: path, binding: binding, now: now, limits: limits).open()
        file = opened.file
        state = opened.state
        opening = opened.opening
        damage = opened.damage
        binding = opened.binding
    }

    /// The rules recorded on a profile, sorted by segment and name.
    ///
    /// Rules from memory have no `sent`, and of `readBack` only the `ruleLogicalId`; `storedRule` has them in full.
    /// A rule read here, changed and committed keeps what is recorded of both: a `sent` of nil, and a `readBack` as
    /// it was read here, mean "as it is".
    package func rules(onProfile id: Int) -> [OwnedRule] { state.rules.rules(onProfile: id) }

    /// The rules recorded for a resource, on whatever profile; see `rules(onProfile:)`.
    package func rules(ownedBy uid: String) -> [OwnedRule] { state.rules.rules(ownedBy: uid) }

    /// Every rule on record, sorted by profile, segment and name; see `rules(onProfile:)`.
    package func allRules() -> [OwnedRule] { state.rules.all }

    /// One rule in full, read from the file.
    package func storedRule(at place: RulePlace) throws(LedgerError) -> OwnedRule? {
        // The recorded spelling of the name: SQLite compares bytes.
        guard let place = state.rules[place]?.rule.place else { return nil }
        return try read { connection throws(SQLiteError) in
            var rule: OwnedRule?
            try connection.query(RuleRow.selectFull, values: RuleRow.key(place)) { row throws(SQLiteError) in
                rule = try RuleRow.decodeFull(row, templates: state.templates)
            }
            return rule
        }
    }

    /// Every profile on record, sorted by id.
    package func profiles() -> [ProfileRecord] { state.profiles.values.sorted { $0.id < $1.id } }

    /// The newest entries of the journal, newest first.
    package func journal(limit: Int) throws(LedgerError) -> [JournalEntry] {
        try read { connection throws(SQLiteError) in try JournalTable.read(limit: limit, connection) }
    }

    /// The module as it was before velokube first wrote it.
    package func firstTouch(moduleID: Int) throws(LedgerError) -> ModuleCopy? {
        try read { connection throws(SQLiteError) in
            var copy: ModuleCopy?
            try connection.query(
                "SELECT at, version, bytes FROM first_touch WHERE module_id = ?", values: [SQLiteValue(moduleID)]
            ) { row throws(SQLiteError) in
                copy = ModuleCopy(
                    moduleID: moduleID, at: Int64(try row.number(0)), version: try row.text(1), bytes: try row.bytes(2))
            }
            return copy
        }
    }

    /// The conditions last written to a resource.
    package func conditions(uid: String) throws(LedgerError) -> JSON? {
        try read { connection throws(SQLiteError) in
            var json: JSON?
            try connection.query(
                "SELECT json FROM condition WHERE uid = ?", values: [.text(uid)]
            ) { row throws(SQLiteError) in json = try .stored(try row.bytes(0)) }
            return json
        }
    }

    /// Records the batch on disk, as one transaction whatever its size; an empty one costs nothing.
    ///
    /// When it throws, nothing of the batch counts and memory is as before. Only if the disk itself failed to flush may
    /// a crash right afterwards still bring the batch back, whole.
    package func commit(_ batch: LedgerBatch) throws(LedgerError) {
        guard !batch.isEmpty else { return }
        let written = try write { connection throws(SQLiteError) in
            try BatchWriter.write(batch, connection, state, limits)
        }
        state.apply(batch, written)
        commitCount += 1
    }

    /// Forgets which rules are ours and everything else that another may have changed meanwhile, as one transaction.
    ///
    /// What is left is what a lost ledger leaves, to be rebuilt in the same way; but history is never out of date, so
    /// the journal and the first-touch copies stay.
    package func startOver() throws(LedgerError) {
        try write { connection throws(SQLiteError) in
            for table in ["owned_rule", "document", "profile", "condition"] {
                try connection.run("DELETE FROM \(table)")
            }
            try Meta.remove(.watchVersion, connection)
        }
        state.startOver()
        commitCount += 1
    }

    /// Fills in the cluster once it is known; against another cluster than the recorded one it throws.
    package func bind(clusterID: String) throws(LedgerError) {
        var given = binding
        given.clusterID = clusterID
        let differences = binding.differences(from: given)
        guard differences.isEmpty else { throw LedgerOpener.boundElsewhere(path, differences) }
        guard binding.clusterID == nil else { return }
        try write { connection throws(SQLiteError) in try Meta.write(.cluster, clusterID, connection) }
        binding = given
    }

    /// Folds the WAL into the file, closes it and frees the lock. What is in memory can still be read.
    package func close() { file = nil }

    private func read<Result>(
        _ body: (Connection) throws(SQLiteError) -> Result
    ) throws(LedgerError) -> Result {
        guard let file else { throw .failed("the ledger \(path) is closed") }
        do throws(SQLiteError) {
            return try body(file.connection)
        } catch {
            throw .failed("cannot read the ledger \(path): \(error.message)\(error.advice)")
        }
    }

    private func write<Result>(
        _ body: (Connection) throws(SQLiteError) -> Result
    ) throws(LedgerError) -> Result {
        guard let file else { throw .failed("the ledger \(path) is closed") }
        if let problem = file.watch.problem { throw .failed(problem) }
        do throws(SQLiteError) {
            return try file.connection.transaction { () throws(SQLiteError) in try body(file.connection) }
        } catch {
            throw .failed("cannot write the ledger \(path): \(error.message)\(error.advice)")
        }
    }
}
