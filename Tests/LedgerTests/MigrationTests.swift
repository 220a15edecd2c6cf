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

    /// The kept file of every earlier schema, and of this one, is brought up to date with every row that it holds. A
    /// schema without a file fails here: OperatorTests/KeptLedgerTests.swift says how it is made.
    @Test(arguments: 1...Migration.all.count) func keptFileIsMigrated(_ schema: Int) throws {
        let kept = try keep(schema)
        let before = try Rows(of: folder.ledger)
        #expect(before.version == schema)
        for table in Migration.tables { #expect(before.rows[table]?.isEmpty == false, "\(table) is put to no test") }
        var opened: LedgerOpener.Opened? = try opener(Migration.all, kept).open()
        #expect(opened?.opening == .existing)
        #expect(opened?.state.rules.all.isEmpty == false)
        opened = nil
        let after = try Rows(of: folder.ledger, columns: before.columns)
        #expect(after.version == Migration.all.count)
        #expect(after.rows == before.rows)
    }

    /// A process that is killed at any instant of a migration leaves the file of one version or the next, with every
    /// row; and the next start goes on from there.
    @Test func killedMigrationLeavesOneVersionOrTheNext() throws {
        let first = Migration.all.count
        let binding = try keep(first)
        let before = try Rows(of: folder.ledger)
        let file = try #require(contents(of: folder.ledger))
        let steps =
            Migration.all + [
                Migration(
                    version: first + 1,
                    statements: [
                        "CREATE TABLE copy AS SELECT * FROM owned_rule", "ALTER TABLE journal ADD COLUMN colour TEXT",
                        "UPDATE journal SET colour = 'blue'", "DROP TABLE copy",
                    ]),
                Migration(
                    version: first + 2,
                    statements: [
                        "CREATE TABLE second (at INTEGER NOT NULL) STRICT", "INSERT INTO second SELECT at FROM journal",
                        "CREATE INDEX second_at ON second (at)",
                    ]),
            ]
        let opened = try opener(steps, binding).open()
        let wal = try withExtendedLifetime(opened) { try #require(contents(of: folder.ledger + "-wal")) }
        #expect(contents(of: folder.ledger) == file, "all of it is in the log")
        var seen: [Int] = []
        // What a killed process has written is there, and nothing that would have come after it.
        for length in Array(stride(from: 0, to: wal.count, by: 517)) + [wal.count] {
            let killed = TemporaryFolder()
            write(file, to: killed.ledger)
            write(Array(wal.prefix(length)), to: killed.ledger + "-wal")
            let left = try Rows(of: killed.ledger, columns: before.columns)
            seen.append(left.version)
            #expect(left.rows == before.rows, "killed at byte \(length)")
            var again: LedgerOpener.Opened? = try opener(steps, binding, in: killed).open()
            #expect(again?.opening == .existing)
            again = nil
            let after = try Rows(of: killed.ledger, columns: before.columns)
            #expect(after.version == first + 2 && after.rows == before.rows, "killed at byte \(length)")
        }
        #expect(seen == seen.sorted() && Set(seen) == [first, first + 1, first + 2])
    }

    /// Puts the kept file of a schema in place; returns what it is bound to.
    private func keep(_ schema: Int) throws -> LedgerBinding {
        let tests = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
        write(try #require(contents(of: "\(tests)/Fixtures/ledger/\(schema).db")), to: folder.ledger)
        let connection = try Connection(path: folder.ledger)
        defer { connection.close() }
        return try LedgerBinding(
            clusterID: Meta.read(.cluster, connection),
            orchestrator: #require(try Meta.read(.orchestrator, connection)),
            scope: #require(try Meta.read(.scope, connection)))
    }

    private func opener(
        _ migrations: [Migration], _ bound: LedgerBinding = binding, in other: TemporaryFolder? = nil
    ) -> LedgerOpener {
        LedgerOpener(
            path: (other ?? folder).ledger, binding: bound, now: wallTime, limits: LedgerLimits(),
            migrations: migrations)
    }
}

/// A ledger file's version, and each row of each table as text.
private struct Rows {
    var version = 0
    var rows: [String: [String]] = [:]
    /// The columns that were read, by table.
    var columns: [String: [String]] = [:]

    /// Reads these columns, or all that there are; leaves the file and its log as they are.
    init(of path: String, columns given: [String: [String]]? = nil) throws {
        let connection = try Connection(path: path)
        defer { connection.close() }
        version = try connection.number("PRAGMA user_version") ?? 0
        for table in Migration.tables {
            var names = given?[table] ?? []
            if given == nil {
                try connection.query("SELECT name FROM pragma_table_info('\(table)')") { row throws(SQLiteError) in
                    names.append(try row.text(0))
                }
            }
            columns[table] = names
            let values = names.map { "quote(\($0))" }.joined(separator: " || ' ' || ")
            var found: [String] = []
            try connection.query("SELECT \(values) FROM \(table)") { row throws(SQLiteError) in
                found.append(try row.text(0))
            }
            rows[table] = found.sorted()
        }
    }
}
