import BusinessPolicy
import Glibc
import HTTPTransport
import Operator
import Simulation
import Testing

/// velokube takes itself out: rules, finalizers and statuses go, and nothing of anybody else.
@Suite struct UninstallTests {
    private func leaving(rules: Bool = false) -> World.Settings {
        var settings = World.Settings()
        settings.policy.uninstall = Uninstall(leavesRules: rules, limit: .seconds(600))
        return settings
    }

    /// Whether nothing of velokube is on a resource, which itself is still there.
    private func isBare(_ name: String, in world: World) -> Bool {
        guard let object = world.apiServer.object(name) else { return false }
        let finalizers = object["metadata"]?["finalizers"]?.array ?? []
        return finalizers.isEmpty && object["status"] == nil
    }

    private func becomeBare(_ names: [String], in world: World) async throws {
        for name in names { try await world.until("\(name) is bare") { isBare(name, in: world) } }
    }

    /// Resources of every kind: on two profiles, paused, invalid since, outside a limit with their rule kept, and one
    /// that has taken over a rule of the portal. Returns the VCO's documents as they were before.
    private func settle(_ world: World) async throws -> [[UInt8]?] {
        try world.addByHand(try world.honouringRule("mine", port: 9))
        let before = documents(world)
        var settings = World.Settings()
        settings.policy.allowed = [.adopt]
        try await world.run(settings) {
            for name in ["web", "paused", "invalid"] { world.apiServer.apply(name, spec: world.spec()) }
            world.apiServer.apply("kept", spec: world.spec(fqdn: "kept.example.com"))
            world.apiServer.apply("branch", spec: world.spec(profile: World.branch))
            world.apiServer.apply(
                "taker", spec: world.spec(name: "mine"), annotations: [VelocloudBP.Annotation.adopt: "true"])
            try await world.untilReady(Self.names)
            world.pause("paused")
            world.apiServer.apply("invalid", spec: world.spec(port: 70_000))
            world.limit(["fqdn-patterns": ["app.vcn.cloud"], "on-violation": "Keep"])
            try await world.becomes("Paused", "paused")
            try await world.becomes("InvalidSpec", "invalid")
            try await world.becomes("OutOfLimits", "kept")
        }
        world.clearCounts()
        return before
    }

    private static let names = ["web", "paused", "invalid", "kept", "branch", "taker"]

    private func documents(_ world: World) -> [[UInt8]?] {
        [world.orchestrator.profile(101)?.data, world.orchestrator.profile(102)?.data]
    }

    /// Every rule goes by one write a profile, the adopted one is as it was, and every byte of others is; also when the
    /// ledger is lost but for the adopted rule, whose original only the ledger knows. A second time it does nothing.
    @Test(arguments: [false, true])
    func everythingGoes(isLedgerLost: Bool) async throws {
        let world = try World()
        let before = try await settle(world)
        if isLedgerLost { world.loseLedger() }
        try await world.run(leaving()) { try await becomeBare(Self.names, in: world) }
        #expect(world.vcoWrites == 2)
        if !isLedgerLost { #expect(documents(world) == before) }
        #expect(!world.names().contains { $0?.hasPrefix("default.") == true } && world.names().contains("mine"))
        world.clearCounts()
        try await world.run(leaving()) {
            try await world.until("they are listed") { world.apiServer.counts["list velocloudbps"] ?? 0 >= 1 }
            try await world.settle()
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0)
        }
    }

    /// The rules stay, byte for byte, without the VCO being asked; and a velokube that comes back takes over what
    /// honours its resources without a write.
    @Test func rulesMayStay() async throws {
        let world = try World()
        _ = try await settle(world)
        let before = documents(world)
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run(leaving(rules: true)) { try await becomeBare(Self.names, in: world) }
        #expect(documents(world) == before)
        world.orchestrator.clearFaults()
        world.clearCounts()
        try await world.run {
            try await world.untilReady(["web", "branch", "taker"])
            #expect(world.vcoWrites == 0)
        }
    }

    /// An outage in the middle loses nothing: who waits says so, keeps the finalizer, and goes when it is over.
    @Test func outageInTheMiddle() async throws {
        let world = try World()
        let before = documents(world)
        try await world.run { try await world.establish() }
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run(leaving()) {
            try await world.becomes("Unreachable", "web")
            #expect(!isBare("web", in: world))
            world.orchestrator.clearFaults()
            world.clock.advance(by: .seconds(60))
            try await becomeBare(["web"], in: world)
        }
        #expect(documents(world) == before)
    }

