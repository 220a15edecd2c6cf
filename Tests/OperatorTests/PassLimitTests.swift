import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// No profile is held for ever, or by more workers than there are to be.
@Suite struct PassLimitTests {
    /// A pass that has had its time begins no further call: it says so, is counted, and is made again.
    @Test func passThatTakesTooLongIsCutOff() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            let isSlow = Locked(true)
            world.onEffect { request in
                guard request.isWholeRead,
                    isSlow.withLock({ isSlow in
                        defer { isSlow = false }
                        return isSlow
                    })
                else { return }
                world.clock.advance(by: .seconds(301))
            }
            world.apiServer.apply("late", spec: world.spec(name: "late"))
            try await world.until("cut off") { world.metrics.snapshot.reconciles[.timedOut] == 1 }
            try await world.becomesReady("late")
            #expect(world.messages("OrchestratorUnreachable").contains { $0.contains("300") })
            #expect(world.vcoWrites == 1 && world.metrics.snapshot.reconciles[.timedOut] == 1)
        }
    }

    /// An API server that is slow in every write does not hold the profile either.
    @Test func slowStatusWritesAreCutOff() async throws {
        let world = try World()
        try await world.run {
            let isSlow = Locked(true)
            world.onRequest { request in
                if request.isStatusPatch, isSlow.withLock({ $0 }) { world.clock.advance(by: .seconds(421)) }
                return nil
            }
            for number in 0..<40 { world.apiServer.apply("app-\(number)", spec: world.spec(name: "app-\(number)")) }
            try await world.until("cut off") { world.metrics.snapshot.reconciles[.timedOut] ?? 0 >= 1 }
            isSlow.withLock { $0 = false }
            try await world.untilReady((0..<40).map { "app-\($0)" })
        }
    }

    /// What the VCO refuses for what it says is given up, counted, and not tried again by itself.
    @Test func refusedResourceIsGivenUpAndCounted() async throws {
        let world = try World()
        world.orchestrator.modes.rejectedPorts = [6666]
        try await world.run {
            try await world.establish()
            #expect(world.metrics.snapshot.terminalErrors == 0)
            world.apiServer.apply("bad", spec: world.spec(name: "bad", port: 6666))
            try await world.becomes("RejectedByOrchestrator", "bad")
            try await world.settle()
            #expect(world.metrics.snapshot.terminalErrors == 1)
            world.clearCounts()
            let reconciles = world.reconciles
            world.clock.advance(by: .seconds(1000))
            try await world.settle()
            #expect(world.callsTotal == 0 && world.reconciles == reconciles)
        }
    }

    /// No more profiles are worked on at once than there are workers, and no profile by two of them.
    @Test(arguments: [1, 2]) func noMoreWorkersThanSaid(_ workers: Int) async throws {
        let world = try World()
        var settings = World.Settings()
        settings.workers = workers
        let most = Locked(0)
        try await world.run(settings) {
            let cache = try #require(world.controller.withLock { $0 }?.cache)
            world.onRequest { request in
                let working = cache.queueStatistics.working
                most.withLock { $0 = max($0, working.count) }
                #expect(Set(working.map(\.key)).count == working.count)
                return request.isToOrchestrator ? .latency(.milliseconds(30)) : nil
            }
            for number in 0..<6 {
                let profile = number % 2 == 0 ? World.profile : World.otherProfile
                world.apiServer.apply("app-\(number)", spec: world.spec(profile: profile, name: "app-\(number)"))
            }
            try await world.untilReady((0..<6).map { "app-\($0)" })
            #expect(world.metrics.snapshot.workersMax == workers)
        }
        #expect(most.withLock { $0 } == workers)
    }

    /// A resource that is gone leaves nothing to be done: no look at its profile is asked for any more.
    @Test func deletionIsNotRescheduled() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.apiServer.delete("web")
            try await world.goes("web")
            try await world.settle()
            world.clearCounts()
            let reconciles = world.reconciles
            let queue = try #require(world.controller.withLock { $0 }?.cache.queueStatistics)
            #expect(queue.depth == 0 && queue.delayed == 0 && queue.working.isEmpty)
            world.clock.advance(by: .seconds(1000))
            try await world.settle()
            #expect(world.callsTotal == 0 && world.apiServer.writes == 0 && world.reconciles == reconciles)
        }
    }

    /// A resource that goes while nobody watches is known by the next list alone, in its last state: its rule goes too.
    @Test func deletionThatNobodySawIsFound() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.apiServer.modes.stallsWatches = true
            world.apiServer.vanish("web")
            world.apiServer.pass(versions: 3)
            world.apiServer.compact()
            world.apiServer.modes.stallsWatches = false
            world.apiServer.cutWatches()
            try await world.until("the rule is gone") { !world.names().contains("web") }
            #expect(world.apiServer.counts["list velocloudbps"] == 1)
            #expect(world.apiServer.counts["get velocloudbps"] == 1, "and its absence is proven first")
        }
    }
}
