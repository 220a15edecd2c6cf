import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// Others at work at the same time: people in the portal, other profiles, slow answers.
@Suite struct ConcurrencyTests {
    private static let foreignEdit = PortalEdit.addRule(
        101, segment: World.segment, index: nil,
        rule: .object([.init("name", .string("by hand")), .init("match", .object([]))]))

    /// A read takes so long that a write is preceded by another look at the version.
    private static let slow = Duration.seconds(1)

    private static let settings = World.Settings(resync: .seconds(1_000_000))

    /// An edit in the portal between our read and our write survives, and ours is written on top of it.
    @Test func editBetweenReadAndWrite() async throws {
        let world = try World()
        try await world.run(Self.settings) {
            try await world.establish()
            // The read takes long, so that the version is looked at once more; then the edit has been made.
            let hasRead = Locked(false)
            world.onEffect { [orchestrator = world.orchestrator, clock = world.clock] request in
                guard request.isWholeRead, !hasRead.withLock({ $0 }) else { return }
                hasRead.withLock { $0 = true }
                clock.advance(by: Self.slow)
                orchestrator.edit(Self.foreignEdit, beforeNext: World.modules)
            }
            world.apiServer.apply("new", spec: world.spec())
            try await world.untilReady(["new"])
            #expect(world.names().contains("by hand"))
            #expect(world.names().contains("default.new"))
            #expect(world.vcoWrites == 1)
            #expect(world.metrics.snapshot.foreignVersionChanges == 1)
        }
    }

    /// A module that changes under us at every turn is never overwritten: we step back, count it, and try again later.
    @Test func neverAFight() async throws {
        let world = try World()
        try await world.run(Self.settings) {
            try await world.establish()
            world.onEffect { [orchestrator = world.orchestrator, clock = world.clock] request in
                guard request.isWholeRead else { return }
                clock.advance(by: Self.slow)
                try? orchestrator.edit(.touch(101), now: clock.time.wallMilliseconds())
            }
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new waits") {
                world.condition(.ready, of: "new")?.message.contains("somebody else") == true
            }
            #expect(world.vcoWrites == 0)
            #expect(world.metrics.snapshot.foreignVersionChanges >= 3)
            #expect(world.isReady("web"))
            world.onEffect(nil)
            world.clock.advance(by: .seconds(60))
            try await world.untilReady(["new"])
            #expect(world.vcoWrites == 1)
        }
    }

    /// A profile whose calls take long holds up no other, and its resources are told after five seconds.
    @Test func slowProfile() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.onRequest { $0.readsModule(of: 101) ? .latency(.seconds(50)) : nil }
            world.apiServer.apply("slow", spec: world.spec())
            try await world.until("the slow read is under way") {
                world.transport.requests.contains { $0.url.hasSuffix(World.modules) }
            }
            world.apiServer.apply("fast", spec: world.spec(profile: World.otherProfile))
            try await world.untilReady(["fast"])
            world.clock.advance(by: .seconds(6))
            try await world.until("slow is told") { world.reason("slow") == "Pending" }
            #expect(world.isReady("web"))
            world.onRequest(nil)
            world.clock.advance(by: .seconds(50))
            try await world.untilReady(["slow"])
            try await world.settle()
            // Finalizer, Pending, Ready: nothing was refused for having changed meanwhile.
            let writes = world.apiServer.counts.filter { $0.key.hasPrefix("patch velocloudbps") }
            #expect(writes.values.reduce(0, +) == 5, "\(writes)")
        }
    }

    /// A resource changed while its write is under way: both states were written, the last one stays.
    @Test func changedWhileWriting() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.onRequest {
                [apiServer = world.apiServer, spec = world.spec(name: "web", port: 7777)] request in
                if request.isUpdate, request.text.contains("9090") { apiServer.apply("web", spec: spec) }
                return nil
            }
            world.apiServer.apply("web", spec: world.spec(name: "web", port: 9090))
            try await world.until("the last state is there") {
                world.rule("web")?["match"]?["dport_low"]?.int == 7777 && world.isReady("web")
            }
            #expect(world.vcoWrites == 2)
        }
    }

    /// A resource deleted while its rule is being made: the rule goes again, and the resource too.
    @Test func deletedWhileWriting() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.onRequest { [apiServer = world.apiServer] request in
                if request.isUpdate, request.text.contains("default.web") { apiServer.delete("web") }
                return nil
            }
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is gone") { world.vcoWrites > 0 && world.apiServer.object("web") == nil }
            #expect(world.names() == foreign)
        }
    }

    /// A rule is taken out by one key while another key's status, which still names it, is on its way: the status is
    /// put right afterwards.
    @Test func statusUnderWay() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            try await world.establish()
            world.onRequest { request in
                if request.isStatusPatch { return .latency(.seconds(60)) }
                return request.isUpdate ? .latency(.seconds(20)) : nil
            }
            try world.edit(.renameProfile(101, to: "New Name"))
            try await world.passResync()
            try await world.until("the status is on its way") {
                world.transport.requests.contains { $0.method == "PATCH" && $0.url.contains("/status") }
            }
            try await world.settle()
            #expect(world.names() != foreign)
            world.clock.advance(by: .seconds(20))
            try await world.until("the rule is out") { world.names() == foreign }
            try await world.settle()
            world.onRequest(nil)
            world.clock.advance(by: .seconds(60))
            try await world.until("the status names no rule") {
                world.reason("web") == "ProfileNotFound" && world.status("web").rule == nil
            }
        }
    }

    /// Two writes to one profile start half a second apart, however often its resources change.
    @Test func writesAreSpaced() async throws {
        let world = try World()
        let starts = Locked<[Instant]>([])
        try await world.run {
            try await world.establish()
            world.onRequest { [clock = world.clock] request in
                if request.isUpdate { starts.withLock { $0.append(clock.now) } }
                return nil
            }
            for port in 1...4 {
                world.apiServer.apply("web", spec: world.spec(name: "web", port: port))
                try await world.until("port \(port) is there") {
                    world.rule("web")?["match"]?["dport_low"]?.int == port
                }
            }
            let times = starts.withLock { $0 }
            #expect(times.count == 4)
            for (first, second) in zip(times, times.dropFirst()) {
                #expect(second.since(first) >= .milliseconds(500))
            }
        }
    }
}