    /// A profile that fails keeps its resources, and holds up no other.
    @Test func oneProfileFails() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            world.apiServer.apply("branch", spec: world.spec(profile: World.branch))
            try await world.untilReady(["web", "branch"])
        }
        world.blind(102)
        try await world.run(leaving()) {
            try await becomeBare(["web"], in: world)
            #expect(!isBare("branch", in: world))
            world.unblind()
            world.clock.advance(by: .seconds(300))
            try await becomeBare(["branch"], in: world)
        }
    }

    /// The rule of a resource that has vanished goes too, or stays when the rules are to stay.
    @Test(arguments: [false, true])
    func vanishedResource(leavesRules: Bool) async throws {
        let world = try World()
        try await world.run {
            for name in ["web", "lost"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.untilReady(["web", "lost"])
        }
        world.apiServer.vanish("lost")
        try await world.run(leaving(rules: leavesRules)) {
            try await becomeBare(["web"], in: world)
            try await world.settle()
            #expect(world.names().contains("default.lost") == leavesRules)
        }
        // Nothing is recorded of it any more: everyday life leaves it alone.
        try await world.run {
            try await world.untilReady(["web"])
            #expect(world.names().contains("default.lost") == leavesRules)
        }
    }

    /// The built program: refuses while it runs, takes all out, says what is next.
    @Test func programTakesItselfOut() async throws {
        let stage = try await Stage()
        try await stage.makeReady(["a", "b"])
        let refused = try stage.uninstall(["--state", stage.folder + "/other.db"])
        #expect(try await refused.ends() == 2)
        try await refused.says("scale deployment velokube --replicas=0")
        stage.velokube.signal(SIGTERM)
        #expect(try await stage.velokube.ends() == 0)
        try await stage.vcoFault(#"{"fault": "503", "calls": null}"#)
        let late = try stage.uninstall(["--timeout", "1s"])
        #expect(try await late.ends() == 1)
        try await late.says("the uninstallation is not complete")
        try await late.says("VelocloudBP \(stage.cluster.namespace)/a")
        try await stage.vcoFault(nil)
        let done = try stage.uninstall([])
        #expect(try await done.ends() == 0)
        try await done.says("kubectl delete -k manifests/operator")
        let resources = try stage.cluster.kubectl("get velo -n \(stage.cluster.namespace) -o json")
        let items = try JSON.parse(Array(resources.utf8))["items"]?.array ?? []
        #expect(items.count == 2)
        #expect(items.allSatisfy { $0["metadata"]?["finalizers"] == nil && $0["status"] == nil })
    }
}

/// The programs on a real API server.
private final class Stage {
    let cluster: RealCluster
    let vco: ChildProgram
    let velokube: ChildProgram
    let folder: String
    private let options: [String]
    private let url: String
    private let curl = CurlTransport(userAgent: "velokube-tests")

    init() async throws {
        let cluster = try RealCluster(namespace: "uninstall")
        let vco = try ChildProgram("velokube-sim", ["vco"])
        let url = try #require(try await vco.says("listening on").split(separator: " ").last.map(String.init))
        var template = Array("/tmp/velokube-uninstall.XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        options = [
            "--kubeconfig", cluster.kubeconfig, "--namespace", cluster.namespace,
            "--vco-url", url, "--state", folder + "/ledger.db",
        ]
        (self.cluster, self.vco, self.url) = (cluster, vco, url)
        velokube = try ChildProgram(
            "velokube", ["run", "--listen", "127.0.0.1:0"] + options, variables: Self.variables(cluster))
    }

    deinit {
        curl.shutDown()
        for name in ["ledger.db", "other.db"] {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink("\(folder)/\(name)\(suffix)") }
        }
        rmdir(folder)
    }

    private static func variables(_ cluster: RealCluster) -> [String: String] {
        [
            "VCO_TOKEN": "t", "VELOKUBE_LEADER_ELECT": "true",
            "VELOKUBE_LEADER_ELECT_NAMESPACE": cluster.namespace,
        ]
    }

    func makeReady(_ names: [String]) async throws {
        try await velokube.says("This process leads")
        try cluster.kubectl("create -f -", input: cluster.manifest(names))
        for name in names {
            try cluster.kubectl("wait -n \(cluster.namespace) --for=condition=Ready velo/\(name) --timeout=30s")
        }
    }

    /// Lets all calls of the VCO fail, or none.
    func vcoFault(_ fault: String?) async throws {
        let request = HTTPRequest(
            fault == nil ? .delete : .post, url: "\(url)/sim/faults", body: fault.map { Array($0.utf8) })
        #expect(try await curl.send(request).status == 200)
    }

    /// Later options win.
    func uninstall(_ more: [String]) throws -> ChildProgram {
        try ChildProgram("velokube", ["uninstall"] + options + more, variables: Self.variables(cluster))
    }
}
