import BusinessPolicy
import ControlLoop
import Operator
import Simulation
import Testing

/// What velokube does when there is nothing to do.
@Suite struct RestTests {
    private func resources(_ world: World) -> [(name: String, spec: JSON)] {
        [
            ("web", world.spec()), ("api", world.spec(port: 9090)),
            ("far", world.spec(profile: World.otherProfile)),
        ]
    }

    /// Each resync is one list of profiles and one look at the version of each profile, and writes nothing anywhere.
    @Test func resyncIsCheap() async throws {
        let world = try World()
        try await world.run {
            try await world.establish(resources(world))
            for _ in 0..<3 {
                try await rest(world)
                #expect(world.calls == ["getEnterpriseConfigurations": 1, "getConfigurationModules": 2])
                #expect(world.wholeReads == 0)
            }
        }
    }

    /// One resync, from its first call until it is quiet again.
    private func rest(_ world: World) async throws {
        world.clearCounts()
        try await world.passResync()
        try await world.until("both profiles are looked at") { world.calls["getConfigurationModules"] ?? 0 >= 2 }
        try await world.settle()
        #expect(world.vcoWrites == 0)
        #expect(world.apiServer.writes == 0, "\(world.apiServer.counts)")
        #expect(world.apiServer.counts.keys.allSatisfy { !$0.hasSuffix("events") })
    }

    /// Every twelfth resync reads the document in whole, so that a change which left the version alone is found.
    @Test func everyTwelfthReadsAll() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            let quiet = PortalEdit.setMember(
                101, segment: World.segment, rule: "web", path: "match.hostname", value: .string("evil.example"))
            try world.orchestrator.edit(quiet, isQuiet: true, now: world.clock.time.wallMilliseconds())
            for round in 1...12 {
                #expect(world.wholeReads == 0, "before round \(round)")
                try await world.passResync()
                try await world.until("the profile is looked at") {
                    world.calls["getConfigurationModules"] ?? 0 >= round
                }
            }
            try await world.until("healed") {
                world.rule("web")?["match"]?["hostname"]?.string == "app.vcn.cloud"
            }
            #expect(world.vcoWrites == 1)
            #expect(world.calls["getEnterpriseConfigurations"] == 12)
        }
    }

    /// A restart with nothing to do costs a resync, and nothing more.
    @Test func restartWithLedger() async throws {
        let world = try World()
        try await world.run { try await world.establish(resources(world)) }
        world.clearCounts()
        try await world.run {
            try await world.until("both profiles are looked at") { world.calls["getConfigurationModules"] ?? 0 >= 2 }
            try await world.settle()
            #expect(world.calls == ["getEnterpriseConfigurations": 1, "getConfigurationModules": 2])
            #expect(world.wholeReads == 0)
            #expect(world.apiServer.writes == 0, "\(world.apiServer.counts)")
        }
    }

    /// A restart without its ledger reads each document once, and writes nothing; from then on it is as before.
    @Test func restartWithoutLedger() async throws {
        let world = try World()
        try await world.run { try await world.establish(resources(world)) }
        world.loseLedger()
        world.clearCounts()
        try await world.run {
            try await world.until("both profiles are read") { world.calls["getConfigurationModules"] ?? 0 >= 2 }
            try await world.settle()
            #expect(world.calls == ["getEnterpriseConfigurations": 1, "getConfigurationModules": 2])
            #expect(world.apiServer.writes == 0, "\(world.apiServer.counts)")
            try await rest(world)
            #expect(world.wholeReads == 0)
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(!world.names().contains("default.web"))
        }
    }

    /// A VCO without any resource is left alone: one list of profiles a resync, no more.
    @Test func nothingToManage() async throws {
        let world = try World()
        try await world.run {
            try await world.until("the first list") { world.callsTotal > 0 }
            try await world.settle()
            world.clearCounts()
            try await world.passResync()
            try await world.until("the list") { world.callsTotal > 0 }
            try await world.settle()
            #expect(world.calls == ["getEnterpriseConfigurations": 1])
        }
    }
}
