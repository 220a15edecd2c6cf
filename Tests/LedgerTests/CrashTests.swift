import BusinessPolicy
import Testing

@testable import Ledger

/// A process that dies leaves the file and its WAL as they are: a copy of both, taken while the ledger is open, is what
/// the next start finds.
@Suite struct CrashTests {
    let folder = TemporaryFolder()

    /// After a crash at any time, the ledger is as the last commit left it.
    @Test func lastCommitIsThere() async throws {
        let ledger = try await open(folder.ledger)
        for number in 1...8 {
            try await ledger.commit(mixedBatch(number))
            let copy = try copied(folder.ledger)
            let revived = try await open(copy.ledger)
            #expect(await revived.opening == .existing)
            #expect(try await Everything(revived) == Everything(ledger))
            #expect(await revived.allRules() == ledger.allRules())
        }
    }

    /// Wherever the WAL was torn, the ledger is as some commit left it, never in between, and later tears lose less.
    @Test func tornLogIsSomeEarlierCommit() async throws {
        let ledger = try await open(folder.ledger)
        var states = [try await Everything(ledger)]
        for number in 1...6 {
            try await ledger.commit(mixedBatch(number))
            states.append(try await Everything(ledger))
        }
        let wal = try #require(contents(of: folder.ledger + "-wal"))
        // A frame is 4120 bytes: these steps tear headers and pages at all kinds of offsets. And the end itself.
        var seen: [Int] = []
        for length in Array(stride(from: 0, to: wal.count, by: 4099)) + [wal.count - 1, wal.count] {
            let copy = try copied(folder.ledger, walLength: length)
            let revived = try await open(copy.ledger)
            let state = try await Everything(revived)
            let index = try #require(states.firstIndex(of: state), "torn at \(length)")
            seen.append(index)
        }
        #expect(seen == seen.sorted())
        #expect(Set(seen) == Set(states.indices))
    }

    /// A tail of the WAL that was never written right, as after a loss of power, is as if it were not there.
    @Test func garbledTailIsDropped() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        let before = try await Everything(ledger)
        let length = try #require(contents(of: folder.ledger + "-wal")).count
        try await ledger.commit(mixedBatch(2))
        let copy = try copied(folder.ledger)
        var wal = try #require(contents(of: copy.ledger + "-wal"))
        wal[length + 24 + 100] ^= 0x40
        write(wal, to: copy.ledger + "-wal")
        let revived = try await open(copy.ledger)
        #expect(try await Everything(revived) == before)
        #expect(await revived.opening == .existing)
    }

    /// A ledger revived from a crash can be written, closed and opened like any other.
    @Test func revivedLedgerGoesOn() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        let copy = try copied(folder.ledger)
        let revived = try await open(copy.ledger)
        try await revived.commit(mixedBatch(2))
        let state = try await Everything(revived)
        await revived.close()
        #expect(copy.names == ["ledger.db", "ledger.db.lock"])
        #expect(try await Everything(open(copy.ledger)) == state)
    }

    /// A crash before anything was written leaves a file that is as good as none.
    @Test func emptyFileIsNew() async throws {
        write([], to: folder.ledger)
        let ledger = try await open(folder.ledger)
        #expect(await ledger.opening == .created)
        #expect(mode(of: folder.ledger) == 0o600)
    }

    /// A crash between making the file and binding it leaves one that the next start binds.
    @Test func unboundFileIsBound() async throws {
        let unbound = try Connection(path: folder.ledger)
        try Migration.run(Migration.all, on: unbound)
        unbound.close()
        let ledger = try await open(folder.ledger)
        #expect(await ledger.binding == binding)
        #expect(await ledger.id.count == 32)
    }

    private func copied(_ path: String, walLength: Int? = nil) throws -> TemporaryFolder {
        let copy = TemporaryFolder()
        write(try #require(contents(of: path)), to: copy.ledger)
        let wal = try #require(contents(of: path + "-wal"))
        write(Array(wal.prefix(walLength ?? wal.count)), to: copy.ledger + "-wal")
        return copy
    }
}
