import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// A document that the VCO refuses: who is at fault is found, and nobody else waits for it.
@Suite struct IsolationTests {
    private static let names = (0..<20).map { "app-\($0)" }

    /// Of twenty changed resources the culprits alone are held: the others are programmed, deletions done, and the
    /// culprits' old rules stay as they were.
    @Test(arguments: [["app-7"], ["app-0", "app-19"]], [false, true])
    func culpritsAlone(_ culprits: [String], _ isVague: Bool) async throws {
        let world = try World(clock: WorldClock(rate: 10))
        world.orchestrator.modes.rejectedPorts = [6666]
        world.orchestrator.modes.hasVagueErrors = isVague
        try await world.run {
            try await world.establish((Self.names + ["old"]).map { ($0, world.spec(name: $0)) })
            let before = culprits.map { world.rule($0) }
            for name in Self.names {
                world.apiServer.apply(name, spec: world.spec(name: name, port: culprits.contains(name) ? 6666 : 9090))
            }
            world.apiServer.delete("old")
            try await world.untilReady(Self.names.filter { !culprits.contains($0) })
            try await world.until("the culprits are told") {
                culprits.allSatisfy { world.reason($0) == "RejectedByOrchestrator" }
            }
            try await world.until("old is gone") { world.apiServer.object("old") == nil }
            #expect(!world.names().contains("old"))
            #expect(culprits.map { world.rule($0) } == before)
            #expect(culprits.allSatisfy { world.condition(.stalled, of: $0)?.isTrue == true })
            #expect(world.rule("app-5")?["match"]?["dport_low"]?.int == 9090)
            try await world.settle()
            world.clearCounts()
            try await world.passResync()
            try await world.until("looked at") { world.calls["getConfigurationModules"] ?? 0 >= 1 }
            try await world.settle()
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0, "held until edited")
            world.apiServer.apply(culprits[0], spec: world.spec(name: culprits[0], port: 7777))
            try await world.untilReady([culprits[0]])
        }
    }

    /// Of several who want the name of a refused rule each has its turn, and nobody else waits for them.
    @Test(arguments: [false, true]) func culpritHasRivals(_ isVague: Bool) async throws {
        let world = try World(clock: WorldClock(rate: 10))
        world.orchestrator.modes.rejectedPorts = [6666]
        world.orchestrator.modes.hasVagueErrors = isVague
        try await world.run {
            try await world.establish()
            for (name, port) in [("first", 6666), ("second", 6666), ("third", 7777)] {
                world.apiServer.apply(name, spec: world.spec(name: "shared", port: port))
            }
            world.apiServer.apply("good", spec: world.spec(name: "good"))
            try await world.untilReady(["good", "third"])
            try await world.until("the culprits are told") {
                ["first", "second"].allSatisfy { world.reason($0) == "RejectedByOrchestrator" }
            }
            #expect(world.rule("shared")?["match"]?["dport_low"]?.int == 7777)
            try await world.settle()
            #expect(["first", "second"].allSatisfy { world.reason($0) == "RejectedByOrchestrator" })
        }
    }

    /// A rule was to get another name, and no reply came to tell whether it has it: of a resource that is then refused
    /// the status names the rule that is there.
    @Test(arguments: [false, true]) func lostReplyBeforeTheRefusal(_ hasArrived: Bool) async throws {
        let world = try World(clock: WorldClock(rate: 10))
        world.orchestrator.modes.rejectedPorts = [6666]
        try await world.run {
            try await world.establish([("web", world.spec(name: "old"))])
            let isFirst = Locked(true)
            world.onRequest { request in
                guard request.isUpdate, isFirst.withLock({ $0 }) else { return nil }
                isFirst.withLock { $0 = false }
                if hasArrived { world.apiServer.apply("web", spec: world.spec(name: "new", port: 6666)) }
                return hasArrived ? .timeoutAfter : .timeoutBefore
            }
            world.apiServer.apply("web", spec: world.spec(name: "new", port: hasArrived ? 7777 : 6666))
            try await world.until("it is told") { world.reason("web") == "RejectedByOrchestrator" }
            try await world.settle()
            let name = hasArrived ? "new" : "old"
            #expect(world.status("web").rule?.name == name)
            #expect(world.names().contains(name))
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(!world.names().contains("old") && !world.names().contains("new"))
        }
    }

    /// A culprit is remembered over a restart, with the ledger and without it.
    @Test(arguments: [false, true])
    func culpritIsRemembered(_ isLedgerLost: Bool) async throws {
        let world = try World()
        world.orchestrator.modes.rejectedPorts = [6666]
        try await world.run {
            try await world.establish()
            world.apiServer.apply("web", spec: world.spec(name: "web", port: 6666))
            try await world.until("it is told") { world.reason("web") == "RejectedByOrchestrator" }
            try await world.settle()
        }
        if isLedgerLost { world.loseLedger() }
        world.clearCounts()
        try await world.run {
            try await world.until("looked at") { world.calls["getConfigurationModules"] ?? 0 >= 1 }
            try await world.settle()
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0, "\(world.apiServer.counts)")
            #expect(world.reason("web") == "RejectedByOrchestrator")
            world.apiServer.apply("good", spec: world.spec())
            try await world.untilReady(["good"])
            #expect(world.vcoWrites == 1)
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(!world.names().contains("web"))
        }
    }

    /// A VCO that refuses its own document blames nobody: the profile's resources wait, and come when it is mended.
    @Test func profileAtFault() async throws {
        let world = try World()
        let foreign = try #require(world.names().last ?? nil)
        try await world.run {
            try await world.establish()
            world.orchestrator.modes.rejectedNames = [foreign]
            world.apiServer.apply("new", spec: world.spec())
            world.apiServer.apply("far", spec: world.spec(profile: World.otherProfile))
            try await world.until("new waits") { world.reason("new") == "Pending" }
            #expect(world.condition(.ready, of: "new")?.message.contains("profile's own rules") == true)
            #expect(world.condition(.stalled, of: "new") == nil)
            #expect(world.isReady("web"))
            try await world.untilReady(["far"])
            world.orchestrator.modes.rejectedNames = []
            world.clock.advance(by: .seconds(60))
            try await world.untilReady(["new"])
        }
    }
}
