import BusinessPolicy
import Operator
import Simulation
import Testing

/// How resources go: with their finalizer, without it, many at once, or leaving their rule behind.
@Suite struct DeletionTests {
    private func settings(deletesMax: Int = 25, orphan: Bool = false) -> World.Settings {
        var settings = World.Settings()
        settings.policy.deletesMax = deletesMax
        if orphan { settings.policy.allowed = [.orphan] }
        return settings
    }

    /// A world in which these resources were made ready by an earlier run.
    private func world(_ names: String...) async throws -> World {
        let world = try World()
        try await world.run {
            for name in names { world.apiServer.apply(name, spec: world.spec()) }
            for name in names { try await world.becomesReady(name) }
        }
        world.clearCounts()
        return world
    }

    /// A deletion made while the operator was down is carried out at the start.
    @Test func deletionWhileDown() async throws {
        let world = try await world("web", "stays")
        world.apiServer.delete("web")
        try await world.run {
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
            #expect(world.names().contains("default.stays"))
            #expect(world.vcoWrites == 1)
        }
    }

    /// A resource that vanished while the operator was down, finalizer and all, takes its untouched rule along.
    @Test func vanishedWhileDown() async throws {
        let world = try await world("web", "stays")
        world.apiServer.vanish("web")
        try await world.run {
            try await world.until("the rule is gone") { !world.names().contains("default.web") }
            #expect(world.names().contains("default.stays"))
            #expect(world.apiServer.counts["get velocloudbps"] == 1, "absence is asked for by name")
        }
    }

    /// One that vanishes under the eyes of the operator does the same.
    @Test func vanishedWhileRunning() async throws {
        let world = try await world("web")
        try await world.run {
            try await world.requestReconcile("web", "started")
            world.apiServer.vanish("web")
            try await world.until("the rule is gone") { !world.names().contains("default.web") }
        }
    }

