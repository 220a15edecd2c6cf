import BusinessPolicy
import Glibc
import Testing

@testable import Ledger

@Suite struct FailureTests {
    let folder = TemporaryFolder()

    /// A commit for which there is no room changes neither the file nor memory, says why, and the ledger goes on.
    @Test func fullDiskChangesNothing() async throws {
        let ledger = try await open(folder.ledger, limits: LedgerLimits(fileBytesMax: 60 * 4096))
        for number in 1...3 { try await ledger.commit(mixedBatch(number)) }
        let before = try await Everything(ledger)
        let memory = await ledger.allRules()
        let profiles = await ledger.profiles()

        var large = mixedBatch(4)
        large.upserts += (100..<400).map { rule($0, padding: 2000) }
        let error = await #expect(throws: LedgerError.self) { try await ledger.commit(large) }
        guard case .failed(let words) = error else { throw Unexpected(error) }
        for word in ["full", "free space", folder.ledger] { #expect(words.contains(word)) }
        #expect(try await Everything(ledger) == before)
        #expect(await ledger.allRules() == memory)
        #expect(await ledger.profiles() == profiles)
        #expect(await ledger.commitCount == 3)

        try await ledger.commit(mixedBatch(4))
        let after = try await Everything(ledger)
        #expect(after != before)
        await ledger.close()
        let roomier = try await open(folder.ledger)
        #expect(try await Everything(roomier) == after)
        try await roomier.commit(large)
        #expect(await roomier.allRules().count == after.rules.count + 300)
    }

    /// After a commit that failed, templates that it would have made are not taken for made.
    @Test func failedCommitLeavesNoTemplate() async throws {
        let ledger = try await open(folder.ledger, limits: LedgerLimits(fileBytesMax: 40 * 4096))
        await #expect(throws: LedgerError.self) {
            try await ledger.commit(LedgerBatch(upserts: (0..<300).map { rule($0, padding: 2000) }))
        }
        try await ledger.commit(LedgerBatch(upserts: [rule(1, padding: 2000)]))
        await ledger.close()
        #expect(try await open(folder.ledger).storedRule(at: rule(1).place) == rule(1, padding: 2000))
    }

    /// A transaction that fails at its very end, when all of it was written, changes nothing either.
    ///
    /// A foreign key that is checked at the commit, put in from outside, makes it fail there.
    @Test func failureAtTheEndChangesNothing() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        let other = try Connection(path: folder.ledger)
        try other.run("CREATE TABLE child (id INTEGER REFERENCES profile (id) DEFERRABLE INITIALLY DEFERRED)")
        try other.run("INSERT INTO child VALUES (1)")
        let before = try await Everything(ledger)
        let memory = await ledger.allRules()

        var batch = mixedBatch(2)
        batch.forgottenProfiles = [1]
        await #expect(throws: LedgerError.self) { try await ledger.commit(batch) }
        #expect(try await Everything(ledger) == before)
        #expect(await ledger.allRules() == memory)
        #expect(await ledger.commitCount == 1)

        try other.run("DELETE FROM child")
        try await ledger.commit(batch)
        #expect(await ledger.profiles().map(\.id) == [2])
    }

    /// Another program in the middle of a write is the reason of a failed commit, and the next one succeeds.
    @Test func busyFileFailsTheCommit() async throws {
        let ledger = try await open(folder.ledger)
        let other = try Connection(path: folder.ledger)
        try other.run("BEGIN IMMEDIATE")
        let error = await #expect(throws: LedgerError.self) { try await ledger.commit(mixedBatch(1)) }
        guard case .failed(let words) = error else { throw Unexpected(error) }
        #expect(words.contains("other program"))
        #expect(await ledger.allRules() == [])
        try other.run("ROLLBACK")
        try await ledger.commit(mixedBatch(1))
        #expect(await ledger.allRules().count == 2)
    }

    /// Once closed, memory can be read, and what needs the file says that it is closed.
    @Test func closedLedgerSaysSo() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        await ledger.close()
        await ledger.close()
        #expect(await ledger.allRules().count == 2)
        let closed = LedgerError.failed("the ledger \(folder.ledger) is closed")
        await #expect(throws: closed) { try await ledger.commit(mixedBatch(2)) }
        await #expect(throws: closed) { try await ledger.journal(limit: 1) }
    }

    /// A file that was removed or replaced takes nothing more: SQLite would write on, and all of it would be lost.
    @Test func removedFileFailsTheCommit() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        let watch = try #require(await ledger.watch)
        let before = await ledger.allRules()
        for replacement in [nil, [UInt8]()] {
            try #require(rename(folder.ledger, folder.ledger + ".away") == 0)
            if let replacement { write(replacement, to: folder.ledger) }
            let error = await #expect(throws: LedgerError.self) { try await ledger.commit(mixedBatch(2)) }
            guard case .failed(let words) = error else { throw Unexpected(error) }
            for word in [folder.ledger, "removed", "restart velokube"] { #expect(words.contains(word), "\(words)") }
            #expect(watch.problem == words)
            #expect(await ledger.allRules() == before)
            try #require(rename(folder.ledger + ".away", folder.ledger) == 0)
            #expect(watch.problem == nil)
        }
        try await ledger.commit(mixedBatch(2))
        #expect(await ledger.allRules() != before)
    }
}
