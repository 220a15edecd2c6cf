import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// Answers that are none, and replies that are lost.
@Suite struct FaultTests {
    private static let oddReplies: [(words: String, body: String)] = [
        ("null", "null"),
        ("error object", #"{"error":{"code":-32603,"message":"the database is odd"}}"#),
        ("error text", #"{"error":"the database is odd","rows":0}"#),
        ("rows 0", #"{"rows":0}"#),
        ("broken JSON", #"[{"id":"#),
        ("empty", ""),
        ("a list of nothing", "[]"),
        ("a list of null", "[null]"),
    ]

    /// Whatever one profile's reads bring, its resources say so, the other profile goes on, and nothing is lost.
    @Test(arguments: oddReplies.indices)
    func oddRead(_ index: Int) async throws {
        try await oneProfileFails(.text(200, Self.oddReplies[index].body)) { $0.readsModule(of: 101) }
    }

    /// The same for what the updates of one profile bring.
    @Test(arguments: oddReplies.indices)
    func oddUpdate(_ index: Int) async throws {
        let module = try #require(try World().orchestrator.profile(101)?.moduleID)
        try await oneProfileFails(.text(200, Self.oddReplies[index].body)) {
            $0.isUpdate && $0.text.hasPrefix("{\"id\":\(module),")
        }
    }

    /// Updates of one profile that are always lost are tried ever more seldom, though each read before them succeeds.
    @Test func lostUpdatesCalmDown() async throws {
        let world = try World(clock: WorldClock(rate: 100))
        let updates = Locked<[Instant]>([])
        try await world.run {
            try await world.establish()
            world.onRequest { [clock = world.clock] request in
                guard request.isUpdate else { return nil }
                updates.withLock { $0.append(clock.now) }
                return .reply(SimulatedReply(status: 503, headers: [], body: Array("<html>busy</html>".utf8)))
            }
            world.apiServer.apply("new", spec: world.spec())
            let start = world.clock.now
            try await world.until("ten minutes have passed") { world.clock.now.since(start) > .seconds(600) }
            let times = updates.withLock { $0 }.map { $0.since(start) }
            #expect((3...30).contains(times.count), "updates after \(times)")
            #expect(world.reason("new") == "Unreachable")
            #expect(world.isReady("web"))
        }
    }

    private func oneProfileFails(
        _ reply: SimulatedReply, _ isHit: @escaping @Sendable (HTTPRequest) -> Bool
    ) async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.onRequest { isHit($0) ? .reply(reply) : nil }
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new says something") { world.reason("new") != nil }
            let reason = try #require(world.reason("new"))
            #expect(["Pending", "Unreachable", "SegmentNotFound"].contains(reason))
            #expect(world.condition(.ready, of: "new")?.message.isEmpty == false)
            world.apiServer.apply("far", spec: world.spec(profile: World.otherProfile))
            try await world.until("far is ready") {
                world.clock.advance(by: .milliseconds(50))
                return world.isReady("far")
            }
            // A profile that has no module any more has no rules either; anything else says nothing about them.
            #expect(world.isReady("web") == (reason != "SegmentNotFound"))
            world.onRequest(nil)
            try await world.passResync()
            try await world.untilReady(["new", "web"])
            #expect(world.names().filter { $0 == "default.new" }.count == 1)
            #expect(world.names().filter { $0 == "web" }.count == 1)
        }
    }

    /// The list of profiles fails in some way: nobody's profile is taken for missing.
    @Test(arguments: oddReplies.indices)
    func oddList(_ index: Int) async throws {
        let world = try World()
        try await world.run { try await world.establish() }
        let names = world.names()
        let reply = SimulatedReply.text(200, Self.oddReplies[index].body)
        world.onRequest { $0.url.contains("getEnterpriseConfigurations") ? .reply(reply) : nil }
        try await world.run {
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new says something") { world.reason("new") != nil }
            for _ in 0..<3 {
                try await world.passResync()
                try await world.settle()
            }
            #expect(world.isReady("web"))
            #expect(world.names() == names)
            world.onRequest(nil)
            try await world.passResync()
            try await world.untilReady(["new"])
        }
    }

    /// A write whose reply is lost is not made again; one that never arrived is made once.
    @Test(arguments: [OrchestratorFault.dropAfter, .dropBefore])
    func lostReplyOfAWrite(_ fault: OrchestratorFault) async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.orchestrator.inject(fault, method: World.update)
            world.apiServer.apply("web", spec: world.spec(name: "web", port: 9090))
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("the reply was lost") { world.reason("new") == "Unreachable" }
            world.clock.advance(by: .seconds(5))
            try await world.untilReady(["web", "new"])
            try await world.settle()
            #expect(world.orchestrator.log.effects[World.update] == 1)
            #expect(world.vcoWrites == (fault == .dropAfter ? 1 : 2))
            #expect(world.rule("web")?["match"]?["dport_low"]?.int == 9090)
            #expect(world.metrics.snapshot.driftCorrections == 0)
        }
    }

    /// A removal whose reply is lost: the resource goes all the same, and no foreign rule is touched.
    @Test(arguments: [OrchestratorFault.dropAfter, .dropBefore])
    func lostReplyOfADeletion(_ fault: OrchestratorFault) async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            try await world.establish()
            world.orchestrator.inject(fault, method: World.update)
            world.apiServer.delete("web")
            try await world.until("the reply was lost") { world.vcoWrites == 1 }
            try await world.settle()
            #expect(world.apiServer.object("web") != nil)
            world.clock.advance(by: .seconds(5))
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(world.names() == foreign)
            #expect(world.vcoWrites == (fault == .dropAfter ? 1 : 2))
        }
    }

    /// A read-back from a replica that lags behind costs one more read, and no second write.
    @Test func staleReadBack() async throws {
        let world = try World()
        try await world.run {
            try await world.establish(["web", "old"].map { ($0, world.spec(name: $0)) })
            world.orchestrator.inject(.staleRead, method: World.modules, skipping: 1)
            world.apiServer.apply("web", spec: world.spec(name: "web", port: 9090))
            world.apiServer.apply("new", spec: world.spec())
            world.apiServer.delete("old")
            try await world.untilReady(["web", "new"])
            try await world.until("old is gone") { world.apiServer.object("old") == nil }
            try await world.settle()
            #expect(world.vcoWrites == 1)
            #expect(world.metrics.snapshot.driftCorrections == 0)
            #expect(world.messages("DriftCorrected").isEmpty)
        }
    }
}
