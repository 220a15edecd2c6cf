import BusinessPolicy
import ControlLoop
import Operator
import Simulation
import Testing

/// A token that is not accepted, or may not do what it should.
@Suite struct CredentialTests {
    /// However a wrong token is refused, a human is told, nothing is written, and the file's new token is used at once.
    @Test(arguments: OrchestratorModes.AuthFailure.allCases)
    func newTokenIsFound(_ failure: OrchestratorModes.AuthFailure) async throws {
        let world = try World()
        var settings = World.Settings()
        settings.readsTokenFile = true
        world.orchestrator.modes.authFailure = failure
        try await world.run(settings) {
            try await world.establish()
            world.orchestrator.setToken("another-token")
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new waits") { world.reason("new") == "AuthFailed" }
            #expect(world.condition(.stalled, of: "new")?.isTrue == true)
            #expect(world.condition(.ready, of: "new")?.message.contains("secret-token") == false)
            #expect(world.isReady("web"))
            // The waits grow to minutes.
            for _ in 0..<6 {
                world.clock.advance(by: .seconds(100))
                try await world.settle()
            }
            #expect(world.callsTotal < 20)
            #expect(world.vcoWrites == 0)
            try world.write(token: "another-token")
            world.clock.advance(by: .seconds(6))
            try await world.untilReady(["new"])
            #expect(world.condition(.stalled, of: "new") == nil)
        }
    }

    /// A token that may read only: new resources say so, rules stay, and it goes on once the role is changed.
    @Test(arguments: [OrchestratorModes.MissingPrivilege.update, .all], [400, 403])
    func missingPrivilege(_ missing: OrchestratorModes.MissingPrivilege, _ status: Int) async throws {
        let world = try World()
        world.orchestrator.modes.privilegeStatus = status
        try await world.run {
            try await world.establish()
            world.orchestrator.modes.missingPrivilege = missing
            world.apiServer.apply("new", spec: world.spec())
            try await world.until("new waits") { world.reason("new") == "AuthFailed" }
            #expect(world.condition(.ready, of: "new")?.message.contains("privilege") == true)
            #expect(world.condition(.stalled, of: "new")?.isTrue == true)
            try await world.settle()
            #expect(world.isReady("web"))
            world.orchestrator.modes.missingPrivilege = .none
            world.clock.advance(by: .seconds(60))
            try await world.untilReady(["new"])
        }
    }

    /// Where only writes are refused, they are tried ever more seldom.
    @Test func refusedWritesCalmDown() async throws {
        let world = try World(clock: WorldClock(rate: 100))
        world.orchestrator.modes.missingPrivilege = .update
        try await world.run {
            world.apiServer.apply("new", spec: world.spec())
            let start = world.clock.now
            // On a busy machine the clock runs ahead of the work: then it takes longer until the third is refused.
            try await world.until("ten minutes have passed, and it is still tried", within: .seconds(60)) {
                world.clock.now.since(start) > .seconds(600) && world.vcoWrites >= 3
            }
            #expect(world.vcoWrites <= 12, "\(world.calls)")
            // The list, a read before each write, and one whose write has not gone out yet.
            #expect(world.callsTotal - world.versionReads <= 2 * world.vcoWrites + 2, "\(world.calls)")
        }
    }

    /// A partner's token without --enterprise-id: everybody is told, and nobody is held when it is put right.
    @Test func enterpriseIsMissing() async throws {
        let world = try World()
        world.orchestrator.modes.requiresEnterpriseID = true
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web waits") { world.reason("web") != nil }
            #expect(world.condition(.ready, of: "web")?.message.contains("enterpriseId") == true)
            #expect(world.reason("web") != "RejectedByOrchestrator")
        }
        world.orchestrator.modes.requiresEnterpriseID = false
        try await world.run { try await world.untilReady(["web"]) }
    }
}
