import BusinessPolicy
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
        try await world.until("the limit is bare") {
            world.apiServer.object("preprod", kind: .velocloudLimit)?["status"] == nil
        }
    }

    /// Resources of every kind: on two profiles, paused, invalid since, outside a limit with their rule kept, and one
    /// that has taken over a rule of the portal. Returns the VCO's documents as they were before.
    private func settle(_ world: World) async throws -> [[UInt8]?] {
        try world.addByHand(try world.honouringRule("mine", port: 9))
        let before = documents(world)
        try await world.run(World.adopting) {
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
            try await world.until("the limit has a status") { try world.limitStatus().violating > 0 }
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

    /// The rules stay, byte for byte, without the VCO being asked; and a velokube that comes back and may adopt takes
    /// over what honours its resources without a write.
    @Test func rulesMayStay() async throws {
        let world = try World()
        _ = try await settle(world)
        let before = documents(world)
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run(leaving(rules: true)) { try await becomeBare(Self.names, in: world) }
        #expect(documents(world) == before)
        #expect(world.calls.isEmpty, "\(world.calls)")
        world.orchestrator.clearFaults()
        world.clearCounts()
        try await world.run(World.adopting) {
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
        try await world.run(leavesRules ? World.adopting : World.Settings()) {
            try await world.untilReady(["web"])
            #expect(world.names().contains("default.lost") == leavesRules)
        }
    }
}
