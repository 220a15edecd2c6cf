import BusinessPolicy
import Glibc
import Testing

@testable import Ledger

@Suite struct OpeningTests {
    let folder = TemporaryFolder()

    /// The first start makes the folder and the file, which nobody else can read.
    @Test func firstStartMakesEverything() async throws {
        let path = folder.path + "/state/ledger.db"
        let ledger = try await open(path)
        #expect(await ledger.opening == .created)
        #expect(await ledger.binding == binding)
        #expect(mode(of: folder.path + "/state") == 0o700)
        try await ledger.commit(mixedBatch(1))
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(mode(of: path + suffix) == 0o600, "\(suffix)") }
    }

    /// A file that others could read is closed to them.
    @Test func looseFileIsMadePrivate() async throws {
        await (try open(folder.ledger)).close()
        chmod(folder.ledger, 0o644)
        let ledger = try await open(folder.ledger)
        #expect(mode(of: folder.ledger) == 0o600)
        await ledger.close()
    }

    /// Two ledgers have two ids.
    @Test func idsDiffer() async throws {
        let other = TemporaryFolder()
        let ids = [try await open(folder.ledger).id, try await open(other.ledger).id]
        #expect(ids[0] != ids[1])
    }

    /// One holder at a time: another is refused with words, and let in once the first has closed.
    @Test func secondHolderIsRefused() async throws {
        let first = try await open(folder.ledger)
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .locked(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains(folder.ledger))
        await first.close()
        let second = try await open(folder.ledger)
        #expect(await second.opening == .existing)
    }

    /// Two names of one file are one ledger.
    @Test func linkedFileHasOneLock() async throws {
        let first = try await open(folder.ledger)
        symlink(folder.ledger, folder.path + "/link")
        let refusal = await refusal { try await open(folder.path + "/link") }
        guard case .locked = refusal else { throw Unexpected(refusal) }
        await first.close()
    }

    /// A start for another cluster, orchestrator or scope is told both sides, and changes nothing.
    @Test(arguments: [
        (LedgerBinding(clusterID: "cluster-b", orchestrator: "vco.example/7", scope: "*"), ["cluster-a", "cluster-b"]),
        (
            LedgerBinding(clusterID: "cluster-a", orchestrator: "vco.example/8", scope: "*"),
            ["vco.example/7", "vco.example/8"]
        ),
        (
            LedgerBinding(clusterID: "cluster-a", orchestrator: "vco.example/7", scope: "shop"),
            ["all namespaces", "namespace shop"]
        ),
        (LedgerBinding(clusterID: nil, orchestrator: "other", scope: "*"), ["vco.example/7", "other"]),
    ])
    func otherBindingIsRefused(other: LedgerBinding, words: [String]) async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(mixedBatch(1))
        // As a crash would leave it, with all that was committed still in the WAL.
        let crashed = TemporaryFolder()
        let file = try #require(contents(of: folder.ledger))
        let wal = try #require(contents(of: folder.ledger + "-wal"))
        write(file, to: crashed.ledger)
        write(wal, to: crashed.ledger + "-wal")
        chmod(crashed.ledger, 0o640)

        let refusal = await refusal { try await open(crashed.ledger, binding: other) }
        guard case .boundElsewhere(let said) = refusal else { throw Unexpected(refusal) }
        for word in words + [crashed.ledger, "--state"] { #expect(said.contains(word)) }
        #expect(contents(of: crashed.ledger) == file)
        #expect(contents(of: crashed.ledger + "-wal") == wal)
        #expect(mode(of: crashed.ledger) == 0o640)
        #expect(try await Everything(open(crashed.ledger)) == Everything(ledger))
    }

    /// A cluster that is not known is not compared, and is filled in by the first start that knows it.
    @Test func unknownClusterIsFilledIn() async throws {
        var unknown = binding
        unknown.clusterID = nil
        await (try open(folder.ledger, binding: unknown)).close()
        let known = try await open(folder.ledger)
        #expect(await known.binding == binding)
        await known.close()
        let again = try await open(folder.ledger, binding: unknown)
        #expect(await again.binding == binding)
        await again.close()
        var other = binding
        other.clusterID = "cluster-b"
        let refusal = await refusal { try await open(folder.ledger, binding: other) }
        guard case .boundElsewhere = refusal else { throw Unexpected(refusal) }
    }

    /// A cluster that becomes known while running is recorded then; another one is refused.
    @Test func clusterIsFilledInLater() async throws {
        var unknown = binding
        unknown.clusterID = nil
        let ledger = try await open(folder.ledger, binding: unknown)
        try await ledger.bind(clusterID: "cluster-a")
        try await ledger.bind(clusterID: "cluster-a")
        await #expect(throws: LedgerError.self) { try await ledger.bind(clusterID: "cluster-b") }
        await ledger.close()
        #expect(try await open(folder.ledger, binding: unknown).binding == binding)
    }

    /// A ledger of a later version is refused in words, and stays as it is.
    @Test func laterSchemaIsRefused() async throws {
        await (try open(folder.ledger)).close()
        let later = try Connection(path: folder.ledger)
        try later.run("PRAGMA user_version = 99")
        later.checkpointsOnClose()
        later.close()
        let file = contents(of: folder.ledger)
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .newerSchema(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains("99") && words.contains(folder.ledger))
        #expect(contents(of: folder.ledger) == file)
    }

    /// Another program's SQLite file is refused, and stays as it is.
    @Test func foreignFileIsRefused() async throws {
        let foreign = try Connection(path: folder.ledger)
        try foreign.run("CREATE TABLE theirs (x)")
        foreign.close()
        let file = contents(of: folder.ledger)
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .unusable(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains("another program"))
        #expect(contents(of: folder.ledger) == file)
    }

    /// A place that cannot hold a ledger is refused with words that name it.
    @Test(arguments: ["", "/tmp/", "/tmp", "/dev/full", "/proc/velokube/a.db", "/dev/null/ledger.db", "/no/x/y.db"])
    func impossiblePlaceIsRefused(path: String) async throws {
        let refusal = await refusal { try await open(path) }
        guard case .unusable(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains(path))
        #expect(words.contains("--state"))
    }

    /// A folder that may not be written is refused: for anybody but root, whom nothing stops.
    @Test(.enabled(if: geteuid() != 0)) func unwritableFolderIsRefused() async throws {
        chmod(folder.path, 0o500)
        defer { chmod(folder.path, 0o700) }
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .unusable(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains(folder.path))
    }

    /// A disk that is full from the start is refused with words that say so.
    @Test func noRoomAtAllIsRefused() async throws {
        let refusal = await refusal { try await open(folder.ledger, limits: LedgerLimits(fileBytesMax: 1)) }
        guard case .unusable(let words) = refusal else { throw Unexpected(refusal) }
        #expect(words.contains("full") && words.contains("free space"))
        #expect(try await open(folder.ledger).opening == .created)
    }

    /// A program that is in the middle of writing the file is named as the reason.
    @Test func busyFileIsRefused() async throws {
        let other = try Connection(path: folder.ledger)
        try other.run("PRAGMA locking_mode = EXCLUSIVE")
        try other.run("BEGIN EXCLUSIVE")
        let refusal = await refusal { try await open(folder.ledger) }
        guard case .locked = refusal else { throw Unexpected(refusal) }
        other.close()
    }

    /// SQLite gives some names a meaning of its own; here they are files like any other.
    @Test func specialNamesAreFiles() async throws {
        let path = folder.path + "/:memory:"
        let ledger = try await open(path)
        try await ledger.commit(mixedBatch(1))
        await ledger.close()
        #expect(try await open(path).watchVersion == "1")
    }
}

/// Another outcome than the test is about.
struct Unexpected: Error {
    var outcome: LedgerError?
    init(_ outcome: LedgerError?) { self.outcome = outcome }
}

/// How an opening is refused; nil if it is not.
func refusal(_ open: () async throws -> Ledger) async -> LedgerError? {
    do {
        await (try open()).close()
        return nil
    } catch {
        return error as? LedgerError
    }
}
