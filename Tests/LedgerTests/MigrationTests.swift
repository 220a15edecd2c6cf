import BusinessPolicy
import Testing

@testable import Ledger

@Suite struct MigrationTests {
    let folder = TemporaryFolder()

    private let later = Migration(
        version: 2,
        statements: ["ALTER TABLE profile ADD COLUMN colour TEXT", "UPDATE profile SET colour = 'blue'"])

    /// The versions count up from one without a gap, so that a file's version names its schema.
    @Test func versionsHaveNoGap() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }

    /// The tables that an opening looks for are those that the steps make.
    @Test func tablesAreThose() async throws {
        await (try open(folder.ledger)).close()
        var tables: [String] = []
        try Connection(path: folder.ledger).query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ) { row throws(SQLiteError) in tables.append(try row.text(0)) }
        #expect(tables == Migration.tables)
    }

    /// A file of an earlier version is brought up to date, and keeps what it holds.
    @Test func earlierFileIsMigrated() async throws {
        let ledger = try await open(folder.ledger)
        for number in 1...3 { try await ledger.commit(mixedBatch(number)) }
        let rules = await ledger.allRules()
        await ledger.close()

        let opened = try opener([Migration.all[0], later]).open()
        #expect(opened.opening == .existing)
        #expect(opened.state.rules.all == rules)
        #expect(try opened.file.connection.number("PRAGMA user_version") == 2)
        #expect(try opened.file.connection.text("SELECT DISTINCT colour FROM profile") == "blue")
    }

    /// A step that has been taken is not taken again.
    @Test func stepsAreTakenOnce() throws {
        _ = try opener([Migration.all[0], later]).open()
        let again = try opener([Migration.all[0], later]).open()
        #expect(again.opening == .existing)
        #expect(try again.file.connection.number("PRAGMA user_version") == 2)
    }

    /// A step that fails half-way leaves the file at the version before, with everything in it.
    @Test func failedStepLeavesTheVersionBefore() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        let before = try await Everything(ledger)
        await ledger.close()
        let broken = Migration(version: 2, statements: ["DROP TABLE owned_rule", "NONSENSE"])
        #expect(throws: LedgerError.self) { _ = try opener([Migration.all[0], broken]).open() }
        let again = try await open(folder.ledger)
        #expect(await again.opening == .existing)
        #expect(try await Everything(again) == before)
    }

    /// The version that migrated a file is refused by the one before.
    @Test func migratedFileIsNewerForTheVersionBefore() async throws {
        _ = try opener([Migration.all[0], later]).open()
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .newerSchema = refusal else { throw Unexpected(refusal) }
    }

    private func opener(_ migrations: [Migration]) -> LedgerOpener {
        LedgerOpener(
            path: folder.ledger, binding: binding, now: wallTime, limits: LedgerLimits(), migrations: migrations)
    }
}