    /// The rule of a vanished resource that was edited since is left alone, and forgotten.
    @Test func editedRuleOfVanishedResource() async throws {
        let world = try await world("web", "stays")
        world.apiServer.vanish("web")
        try world.edit(.setMember(101, segment: World.segment, rule: "default.web", path: "match.dport_low", value: 1))
        try await world.run {
            try await world.requestReconcile("stays", "look")
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 1)
            #expect(world.vcoWrites == 0)
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomes("ForeignRule", "web")
        }
    }

    /// An API server that cannot say whether a resource is there keeps its rule, until it can.
    @Test func doubtKeepsTheRule() async throws {
        let world = try await world("web", "stays")
        world.apiServer.vanish("web")
        world.apiServer.inject(APIFault(.serverError, call: "get velocloudbps", calls: nil))
        try await world.run {
            try await world.until("it was asked") { world.apiServer.counts["get velocloudbps"] ?? 0 > 0 }
            try await world.requestReconcile("stays", "look")
            #expect(world.names().contains("default.web"))
            world.apiServer.clearFaults()
            try await world.requestReconcile("stays", "look again")
            try await world.until("the rule is gone") { !world.names().contains("default.web") }
        }
    }

    /// Too many absences at once delete nothing, and a metric says how many are held, whoever else is reconciled.
    @Test func massAbsence() async throws {
        let world = try await world("a", "b", "c")
        let before = world.names()
        for name in ["a", "b", "c"] { world.apiServer.vanish(name) }
        world.apiServer.apply("other", spec: world.spec(profile: World.branch))
        try await world.run(settings(deletesMax: 2)) {
            try await world.becomesReady("other")
            try await world.until("they are held") { world.metrics.snapshot.deletionsHeld == 3 }
            try await world.requestReconcile("other", "look")
            try await world.settle()
            #expect(world.metrics.snapshot.deletionsHeld == 3)
            #expect(world.names() == before)
        }
        try await world.run(settings(deletesMax: 3)) {
            try await world.until("the rules are gone") { !world.names().contains("default.a") }
            try await world.requestReconcile("other", "look again")
            #expect(world.metrics.snapshot.deletionsHeld == 0)
        }
    }

    /// As many, but less than half of all, are believed.
    @Test func absenceOfTheLesserPart() async throws {
        let world = try await world("a", "b", "c", "d")
        for name in ["a", "b"] { world.apiServer.vanish(name) }
        try await world.run(settings(deletesMax: 1)) {
            try await world.until("the rules are gone") {
                !world.names().contains("default.a") && !world.names().contains("default.b")
            }
            #expect(world.names().contains("default.c"))
        }
    }

    /// A resource that never had a rule goes though the VCO is down.
    @Test func deletionWithoutRuleWhileVCOIsDown() async throws {
        let world = try World()
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            world.apiServer.apply("other", spec: world.spec())
            try await world.becomes("Unreachable", "web")
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// One that has a rule waits for the VCO, and says so.
    @Test func deletionWithRuleWaitsForVCO() async throws {
        let world = try await world("web")
        world.orchestrator.inject(.unavailable, calls: nil)
        world.apiServer.delete("web")
        try await world.run {
            try await world.until("it says why") { world.message("web").contains("cannot be reached") }
            world.orchestrator.clearFaults()
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// With leave, `deletion-policy: Orphan` leaves the rule behind; it belongs to the WAN team from then on.
    @Test func orphanIsLeftBehind() async throws {
        let world = try await world("web")
        world.apiServer.annotate("web", VelocloudBP.Annotation.deletionPolicy, "Orphan")
        try await world.run(settings(orphan: true)) {
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.names().contains("default.web"))
            #expect(world.vcoWrites == 0)
        }
        try await world.run {
            try await world.settle()
            #expect(world.names().contains("default.web"))
        }
    }

    /// Without leave the annotation does nothing.
    @Test func orphanNeedsLeave() async throws {
        let world = try await world("web")
        world.apiServer.annotate("web", VelocloudBP.Annotation.deletionPolicy, "Orphan")
        try await world.run {
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// Finalizers of others stay, before ours and after it.
    @Test func finalizersOfOthers() async throws {
        let world = try World()
        let finalizers = JSON.array(["one.example/a"])
        world.apiServer.apply("web", spec: world.spec())
        world.apiServer.merge(.object([.init("metadata", .object([.init("finalizers", finalizers)]))]), "web")
        try await world.run {
            try await world.becomesReady("web")
            #expect(
                world.apiServer.object("web")?["metadata"]?["finalizers"]
                    == .array(["one.example/a", .string(VelocloudBP.finalizer)]))
            world.apiServer.delete("web")
            try await world.until("ours is off") {
                world.apiServer.object("web")?["metadata"]?["finalizers"] == finalizers
            }
            #expect(!world.names().contains("default.web"))
        }
    }

    /// A resource that we let go has no claim any more, though another's finalizer keeps it: a rule made by hand under
    /// its name is the WAN team's.
    @Test func releasedResourceHasNoClaim() async throws {
        let world = try await world("web")
        let finalizers = JSON.array(["one.example/a", .string(VelocloudBP.finalizer)])
        world.apiServer.merge(.object([.init("metadata", .object([.init("finalizers", finalizers)]))]), "web")
        try await world.run {
            world.apiServer.delete("web")
            try await world.until("the rule is gone") { !world.names().contains("default.web") }
        }
        try world.addByHand(try world.honouringRule("default.web", port: 1234))
        try await world.run {
            world.apiServer.apply("other", spec: world.spec())
            try await world.becomesReady("other")
            try await world.settle()
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 1234)
        }
    }

    /// Our finalizer, taken off by somebody, is put on again.
    @Test func finalizerIsPutBack() async throws {
        let world = try await world("web")
        try await world.run {
            try await world.requestReconcile("web", "started")
            world.apiServer.merge(.object([.init("metadata", .object([.init("finalizers", .array([]))]))]), "web")
            try await world.until("it is back") {
                world.apiServer.object("web")?["metadata"]?["finalizers"]?[0]?.string == VelocloudBP.finalizer
            }
        }
    }
}
