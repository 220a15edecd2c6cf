import BusinessPolicy
import ControlLoop
import Operator
import Simulation
import Testing

/// What the work costs, as counts of calls.
@Suite struct CostTests {
    private static let names = (0..<1000).map { "app-\($0)" }

    /// A thousand resources made in a stream cost at most one write each half second, three calls a write, and two
    /// Kubernetes writes each.
    @Test func thousandInAStream() async throws {
        let world = try World()
        try await world.run {
            let start = world.clock.now
            for batch in stride(from: 0, to: 1000, by: 50) {
                for number in batch..<batch + 50 { world.apiServer.apply(Self.names[number], spec: world.spec()) }
                try await world.until("the batch is noticed") {
                    world.apiServer.object(Self.names[batch])?["metadata"]?["finalizers"] != nil
                }
            }
            try await world.untilReady(Self.names, within: .seconds(120))
            let took = world.clock.now.since(start)
            try await world.settle()
            expectPaced(world, took, lists: 1)
            #expect(world.apiServer.writes <= 2000, "\(world.apiServer.counts)")
        }
    }

    /// A thousand resources deleted in a stream cost no more, and nothing is left of them.
    @Test func thousandDeleted() async throws {
        let world = try World()
        let foreign = world.names()
        for name in Self.names { world.apiServer.apply(name, spec: world.spec()) }
        try await world.run {
            try await world.untilReady(Self.names, within: .seconds(120))
            try await world.settle()
            world.clearCounts()
            let start = world.clock.now
            for batch in stride(from: 0, to: 1000, by: 100) {
                for number in batch..<batch + 100 { world.apiServer.delete(Self.names[number]) }
                try await world.until("the batch is gone") { world.apiServer.object(Self.names[batch]) == nil }
            }
            try await world.until("all are gone", within: .seconds(120)) { world.apiServer.objects().isEmpty }
            let took = world.clock.now.since(start)
            try await world.settle()
            expectPaced(world, took, lists: 0)
            #expect(world.apiServer.writes <= 1000, "\(world.apiServer.counts)")
            #expect(world.names() == foreign)
        }
    }

    private func expectPaced(_ world: World, _ took: Duration, lists: Int) {
        #expect(Duration.milliseconds(500) * (world.vcoWrites - 1) <= took, "\(world.vcoWrites) writes in \(took)")
        // On a busy machine a write may come later than 200 ms after its read, and then asks for the version once more.
        #expect(world.callsTotal - world.versionReads <= 3 * world.vcoWrites + lists, "\(world.calls)")
        #expect(world.versionReads <= world.vcoWrites)
    }

    /// One changed resource costs one read, one write and one read that verifies it, and one status.
    @Test func oneChange() async throws {
        let world = try World()
        try await world.run {
            try await world.establish((0..<10).map { ("app-\($0)", world.spec()) })
            world.apiServer.apply("app-3", spec: world.spec(port: 9090))
            try await world.untilReady(["app-3"])
            try await world.settle()
            #expect(world.vcoWrites == 1 && world.wholeReads == 2, "\(world.calls)")
            #expect(world.callsTotal - world.versionReads == 3, "\(world.calls)")
            #expect(world.apiServer.writes == 1, "\(world.apiServer.counts)")
            #expect(world.rule("default.app-3")?["match"]?["dport_low"]?.int == 9090)
        }
    }

    /// One deleted resource costs the same, and one finalizer.
    @Test func oneDeletion() async throws {
        let world = try World()
        try await world.run {
            try await world.establish((0..<10).map { ("app-\($0)", world.spec()) })
            world.apiServer.delete("app-3")
            try await world.until("it is gone") { world.apiServer.object("app-3") == nil }
            try await world.settle()
            #expect(world.vcoWrites == 1 && world.wholeReads == 2, "\(world.calls)")
            #expect(world.callsTotal - world.versionReads == 3, "\(world.calls)")
            #expect(world.apiServer.writes == 1, "\(world.apiServer.counts)")
        }
    }

    /// A start asks the API server for one list and one watch of each kind (an old one refuses the list over a watch
    /// first), and at rest, resyncs included, for nothing more.
    @Test(arguments: [false, true]) func readsOfTheAPIServer(servesWatchList: Bool) async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = servesWatchList
        func reads() -> [String: Int] {
            world.apiServer.counts.filter { $0.key.hasPrefix("list ") || $0.key.hasPrefix("watch ") }
        }
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.untilReady(["web"])
            try await world.settle()
            let lists = ["list velocloudbps": 1, "list velocloudlimits": 1]
            let watches = servesWatchList ? 1 : 2
            let expected = ["watch velocloudbps": watches, "watch velocloudlimits": watches]
            #expect(reads() == (servesWatchList ? expected : expected.merging(lists) { $1 }))
            world.clearCounts()
            try await world.passResync()
            try await world.until("the VCO is asked") { world.versionReads > 0 }
            try await world.settle()
            #expect(world.apiServer.counts == [:])
        }
    }

    /// What others write into a resource, and our own statuses coming back by the watch, cause no work.
    @Test func unrelatedEdits() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            let reconciles = world.reconciles
            world.apiServer.annotate("web", "example.com/team", "shop")
            let stranger = JSON.object([.init("example", .string("of another controller"))])
            world.apiServer.merge(.object([.init("status", stranger)]), "web", isStatus: true)
            try await world.settle()
            #expect(world.callsTotal == 0 && world.apiServer.writes == 0, "\(world.calls) \(world.apiServer.counts)")
            #expect(world.reconciles == reconciles)
        }
    }

    /// A resource that never had a rule is deleted without the VCO, though that is away.
    @Test func deletionWithoutARule() async throws {
        let world = try World()
        world.breakOrchestrator(.connect)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web waits") { world.reason("web") == "Unreachable" }
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
        }
    }
}
