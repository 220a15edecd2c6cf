import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// A watch whose connection is dead: nothing comes, and nobody says that it is over.
@Suite struct SilentWatchTests {
    /// After the silence the watch is opened again from the last version, without a list, and what happened meanwhile
    /// is made true. Bookmarks are what keeps that version near.
    @Test(arguments: [true, false]) func watchGoesOnFromTheLastVersion(_ isStreamed: Bool) async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = isStreamed
        try await world.run {
            try await world.establish()
            world.apiServer.pass(versions: 5)
            world.apiServer.sendBookmarks()
            let version = world.apiServer.resourceVersion
            let cache = try #require(world.controller.withLock { $0 }?.cache)
            try await world.until("the bookmark is read") { cache.resourceVersion == "\(version)" }
            world.apiServer.modes.stallsWatches = true
            world.apiServer.apply("api", spec: world.spec(name: "api"))
            try await world.settle()
            #expect(world.reason("api") == nil && !world.isReady("api"), "nobody told")
            world.clearCounts()
            world.apiServer.modes.stallsWatches = false
            world.apiServer.breakWatches(.timeout("nothing came for 70 seconds"))
            try await world.becomesReady("api")
            #expect(world.apiServer.counts["list velocloudbps"] == nil)
            let watches = world.transport.requests.map(\.url).filter { $0.contains("velocloudbps?watch=true") }
            #expect(watches.count == 1 && watches[0].contains("resourceVersion=\(version)&"), "\(watches)")
        }
    }
}
