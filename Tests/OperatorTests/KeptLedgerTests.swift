import BusinessPolicy
import Glibc
import HTTPTransport
import Operator
import Simulation
import Testing

@testable import Ledger

/// Ledgers of every schema that was released, in Tests/Fixtures/ledger: `N.db` as velokube left it, and `N.json` with
/// the resources and the documents on the VCO that go with it.
///
/// A file is made once, by the last velokube that writes its schema, and never again:
/// `VELOKUBE_KEEP_LEDGER=1 swift test --filter keepTheLedger`.
@Suite struct KeptLedgerTests {
    private static let schema = Migration.all.count
    private static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
        + "/Fixtures/ledger"
    private static let profiles = [101, 102]

    /// velokube starts on the ledger of an earlier one: what it owns stays as it is, without one write to the VCO,
    /// though one write was under way when the earlier one died; and it all goes with its resources.
    @Test(arguments: 1...Migration.all.count) func earlierLedgerIsGoneOnWith(_ schema: Int) async throws {
        let world = try World()
        let delivered = world.names() + world.names(102)
        let kept = try JSON.parse(Self.content("\(schema).json"))
        try world.restore(kept)
        world.restoreLedger(["": try Self.content("\(schema).db")])
        world.clearCounts()
        let documents = Self.profiles.map { world.orchestrator.profile(.id($0))?.data }
        var settings = World.Settings()
        settings.policy.allowed = [.adopt]
        try await world.run(settings) {
            for resource in kept["resources"]?.array ?? [] {
                let name = try #require(resource["metadata"]?["name"]?.string)
                if name == "paused" {
                    try await world.becomes("Paused", name)
                } else {
                    try await world.becomesReady(name)
                }
            }
            try await world.settle()
            #expect(world.vcoWrites == 0)
            #expect(Self.profiles.map { world.orchestrator.profile(.id($0))?.data } == documents)
            for object in world.apiServer.objects() {
                world.apiServer.delete(try #require(object["metadata"]?["name"]?.string))
            }
            try await world.until("all are gone") { world.apiServer.objects().isEmpty }
        }
        // The rules that were there before are back as they were, the others are gone.
        #expect(Set(world.names() + world.names(102)) == Set(delivered + ["found", "seized"]))
        #expect(world.rule("seized")?["match"]?["dport_low"] == 1234)
    }

    /// Makes the file of this schema.
    @Test(.enabled(if: getenv("VELOKUBE_KEEP_LEDGER") != nil)) func keepTheLedger() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("found"))
        try world.addByHand(try world.honouringRule("seized", port: 1234), at: 2)
        var settings = World.Settings()
        settings.policy.allowed = [.adopt]
        try await world.run(settings) {
            for name in ["web", "api", "gone", "paused", "found"] {
                world.apiServer.apply(name, spec: world.spec(name: name))
            }
            world.apiServer.apply(
                "seized", spec: world.spec(name: "seized"), annotations: [VelocloudBP.Annotation.adopt: "true"])
            world.apiServer.apply("moved", spec: world.spec(name: "moved"))
            world.apiServer.apply(
                "voice", spec: world.spec(name: "voice", ["segment": .string(World.voice), "order": 7]))
            try await world.becomesReady("web", "api", "gone", "paused", "found", "seized", "moved", "voice")
            world.pause("paused")
            try await world.becomes("Paused", "paused")
            world.apiServer.apply("api", spec: world.spec(name: "api", port: 9090, ["priority": "high"]))
            world.apiServer.apply("moved", spec: world.spec(profile: World.branch, name: "moved"))
            world.apiServer.delete("gone")
            try await world.goes("gone")
            try await world.becomesReady("api", "moved")
            try world.edit(.deleteRule(101, segment: World.segment, rule: "web"))
            try await world.requestReconcile("web", "heal")
            try await world.becomesReady("web")
            // The reply to the last write is lost, and nothing is heard any more.
            let isCutOff = Locked(false)
            world.onRequest { request in
                guard request.isToOrchestrator else { return nil }
                if isCutOff.withLock({ $0 }) { return .connect }
                guard request.isUpdate else { return nil }
                isCutOff.withLock { $0 = true }
                return .brokenAfter
            }
            world.apiServer.apply("new", spec: world.spec(name: "new"))
            try await world.until("the rule is there") { world.rule("new") != nil }
            try await world.until("nobody knows") { isCutOff.withLock { $0 } }
        }
        let ledger = try #require(World.ledgerFiles(world.statePath)[""])
        try Self.write(ledger, "\(Self.schema).db")
        let documents = Self.profiles.map { id in
            JSON.Member("\(id)", (try? JSON.parse(world.orchestrator.profile(.id(id))?.data ?? [])) ?? .null)
        }
        let kept = JSON.object([
            JSON.Member("resources", .array(world.apiServer.objects())), JSON.Member("documents", .object(documents)),
        ])
        try Self.write(kept.serialized() + [UInt8(ascii: "\n")], "\(Self.schema).json")
    }

    /// The program refuses the ledger of a later velokube with 2 and in words, and leaves it as it is.
    @Test func laterLedgerIsRefused() async throws {
        let world = try World()
        var later = try Self.content("\(Self.schema).db")
        // SQLite's user_version.
        later.replaceSubrange(60..<64, with: [0, 0, 0, 99])
        world.restoreLedger(["": later])
        let kube = try ChildProgram("velokube-sim", ["kube"])
        let kubeURL = try #require(try await kube.says("listening on").split(separator: " ").last.map(String.init))
        let velokube = try ChildProgram(
            "velokube",
            [
                "run", "--kube-url", kubeURL, "--vco-url", "http://127.0.0.1:1", "--listen", "127.0.0.1:0",
                "--state", world.statePath,
            ], variables: ["VCO_TOKEN": "t"])
        let words = try await velokube.says("of a later velokube")
        #expect(words.contains(world.statePath) && words.contains("its schema is 99"))
        #expect(words.contains("up to \(Self.schema)") && words.contains("--state"))
        #expect(try await velokube.ends() == 2)
        #expect(World.ledgerFiles(world.statePath)[""] == later)
    }

    private static func content(_ name: String) throws -> [UInt8] {
        let files = World.ledgerFiles("\(folder)/\(name)")
        return try #require(
            files[""], "Tests/Fixtures/ledger lacks \(name): VELOKUBE_KEEP_LEDGER=1 swift test --filter keepTheLedger")
    }

    private static func write(_ content: [UInt8], _ name: String) throws {
        let file = try #require(fopen("\(folder)/\(name)", "w"))
        #expect(fwrite(content, 1, content.count, file) == content.count)
        fclose(file)
    }
}

