import BusinessPolicy
import Operator
import Simulation
import Testing

/// Resources that come back under their name with another uid, as after a restored backup.
@Suite struct RecreationTests {
    /// A resource recreated under a new uid takes its rule over without a write when it wants the same.
    @Test(arguments: [true, false]) func sameSpec(isRunning: Bool) async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run {
            try await world.becomesReady("web")
            world.clearCounts()
            if isRunning {
                world.apiServer.vanish("web")
                world.apiServer.apply("web", spec: world.spec())
                try await world.becomesReady("web")
            }
        }
        if !isRunning {
            world.apiServer.vanish("web")
            world.apiServer.apply("web", spec: world.spec())
        }
        try await world.run {
            try await world.becomesReady("web")
            #expect(world.vcoWrites == 0)
            #expect(world.names().filter { $0 == "default.web" }.count == 1)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// With another spec it is one write, in which the rule is never absent.
    @Test func otherSpec() async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run {
            try await world.becomesReady("web")
            let order = world.names()
            world.clearCounts()
            world.apiServer.vanish("web")
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.becomesReady("web")
            #expect(world.vcoWrites == 1)
            #expect(world.names() == order)
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 9090)
        }
    }

    /// Recreated on another profile, it leaves no orphan on the old one.
    @Test func otherProfile() async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run { try await world.becomesReady("web") }
        world.apiServer.vanish("web")
        world.apiServer.apply("web", spec: world.spec(profile: World.branch))
        try await world.run {
            try await world.becomesReady("web")
            try await world.until("the old rule is gone") { !world.names().contains("default.web") }
            try await world.until("the new place is told") { world.status("web").rule?.profile == World.branch }
        }
    }

    /// A resource that comes back paused or spoilt holds the rule of its predecessor, and takes it over in the end.
    @Test(arguments: ["paused", "spoilt"]) func comesBackHeld(_ state: String) async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run { try await world.becomesReady("web") }
        world.apiServer.vanish("web")
        if state == "paused" {
            world.apiServer.apply("web", spec: world.spec(), annotations: [VelocloudBP.Annotation.paused: "true"])
        } else {
            world.apiServer.apply("web", spec: world.spec(fqdn: "com"))
        }
        world.clearCounts()
        try await world.run {
            try await world.requestReconcile("web", "look")
            #expect(world.names().contains("default.web"))
            world.unpause("web")
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            #expect(world.vcoWrites == 0)
            #expect(world.status("web").rule?.isAdopted == false)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// A whole backup restored under new uids is no mass absence: every resource takes its rule over.
    @Test func wholeBackup() async throws {
        let world = try World()
        let names = ["a", "b", "c"]
        for name in names { world.apiServer.apply(name, spec: world.spec()) }
        try await world.run { try await world.becomesReady("a", "b", "c") }
        world.clearCounts()
        for name in names {
            world.apiServer.vanish(name)
            world.apiServer.apply(name, spec: world.spec())
        }
        var settings = World.Settings()
        settings.policy.deletesMax = 1
        try await world.run(settings) {
            try await world.becomesReady("a", "b", "c")
            #expect(world.vcoWrites == 0)
            #expect(world.metrics.snapshot.deletionsHeld == 0)
        }
    }
}
