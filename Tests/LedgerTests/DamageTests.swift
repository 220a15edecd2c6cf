import BusinessPolicy
import Testing

@testable import Ledger

/// A damaged file is set aside under a name that says so, and an empty ledger takes its place.
@Suite struct DamageTests {
    let folder = TemporaryFolder()
    private var aside: String { folder.ledger + ".corrupt-\(wallTime)" }

    /// The ways in which a file goes bad.
    enum Damage: String, CaseIterable {
        case text, short, header, droppedMeta, truncatedToAPage, truncatedByHalf, scribbledPage, zeroedPage,
            droppedTable, badEnum
        case badJSON, dangling
    }

    /// Whatever the damage, the start goes on with an empty ledger, and the bad file can still be looked at.
    @Test(arguments: Damage.allCases) func damagedFileIsSetAside(damage: Damage) async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: (1...300).map { rule($0, padding: 300) }))
        await ledger.close()
        try apply(damage)
        let bad = contents(of: folder.ledger)

        let rebuilt = try await open(folder.ledger)
        #expect(await rebuilt.opening == .rebuiltAfter(setAside: aside))
        #expect(await rebuilt.damage?.isEmpty == false)
        #expect(await rebuilt.allRules() == [])
        #expect(await rebuilt.binding == binding)
        #expect(contents(of: aside) == bad)
        try await rebuilt.commit(mixedBatch(1))
        let state = try await Everything(rebuilt)
        await rebuilt.close()
        let again = try await open(folder.ledger)
        #expect(await again.opening == .existing)
        #expect(try await Everything(again) == state)
    }

    /// What SQLite keeps beside the file goes with it; else the old log would be played into the new file.
    @Test func logGoesWithTheFile() async throws {
        write(Array("nonsense".utf8), to: folder.ledger)
        for suffix in ["-wal", "-shm", "-journal"] { write([1, 2, 3], to: folder.ledger + suffix) }
        let ledger = try await open(folder.ledger)
        #expect(await ledger.opening == .rebuiltAfter(setAside: aside))
        for suffix in ["-wal", "-shm", "-journal"] { #expect(contents(of: aside + suffix) == [1, 2, 3]) }
    }

    /// A log whose file is gone holds what nobody can read any more, and is set aside too.
    @Test(arguments: [true, false]) func logWithoutItsFileIsSetAside(isEmpty: Bool) async throws {
        let first = TemporaryFolder()
        let ledger = try await open(first.ledger)
        try await ledger.commit(mixedBatch(1))
        let wal = try #require(contents(of: first.ledger + "-wal"))
        write(wal, to: folder.ledger + "-wal")
        if isEmpty { write([], to: folder.ledger) }
        let rebuilt = try await open(folder.ledger)
        #expect(await rebuilt.opening == .rebuiltAfter(setAside: aside + "-wal"))
        #expect(contents(of: aside + "-wal") == wal)
        #expect(await rebuilt.allRules() == [])
    }

    /// An earlier file that was set aside in the same millisecond is not overwritten.
    @Test func setAsideNamesDoNotCollide() async throws {
        write([7], to: aside)
        write([8], to: folder.ledger)
        let ledger = try await open(folder.ledger)
        let next = folder.ledger + ".corrupt-\(wallTime + 1)"
        #expect(await ledger.opening == .rebuiltAfter(setAside: next))
        #expect(contents(of: aside) == [7])
        #expect(contents(of: next) == [8])
    }

    private func apply(_ damage: Damage) throws {
        var bytes = try #require(contents(of: folder.ledger))
        switch damage {
        case .text: bytes = Array(String(repeating: "not a database\n", count: 100).utf8)
        case .short: bytes = Array(bytes.prefix(60))
        case .header: bytes[18] = 9
        case .truncatedToAPage: bytes = Array(bytes.prefix(4096))
        case .truncatedByHalf: bytes = Array(bytes.prefix(bytes.count / 2 / 4096 * 4096))
        case .scribbledPage: for index in 3 * 4096..<4 * 4096 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        case .zeroedPage: for index in 4096..<2 * 4096 { bytes[index] = 0 }
        case .droppedTable: return try run("DROP TABLE journal")
        case .droppedMeta: return try run("DROP TABLE meta")
        case .badEnum: return try run("UPDATE owned_rule SET intent = 'dance' WHERE name = 'rule-7'")
        case .badJSON: return try run("UPDATE owned_rule SET original = x'7b' WHERE name = 'rule-7'")
        case .dangling: return try run("UPDATE owned_rule SET template = 999 WHERE name = 'rule-7'")
        }
        write(bytes, to: folder.ledger)
    }

    private func run(_ sql: String) throws {
        let connection = try Connection(path: folder.ledger)
        try connection.run(sql)
        connection.checkpointsOnClose()
        connection.close()
    }
}