extension World {
    /// Resources and documents as they were. Uids are given in turn, so that others are made between; and a generation
    /// is a number of specs.
    fileprivate func restore(_ kept: JSON) throws {
        let resources = (kept["resources"]?.array ?? []).sorted { ($0.uid ?? "") < ($1.uid ?? "") }
        for resource in resources {
            let name = try #require(resource["metadata"]?["name"]?.string)
            let generation = resource["metadata"]?["generation"]?.int ?? 1
            var specs = (0..<generation).map { spec(name: name, port: 1 + $0) }
            specs[generation - 1] = try #require(resource["spec"])
            var given = apiServer.apply(name, spec: specs[0]).uid
            for _ in 0..<20 where given != resource.uid {
                apiServer.delete(name)
                given = apiServer.apply(name, spec: specs[0]).uid
            }
            try #require(given == resource.uid, "\(name) cannot be given its uid")
            for spec in specs.dropFirst() { apiServer.apply(name, spec: spec) }
            let metadata = JSON.object(
                ["annotations", "finalizers"].compactMap { member in
                    resource["metadata"]?[member].map { JSON.Member(member, $0) }
                })
            apiServer.merge(.object([JSON.Member("metadata", metadata)]), name)
            if let status = resource["status"] {
                apiServer.merge(.object([JSON.Member("status", status)]), name, isStatus: true)
            }
        }
        for document in kept["documents"]?.members ?? [] {
            let id = try #require(Int(document.name))
            try edit(.replaceData(.id(id), document.value.serialized()))
        }
    }
}

extension JSON {
    fileprivate var uid: String? { self["metadata"]?["uid"]?.string }
}
