import BusinessPolicy
import Operator
import Simulation
import Testing

/// The main job: resources become rules, and stay so.
@Suite struct MainJobTests {
    /// A resource becomes a rule at the top of its segment, and says so.
    @Test func resourceBecomesRule() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "web-rule"))
            try await world.until("web is ready") { world.isReady("web") }
            #expect(world.names() == ["web-rule"] + foreign)
            #expect(world.rule("web-rule")?["match"]?["hostname"]?.string == "app.vcn.cloud")
            #expect(world.status("web").rule?.name == "web-rule")
            #expect(world.apiServer.object("web")?["metadata"]?["finalizers"]?[0]?.string == VelocloudBP.finalizer)
        }
    }

    /// A deleted resource goes once its rule is gone.
    @Test func deletedResourceTakesItsRule() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is ready") { world.isReady("web") }
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(world.names() == foreign)
        }
    }

    /// A thousand resources that are there at the start cost four calls, one of them a write, and two Kubernetes writes
    /// each.
    @Test func thousandAtStart() async throws {
        let world = try World()
        for number in 0..<1000 { world.apiServer.apply("app-\(number)", spec: world.spec()) }
        world.apiServer.clearCounts()
        try await world.run {
            try await world.until("all are ready", within: .seconds(120)) {
                (0..<1000).allSatisfy { world.isReady("app-\($0)") }
            }
            try await world.settle()
            #expect(world.vcoWrites == 1)
            // A busy machine may take so long between read and write that the version is looked at once more.
            #expect(world.callsTotal - world.versionReads <= 4, "\(world.calls)")
            #expect(world.apiServer.writes <= 2000, "\(world.apiServer.counts)")
        }
    }
}
