import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Operator
import Simulation
import Testing

/// Several replicas of which one may write.
@Suite struct ElectionTests {
    /// One acts. When it stops it gives the Lease back, and the other has all on record without a write anywhere.
    @Test func standbyTakesOver() async throws {
        let world = try World()
        defer { world.removeLedgers("a", "b") }
        let foreign = world.names()
        let (a, b) = (try await Replica("a", in: world), try await Replica("b", in: world))
        try await world.run([a, b]) {
            let (leader, standby) = try await world.leader(a, b)
            for name in ["one", "two"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("one", "two")
            try await world.until("the other stands by") { standby.logged("this one stands by") == 1 }
            #expect(standby.controller.cache.isSynced && !standby.isLeading)
            #expect(await standby.ledger.allRules().isEmpty)
            #expect(await leader.ledger.allRules().count == 2)
            world.clearCounts()

            leader.stop.set()
            try await world.until("it has ended") { leader.isOver.withLock { $0 } }
            #expect(leader.ending == .released)
            #expect(world.transport.requests.last { $0.method != "GET" }?.url.contains("/leases/velokube") == true)
            try await world.until("the other leads") { standby.isLeading }
            try await world.until("it has looked") { world.wholeReads > 0 }
            try await world.settle()
            #expect(standby.logged("its ledger is rebuilt") == 1)
            #expect(await standby.ledger.allRules().count == 2)
            #expect(world.vcoWrites == 0 && world.resourceWrites == 0, "\(world.apiServer.counts)")

            world.apiServer.delete("one")
            world.apiServer.delete("two")
            try await world.goes("one")
            try await world.goes("two")
            #expect(world.names() == foreign)
        }
        #expect(world.leaseHolder == "")
    }

    /// A leader that cannot renew stops in the midst of what it does: what it was about to write, the other writes.
    @Test func cutOffLeaderWritesNothing() async throws {
        let world = try World()
        defer { world.removeLedgers("a", "b") }
        let (a, b) = (try await Replica("a", in: world), try await Replica("b", in: world))
        try await world.run([a, b]) {
            let (leader, standby) = try await world.leader(a, b)
            try await world.until("the other stands by") { standby.logged("this one stands by") == 1 }
            world.onRequest { request in
                guard request.isWholeRead, leader.isLeading else { return nil }
                // Between its read and its write nothing is renewed for longer than a term.
                leader.cutOff()
                world.clock.advance(by: .seconds(11))
                return nil
            }
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("it has ended") { leader.isOver.withLock { $0 } }
            #expect(leader.ending == .lost(.notRenewed) && leader.logged("Leadership is lost") == 1)
            #expect(world.vcoWrites == 0 && !world.isReady("web"))
            world.clock.advance(by: .seconds(5))
            try await world.becomesReady("web")
            #expect(standby.isLeading && world.vcoWrites == 1)
        }
    }

    /// A process that stood still between its read and its write, and that nobody has told yet, writes nothing: neither
    /// to the VCO nor a status.
    @Test func nothingIsWrittenAfterTheTerm() async throws {
        let world = try World()
        defer { world.removeLedgers("a") }
        world.apiServer.apply("web", spec: world.spec())
        let a = try await Replica("a", in: world)
        while !a.controller.cache.isSynced {
            _ = await a.controller.informerStep()
            _ = await a.controller.limitInformerStep()
        }
        while !a.isLeading { _ = await a.controller.electionStep() }
        _ = await a.controller.resyncStep()
        world.onRequest { request in
            if request.isWholeRead { world.clock.advance(by: .seconds(11)) }
            return nil
        }
        while world.wholeReads == 0 { _ = await a.controller.workerStep() }
        #expect(!a.isLeading && a.ending == nil)
        #expect(!world.transport.requests.contains { $0.url.hasSuffix(World.update) })
        #expect(world.metrics.snapshot.kubernetesWrites[.finalizer] == 1)
        #expect(world.metrics.snapshot.kubernetesWrites[.status] == 0)
        #expect(world.apiServer.counts["patch velocloudbps/status"] == nil)
        _ = await a.controller.electionStep()
        #expect(a.ending == .lost(.notRenewed))
        await a.ledger.close()
    }

    /// A leader that sees another's name in the Lease stops at once.
    @Test func displacedLeaderStops() async throws {
        let world = try World()
        defer { world.removeLedgers("a") }
        let a = try await Replica("a", in: world)
        try await world.run([a]) {
            try await world.until("it leads") { a.isLeading }
            world.displace("somebody_1")
            try await world.until("it has ended") { a.isOver.withLock { $0 } }
            #expect(a.ending == .lost(.taken(by: "somebody_1")))
            #expect(world.leaseHolder == "somebody_1")
        }
    }

    /// A restart with the same ledger goes on where it was; once another has led, the ledger is made anew, and neither
    /// writes anything.
    @Test func restarts() async throws {
        let world = try World()
        defer { world.removeLedgers("a", "b") }
        world.apiServer.apply("web", spec: world.spec())
        for (round, name) in ["a", "a", "b", "a"].enumerated() {
            let replica = try await Replica(name, in: world)
            let before = await replica.ledger.allRules().count
            #expect(before == [0, 1, 0, 1][round])
            world.clearCounts()
            try await world.run([replica]) {
                try await world.until("it leads") { replica.isLeading }
                try await world.becomesReady("web")
                try await world.until("the VCO was asked") { (world.calls["getConfigurationModules"] ?? 0) > 0 }
                try await world.settle()
                #expect(await replica.ledger.allRules().count == 1)
            }
            #expect(replica.logged("its ledger is rebuilt") == (round == 1 ? 0 : 1), "round \(round)")
            #expect(world.vcoWrites == (round == 0 ? 1 : 0), "round \(round)")
            #expect(round == 0 || world.resourceWrites == 0, "round \(round)")
            #expect((world.wholeReads == 0) == (round == 1), "only a ledger that is right spares the read")
        }
    }

    /// Where the account may not use Leases nobody leads: that is said once, and asked for seldom.
    @Test func forbiddenLease() async throws {
        let world = try World()
        defer { world.removeLedgers("a") }
        world.apiServer.modes.forbidden = ["get leases"]
        world.apiServer.apply("web", spec: world.spec())
        let a = try await Replica("a", in: world)
        try await world.run([a]) {
            for round in 1...10 {
                try await world.until("it asked") { (world.apiServer.counts["get leases"] ?? 0) >= round }
                try await world.clock.waitForSleeper(atLeast: .seconds(1))
                world.clock.advance(by: .seconds(20))
            }
            #expect(a.logged("may not get, create and patch the Lease") == 1)
            #expect((world.apiServer.counts["get leases"] ?? 0) <= 15)
            #expect(world.vcoWrites == 0 && world.resourceWrites == 0 && a.controller.cache.isSynced)
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(20))
            try await world.becomesReady("web")
        }
    }

    /// Who cannot see the resources does not stand for election.
    @Test func blindReplicaDoesNotLead() async throws {
        let world = try World()
        defer { world.removeLedgers("a", "b") }
        world.apiServer.modes.crd = .missing
        let a = try await Replica("a", in: world)
        try await world.run([a]) {
            try await world.until("it has looked") { (world.apiServer.counts["list velocloudbps"] ?? 0) > 1 }
            #expect(world.apiServer.counts["get leases"] == nil && world.leaseHolder == nil)
            world.apiServer.modes.crd = .installed
            world.clock.advance(by: .seconds(60))
            try await world.until("it leads") { a.isLeading }
        }
    }
}

extension World {
    /// Somebody writes another holder into the Lease.
    func displace(_ holder: String) {
        let body = #"{"spec":{"holderIdentity":"\#(holder)","renewTime":"2030-01-01T00:00:00.000000Z"}}"#
        _ = apiServer.handle(
            SimulatedRequest(
                "PATCH", "/apis/coordination.k8s.io/v1/namespaces/default/leases/velokube",
                headers: [HTTPHeader("Content-Type", "application/merge-patch+json")], body: Array(body.utf8)))
    }
}
