import BusinessPolicy
import Operator
import Simulation
import Testing

/// What people are told: conditions, events, and nothing twice.
@Suite struct StatusTests {
    /// A ready resource names its rule, the module's version, when it was programmed, and the generation seen.
    @Test func readyStatusIsWhole() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            let status = world.status("web")
            #expect(status.observedGeneration == 1)
            #expect(status.rule?.profile == World.profile)
            #expect(status.rule?.segment == World.segment)
            #expect(status.rule?.name == "default.web")
            #expect(status.rule?.moduleVersion == world.orchestrator.profile(101)?.version.map { "\($0)" })
            #expect(status.rule?.programmedAt != nil)
            #expect(status.conditions.map(\.type) == [.accepted, .programmed, .ready])
            #expect(status.conditions.allSatisfy { $0.isTrue && $0.observedGeneration == 1 })
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.becomesReady("web")
            #expect(world.status("web").observedGeneration == 2)
            #expect(world.status("web").conditions.allSatisfy { $0.observedGeneration == 2 })
        }
    }

    /// A transition time moves when the condition turns, and only then.
    @Test func transitionTimesMoveOnlyOnTurns() async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run { try await world.becomesReady("web") }
        // As if it had been so for years: whatever turns now bears another time.
        let long = "2020-01-01T00:00:00Z"
        var status = world.status("web")
        for index in status.conditions.indices { status.conditions[index].lastTransitionTime = long }
        world.apiServer.merge(.object([.init("status", status.json)]), "web", isStatus: true)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.becomesReady("web")
            #expect(world.status("web").conditions.map(\.lastTransitionTime) == [long, long, long])
            world.pause("web")
            try await world.becomes("Paused", "web")
            #expect(world.status("web").condition(.programmed)?.lastTransitionTime == long)
            #expect(world.status("web").condition(.accepted)?.lastTransitionTime != long)
            #expect(world.status("web").condition(.ready)?.lastTransitionTime != long)
        }
    }

    /// Nothing is written to the API server when nothing has changed: not at a resync, not at a restart, not for a
    /// label, not for the WAN team's edits of other rules.
    @Test func nothingNewIsNotWritten() async throws {
        let world = try World()
        world.apiServer.apply("web", spec: world.spec())
        try await world.run { try await world.becomesReady("web") }
        let before = world.apiServer.object("web")?["status"]
        world.clearCounts()
        try await world.run(World.impatient) {
            try await world.until("a resync has been") { world.calls["getConfigurationModules"] ?? 0 >= 2 }
            try world.edit(.deleteRule(101, segment: World.segment, rule: "Prefer GE3"))
            world.apiServer.annotate("web", "note", "hello")
            let calls = world.calls["getConfigurationModules"] ?? 0
            try await world.until("two more resyncs") { world.calls["getConfigurationModules"] ?? 0 >= calls + 3 }
            #expect(world.apiServer.writes == 0)
            #expect(world.vcoWrites == 0)
            #expect(world.apiServer.object("web")?["status"] == before, "the module's version is that of our write")
        }
    }

    /// A status that somebody wiped is written again at the next resync.
    @Test func wipedStatusComesBack() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.clearCounts()
            world.apiServer.merge(.object([.init("status", .null)]), "web", isStatus: true)
            try await world.becomesReady("web")
            #expect(world.status("web").rule?.name == "default.web")
            #expect(world.vcoWrites == 0)
        }
    }

    /// A requested reconcile is echoed whatever state the resource is in, and only once.
    @Test func requestsAreEchoed() async throws {
        var modes = OrchestratorModes()
        modes.rejectedNames = ["default.rejected"]
        let world = try World(modes: modes)
        try await world.run {
            for name in ["web", "paused", "spoilt", "rejected"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("web", "paused", "spoilt")
            try await world.becomes("RejectedByOrchestrator", "rejected")
            world.pause("paused")
            world.apiServer.apply("spoilt", spec: world.spec(fqdn: "com"))
            try await world.becomes("Paused", "paused")
            try await world.becomes("InvalidSpec", "spoilt")
            for name in ["web", "paused", "spoilt", "rejected"] { try await world.requestReconcile(name, "please") }
            try await world.settle()
            world.clearCounts()
            world.apiServer.annotate("web", "note", "hello")
            try await world.settle()
            #expect(world.statusWrites == 0)
            #expect(world.calls == [:], "nobody's request is open any more")
            #expect(world.reason("rejected") == "RejectedByOrchestrator")
        }
    }

    /// A rejected resource is retried when asked to, and ready once the VCO takes it.
    @Test func requestRetriesRejected() async throws {
        var modes = OrchestratorModes()
        modes.rejectedNames = ["default.web"]
        let world = try World(modes: modes)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomes("RejectedByOrchestrator", "web")
            world.orchestrator.modes = OrchestratorModes()
            world.apiServer.annotate("web", VelocloudBP.Annotation.reconcileRequestedAt, "now")
            try await world.becomesReady("web")
        }
    }

    /// A dry run writes nothing: no rule, no finalizer, no status, no event.
    @Test func dryRunWritesNothing() async throws {
        let world = try World()
        world.apiServer.apply("known", spec: world.spec())
        try await world.run { try await world.becomesReady("known") }
        world.apiServer.delete("known")
        world.apiServer.apply("new", spec: world.spec())
        world.apiServer.apply("bad", spec: world.spec(fqdn: "com"))
        world.apiServer.apply("lost", spec: world.spec(profile: "Nowhere"))
        let data = world.orchestrator.profile(101)?.data
        let objects = world.apiServer.objects()
        let events = world.apiServer.events()
        world.clearCounts()
        var settings = World.impatient
        settings.policy.isDryRun = true
        settings.policy.allowed = [.orphan, .adopt]
        try await world.run(settings) {
            try await world.until("it has looked") { world.calls["getConfigurationModules"] ?? 0 >= 3 }
            #expect(world.vcoWrites == 0)
            #expect(world.apiServer.writes == 0)
            #expect(world.orchestrator.profile(101)?.data == data)
            #expect(world.apiServer.objects() == objects)
            #expect(world.apiServer.events() == events)
        }
        try await world.run {
            try await world.goes("known")
            try await world.becomesReady("new")
        }
    }
}

