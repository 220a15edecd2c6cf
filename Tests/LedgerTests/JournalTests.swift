import BusinessPolicy
import Testing

@testable import Ledger

@Suite struct JournalTests {
    let folder = TemporaryFolder()
    private let day: Int64 = 24 * 3600 * 1000

    /// The newest come first, and no more than were asked for.
    @Test func newestComeFirst() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(journal: [entry(1), entry(2)]))
        try await ledger.commit(LedgerBatch(journal: [entry(3)]))
        #expect(try await ledger.journal(limit: 2) == [entry(3), entry(2)])
        #expect(try await ledger.journal(limit: 0) == [])
        #expect(try await ledger.journal(limit: -1) == [])
    }

    /// An entry of whatever kind, with and without an owner, before and after, comes back.
    @Test(arguments: [
        Change.Kind.create, .update, .heal, .move, .delete, .restore, .adopt, .transfer, .forget,
    ])
    func entriesComeBack(kind: Change.Kind) async throws {
        var bare = entry(1)
        bare.kind = kind
        bare.owner = nil
        bare.before = nil
        bare.after = nil
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(journal: [bare]))
        #expect(try await ledger.journal(limit: 9) == [bare])
    }

    /// What is older than the limit, counted from the newest entry, goes; what is as old as it stays.
    @Test func oldEntriesGo() async throws {
        let ledger = try await open(folder.ledger)
        let old = entry(1, at: wallTime)
        let edge = entry(2, at: wallTime + day)
        try await ledger.commit(LedgerBatch(journal: [old, edge]))
        let new = entry(3, at: wallTime + 91 * day)
        try await ledger.commit(LedgerBatch(journal: [new]))
        #expect(try await ledger.journal(limit: 9) == [new, edge])
    }

    /// However much is written, the journal keeps to its size, by dropping the oldest; also after a restart.
    @Test func journalKeepsToItsSize() async throws {
        let limits = LedgerLimits(journalBytesMax: 20_000)
        for start in [0, 50] {
            let ledger = try await open(folder.ledger, limits: limits)
            for number in start..<start + 50 {
                try await ledger.commit(LedgerBatch(journal: [entry(number, padding: number * 10)]))
                let entries = try await ledger.journal(limit: 1000)
                let bytes = entries.map { ($0.before?.serialized().count ?? 0) + ($0.after?.serialized().count ?? 0) }
                #expect(bytes.reduce(0, +) <= 20_000)
                #expect(entries.map(\.reason) == (0..<entries.count).map { "reason \(number - $0)" })
            }
            #expect(try await ledger.journal(limit: 1000).count >= 10)
            await ledger.close()
        }
    }

    /// Many entries at once are pruned as well: the count that is kept in memory is the file's.
    @Test func countMatchesTheFile() async throws {
        let ledger = try await open(folder.ledger, limits: LedgerLimits(journalBytesMax: 50_000))
        try await ledger.commit(LedgerBatch(journal: (0..<1000).map { entry($0, at: wallTime + Int64($0) * day / 4) }))
        await ledger.close()
        let connection = try Connection(path: folder.ledger)
        let bytes = try #require(try connection.number("SELECT SUM(size) FROM journal"))
        #expect((40_000...50_000).contains(bytes))
    }

    /// First-touch copies and records are no part of what is pruned.
    @Test func nothingElseIsPruned() async throws {
        let ledger = try await open(folder.ledger, limits: LedgerLimits(journalBytesMax: 0))
        try await ledger.commit(mixedBatch(1))
        try await ledger.commit(LedgerBatch(journal: [entry(1, at: wallTime + 1000 * day)]))
        let everything = try await Everything(ledger)
        #expect(everything.journal == [])
        #expect(everything.rules.count == 2 && everything.firstTouches[1] != nil)
    }
}
