import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// The list as the beginning of the watch (WatchList), and servers that do not know it.
@Suite struct StreamedListTests {
    /// Requests for a list over a watch.
    private func streams(_ world: World) -> Int {
        world.transport.requests.count {
            $0.url.contains("velocloudbps?") && $0.url.contains("sendInitialEvents=true")
        }
    }

    private func lists(_ world: World) -> Int { world.apiServer.counts["list velocloudbps"] ?? 0 }

    /// One request brings the list and then the changes; what was there before the start is made true like the rest.
    @Test func oneRequestIsListAndWatch() async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = true
        world.apiServer.apply("before", spec: world.spec(name: "before"))
        try await world.run {
            try await world.becomesReady("before")
            world.apiServer.apply("after", spec: world.spec(name: "after"))
            try await world.becomesReady("after")
            world.apiServer.delete("before")
            try await world.goes("before")
            #expect(lists(world) == 0 && world.apiServer.counts["watch velocloudbps"] == 1 && streams(world) == 1)
        }
        #expect(world.names().contains("after") && !world.names().contains("before"))
    }

    /// When the version is no longer kept the list comes over a watch again, and what vanished meanwhile is noticed.
    @Test func relistComesOverAWatch() async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = true
        try await world.run {
            try await world.establish("web", ["order": .int(1)])
            world.apiServer.modes.stallsWatches = true
            world.apiServer.vanish("web")
            world.apiServer.compact()
            world.apiServer.modes.stallsWatches = false
            world.apiServer.cutWatches()
            try await world.until("the rule is gone") { !world.names().contains("web") }
            #expect(lists(world) == 0 && streams(world) == 1)
        }
    }

    /// A server that refuses such a watch is asked once; further lists come in pages at once.
    @Test func oldServerIsAskedOnce() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            #expect(streams(world) == 0, "the counts began after the start")
            world.apiServer.compact()
            world.apiServer.pass(versions: 10)
            world.apiServer.compact()
            world.apiServer.cutWatches()
            try await world.until("listed again") { lists(world) == 1 }
            world.apiServer.apply("api", spec: world.spec(name: "api"))
            try await world.becomesReady("api")
            #expect(streams(world) == 0)
        }
    }

    /// A stream that breaks amid the list is no half list: nothing is decided on it, and the list comes in pages.
    @Test func brokenStreamIsNoHalfList() async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = true
        try await world.run { try await world.establish("web", ["order": .int(1)]) }
        world.apiServer.modes.stallsWatches = true
        world.clearCounts()
        try await world.run {
            try await world.until("the watches are open") { world.apiServer.openWatches == 2 }
            #expect(world.controller.withLock { $0?.cache.isSynced } == false)
            world.apiServer.modes.stallsWatches = false
            world.apiServer.breakWatches()
            try await world.until("looked at") { world.calls["getConfigurationModules"] ?? 0 >= 1 }
            try await world.settle()
            #expect(lists(world) == 1 && world.vcoWrites == 0 && world.isReady("web"))
        }
    }
}