/// Events, once for what happened once.
@Suite struct EventTests {
    /// The life of a rule is told by one event each, of the resource's own.
    @Test func lifeOfARule() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            try await world.until("added") { world.events("RuleAdded").count == 1 }
            let added = try #require(world.events("RuleAdded").first)
            #expect(added["involvedObject"]?["name"] == "web")
            #expect(added["type"] == "Normal")
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.until("updated") { world.events("RuleUpdated").count == 1 }
            try world.edit(
                .setMember(101, segment: World.segment, rule: "default.web", path: "match.dport_low", value: 1))
            try await world.until("healed") { world.events("DriftCorrected").count == 1 }
            let drift = world.events("DriftCorrected").first?["message"]?.string ?? ""
            #expect(drift.contains("match.dport_low is 1, wanted 9090"), "\(drift)")
            world.apiServer.apply("second", spec: world.spec(name: "default.web"))
            try await world.until("conflict") { world.events("NameConflict").count == 1 }
            #expect(world.events("NameConflict").first?["involvedObject"]?["name"] == "second")
            #expect(world.events("NameConflict").first?["type"] == "Warning")
            world.apiServer.delete("second")
            try await world.goes("second")
            world.apiServer.delete("web")
            try await world.goes("web")
            try await world.until("deleted") { world.events("RuleDeleted").count == 1 }
            for event in world.apiServer.events() { #expect(event["count"] ?? 1 == 1, "\(event)") }
            #expect(Set(world.apiServer.events().compactMap { $0["reason"]?.string }).count == 5)
        }
    }

    /// More than twenty at once are one event of the namespace.
    @Test func manyAreFolded() async throws {
        let world = try World()
        for number in 0..<25 { world.apiServer.apply("app-\(number)", spec: world.spec()) }
        try await world.run {
            try await world.until("all are ready") { (0..<25).allSatisfy { world.isReady("app-\($0)") } }
            try await world.until("it is told") { !world.events("RuleAdded").isEmpty }
            try await world.settle()
            #expect(world.apiServer.events().count == 1)
            let event = try #require(world.events("RuleAdded").first)
            #expect(event["involvedObject"]?["kind"] == "Namespace")
            #expect(event["message"]?.string?.contains("25 resources") == true)
        }
    }

    /// A move of a name or profile is an addition and a removal.
    @Test func renameIsTold() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "old"))
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: world.spec(name: "new"))
            try await world.becomesReady("web")
            try await world.until("both are told") {
                world.events("RuleDeleted").count == 1 && world.events("RuleAdded").count == 2
            }
        }
    }
}
