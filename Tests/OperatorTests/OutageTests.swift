import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// A VCO that cannot be reached, or that wants to be left alone.
@Suite struct OutageTests {
    private static let outages: [(words: String, fault: SimulatedTransport.Fault)] = [
        ("refused", .connect),
        ("timeout", .timeoutBefore),
        ("certificate", .security),
        ("500", .reply(.text(500, #"{"error":{"code":-32603,"message":"an error occurred"}}"#))),
        ("503", .reply(SimulatedReply(status: 503, headers: [], body: Array("<html>maintenance</html>".utf8)))),
    ]

    /// Whatever keeps the VCO away, new resources say so, ready ones stay ready, and all is made good when it is back.
    @Test(arguments: outages.indices)
    func outageIsToldAndOvercome(_ index: Int) async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.breakOrchestrator(Self.outages[index].fault)
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new waits") { world.reason("new") == "Unreachable" }
            try await world.settle()
            #expect(world.isReady("web"))
            #expect(world.condition(.stalled, of: "new") == nil)
            #expect(world.condition(.accepted, of: "new")?.isTrue == true)
            #expect(world.messages("OrchestratorUnreachable").count == 1)
            world.breakOrchestrator(nil)
            world.clock.advance(by: .seconds(20))
            try await world.untilReady(["new"])
            #expect(world.vcoWrites == 1)
        }
    }

    /// In an outage of a minute only probes go out, whatever happens in the cluster meanwhile; then everything comes.
    @Test func onlyProbesGoOut() async throws {
        let world = try World(clock: WorldClock(rate: 20))
        let profiles = (0..<6).map { "profile-\($0)" }
        for profile in profiles { try world.edit(.createProfile(name: profile)) }
        var settings = World.Settings()
        settings.resync = .seconds(10)
        try await world.run(settings) {
            for profile in profiles { world.apiServer.apply("old-\(profile)", spec: world.spec(profile: profile)) }
            try await world.untilReady(profiles.map { "old-\($0)" })
            world.breakOrchestrator(.connect)
            world.transport.clearRequests()
            let start = world.clock.now
            var port = 1000
            for profile in profiles { world.apiServer.apply("new-\(profile)", spec: world.spec(profile: profile)) }
            try await world.until("a minute has passed") {
                if world.clock.now.since(start) > .seconds(port - 999) {
                    port += 1
                    for profile in profiles {
                        world.apiServer.apply("new-\(profile)", spec: world.spec(profile: profile, port: port))
                    }
                }
                return world.clock.now.since(start) > .seconds(60)
            }
            let probes = world.transport.requests.filter { $0.url.hasPrefix("https://vco.") }.count
            // Four at once as it begins; then 1, 2, 4, 8, 15, 15, 15 s apart, each up to a fifth shorter.
            // On a busy machine the clock runs ahead of the calls, and there are fewer.
            #expect((1...13).contains(probes), "\(probes) calls")
            #expect(profiles.allSatisfy { world.isReady("old-\($0)") })
            world.breakOrchestrator(nil)
            try await world.untilReady(profiles.map { "new-\($0)" })
        }
    }

    /// One 429 silences all profiles for five seconds; then everything goes on, and the pause is counted.
    @Test func rateLimit() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.orchestrator.inject(.tooManyRequests(), method: World.modules)
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new waits") { world.reason("new") == "RateLimited" }
            world.clearCounts()
            world.apiServer.apply("far", spec: world.spec(profile: World.otherProfile))
            try await world.until("far waits") { world.reason("far") == "RateLimited" }
            world.clock.advance(by: .seconds(2))
            try await world.settle()
            #expect(world.callsTotal == 0, "\(world.calls)")
            #expect(world.isReady("web"))
            #expect(world.metrics.snapshot.rateLimitPauses == 1)
            world.clock.advance(by: .seconds(5))
            try await world.untilReady(["new", "far"])
        }
    }

    /// A quota that is kept for good is kept: all profiles come through with few refusals.
    @Test func quota() async throws {
        let world = try World(clock: WorldClock(rate: 10))
        world.orchestrator.modes.rateLimit = .init(calls: 10)
        let profiles = (0..<6).map { "profile-\($0)" }
        for profile in profiles { try world.edit(.createProfile(name: profile)) }
        try await world.run {
            for profile in profiles { world.apiServer.apply(profile, spec: world.spec(profile: profile)) }
            try await world.untilReady(profiles)
            #expect(world.metrics.snapshot.rateLimitPauses <= 6)
            #expect(world.vcoWrites <= 12)
        }
    }

    /// An outage at the start: nothing is lost, and a resource that is being deleted waits for its rule to go.
    @Test func outageAtStart() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run { try await world.establish() }
        world.breakOrchestrator(.connect)
        world.apiServer.delete("web")
        try await world.run {
            try await world.until("it says why it waits") { world.reason("web") == "Unreachable" }
            #expect(world.names().contains("web"))
            world.breakOrchestrator(nil)
            world.clock.advance(by: .seconds(20))
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(world.names() == foreign)
        }
    }

    /// The API server refuses statuses for a while: the rule stands, and the status comes once it takes them.
    @Test func statusesAreRefused() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.inject(APIFault(.serverError, call: "patch velocloudbps/status", calls: 3))
            world.apiServer.apply("web", spec: world.spec(name: "web"))
            try await world.until("the rule is there") { world.names().contains("web") }
            for _ in 0..<3 {
                try await world.settle()
                world.clock.advance(by: .seconds(10))
            }
            try await world.untilReady(["web"])
            #expect(world.vcoWrites == 1)
        }
    }
}
