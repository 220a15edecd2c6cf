import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// Being told to stop.
@Suite struct StopTests {
    /// A write in hand is finished: sent, verified, recorded and told.
    @Test func writeInHandIsFinished() async throws {
        let world = try World()
        try await world.run {
            world.onRequest { $0.isUpdate ? .latency(.milliseconds(500)) : nil }
            world.apiServer.apply("web", spec: world.spec(name: "web"))
            try await world.until("the write is under way") {
                world.transport.requests.contains { $0.url.hasSuffix(World.update) }
            }
        }
        #expect(world.names().contains("web"))
        #expect(world.isReady("web"))
        world.clearCounts()
        try await world.run {
            try await world.until("looked at") { world.calls["getConfigurationModules"] ?? 0 >= 1 }
            try await world.settle()
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0)
        }
    }

    /// Told to stop during any of its requests, it leaves VCO, ledger and statuses in agreement: the next run writes
    /// what is missing and nothing twice.
    @Test func stopDuringAnyRequest() async throws {
        var number = 1
        while try await isStopped(during: number) { number += 1 }
        #expect(number > 6, "so few requests cannot be the whole story")
    }

    /// False when everything was done before there were so many requests.
    private func isStopped(during number: Int) async throws -> Bool {
        let world = try World(clock: WorldClock(rate: 5))
        let (count, isSeen) = (Locked(0), Locked(false))
        try await world.run {
            try await world.until("it watches") { world.apiServer.openWatches == 2 }
            world.onRequest { request in
                guard !request.url.contains("watch=true") else { return nil }
                let now = count.withLock { count in
                    count += 1
                    return count
                }
                guard now == number else { return nil }
                isSeen.withLock { $0 = true }
                return .latency(.milliseconds(250))
            }
            world.apiServer.apply("web", spec: world.spec(name: "web"))
            try await world.until("so many requests, or ready") { isSeen.withLock { $0 } || world.isReady("web") }
        }
        world.onRequest(nil)
        guard isSeen.withLock({ $0 }) else { return false }
        try await world.run {
            try await world.becomesReady("web")
            try await world.settle()
        }
        #expect(world.names().count { $0 == "web" } == 1, "stopped during request \(number)")
        #expect(world.vcoWrites == 1, "stopped during request \(number)")
        return true
    }

    /// In an outage there is nothing to wait for.
    @Test func stopInAnOutage() async throws {
        let world = try World()
        world.breakOrchestrator(.connect)
        let began = Locked(Instant(nanoseconds: 0))
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web waits") { world.reason("web") == "Unreachable" }
            world.clock.advance(by: .seconds(100))
            try await world.settle()
            began.withLock { $0 = world.clock.now }
        }
        #expect(world.clock.now.since(began.withLock { $0 }) < .seconds(5))
    }

    /// Nothing to do, before the first list and after it.
    @Test func stopAtRest() async throws {
        let world = try World()
        try await world.run {}
        try await world.run { try await world.settle() }
        world.apiServer.modes.crd = .missing
        let start = world.clock.now
        try await world.run {}
        #expect(world.clock.now.since(start) < .seconds(5))
    }
}
