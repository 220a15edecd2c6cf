import BusinessPolicy
import Operator
import Simulation
import Testing

/// Edits, pauses and order over the life of a rule.
@Suite struct LifecycleTests {
    /// A changed name is a rename in one write.
    @Test func renameInOneWrite() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "old"))
            try await world.becomesReady("web")
            world.clearCounts()
            world.apiServer.apply("web", spec: world.spec(name: "new"))
            try await world.becomesReady("web")
            #expect(world.names() == ["new"] + foreign)
            #expect(world.vcoWrites == 1)
            #expect(world.status("web").rule?.name == "new")
        }
    }

    /// Two resources may swap their names; each rule goes with its resource.
    @Test func swappedNames() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("one", spec: world.spec(name: "left", port: 1))
            world.apiServer.apply("two", spec: world.spec(name: "right", port: 2))
            try await world.becomesReady("one", "two")
        }
        world.apiServer.apply("one", spec: world.spec(name: "right", port: 1))
        world.apiServer.apply("two", spec: world.spec(name: "left", port: 2))
        try await world.run {
            try await world.becomesReady("one", "two")
            #expect(world.rule("right")?["match"]?["dport_low"] == 1)
            #expect(world.rule("left")?["match"]?["dport_low"] == 2)
            world.apiServer.delete("one")
            try await world.goes("one")
            #expect(world.rule("right") == nil)
            #expect(world.rule("left")?["match"]?["dport_low"] == 2)
        }
    }

    /// A paused resource's rule stays as it is under edits of the spec and of the portal; unpaused, both are made good.
    @Test func pauseHoldsAgainstEdits() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.pause("web")
            try await world.becomes("Paused", "web")
            #expect(!world.isStalled("web"))
            #expect(world.status("web").condition(.programmed)?.isTrue == true)
            world.clearCounts()
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try world.edit(
                .setMember(101, segment: World.segment, rule: "default.web", path: "match.dport_high", value: 9999))
            try await world.becomes("Paused", "web")
            try await world.requestReconcile("web", "look")
            #expect(world.vcoWrites == 0)
            world.unpause("web")
            try await world.becomesReady("web")
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 9090)
            #expect(world.rule("default.web")?["match"]?["dport_high"] == 9090)
        }
    }

    /// What was edited in the portal during a pause is made good as the pause ends, though the spec is what it was;
    /// also when the profile was written meanwhile, and when the pause ended while velokube was down.
    @Test(arguments: [false, true], [false, true])
    func editDuringPauseIsMadeGood(_ isWritten: Bool, _ isRestarted: Bool) async throws {
        let world = try World()
        let isGood: @Sendable () -> Bool = { world.rule("default.web")?["match"]?["dport_high"] == 8080 }
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.pause("web")
            try await world.becomes("Paused", "web")
            try world.edit(
                .setMember(101, segment: World.segment, rule: "default.web", path: "match.dport_high", value: 9999))
            if isWritten {
                world.apiServer.apply("other", spec: world.spec())
                try await world.becomesReady("other")
            }
            #expect(!isGood())
            guard !isRestarted else { return }
            world.unpause("web")
            try await world.until("it is made good") { isGood() }
        }
        guard isRestarted else { return }
        world.unpause("web")
        try await world.run { try await world.until("it is made good") { isGood() } }
    }

    /// A resource paused from the beginning gets no rule and no finalizer until it is unpaused.
    @Test func pausedFromTheBeginning() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(), annotations: [VelocloudBP.Annotation.paused: "true"])
            try await world.becomes("Paused", "web")
            #expect(world.calls["updateConfigurationModule"] == nil)
            #expect(world.apiServer.object("web")?["metadata"]?["finalizers"] == nil)
            world.unpause("web")
            try await world.becomesReady("web")
        }
    }

    /// Deletion wins over a pause.
    @Test func deletionWinsOverPause() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.pause("web")
            try await world.becomes("Paused", "web")
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// A rule that was removed in the portal is made again, one that was edited is put right, one moved is moved back.
    @Test func driftIsHealed() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            for name in ["a", "b", "c"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("a", "b", "c")
            let names = world.names()
            try world.edit(.deleteRule(101, segment: World.segment, rule: "default.b"))
            try await world.until("it is back") { world.names() == names }
            try world.edit(
                .setMember(
                    101, segment: World.segment, rule: "default.a", path: "action.QoS.rxScheduler.priority",
                    value: "high"))
            try await world.until("it is right") {
                world.rule("default.a")?["action"]?["QoS"]?["rxScheduler"]?["priority"] == "normal"
            }
            try world.edit(.reorder(101, segment: World.segment, rules: ["default.c", "default.a", "default.b"]))
            try await world.until("the order is back") { world.names() == names }
            try await world.becomesReady("a", "b", "c")
        }
    }

    /// Our rules stand by order, then name; a changed order moves the rule in one write.
    @Test func orderAmongOurs() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("z-first", spec: world.spec(["order": 10]))
            world.apiServer.apply("b-second", spec: world.spec(["order": 20]))
            world.apiServer.apply("a-last", spec: world.spec())
            try await world.becomesReady("z-first", "b-second", "a-last")
            #expect(world.names() == ["default.z-first", "default.b-second", "default.a-last"] + foreign)
            world.clearCounts()
            world.apiServer.apply("z-first", spec: world.spec(["order": 30]))
            try await world.becomesReady("z-first")
            #expect(world.names() == ["default.b-second", "default.z-first", "default.a-last"] + foreign)
            #expect(world.vcoWrites == 1)
        }
    }

    /// With placement at the bottom the first rule goes to the end, and the others next to it.
    @Test func placementBottom() async throws {
        let world = try World()
        let foreign = world.names()
        var settings = World.Settings()
        settings.policy.placement = .bottom
        try await world.run(settings) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.apply("app", spec: world.spec())
            try await world.becomesReady("app")
            #expect(world.names() == foreign + ["default.app", "default.web"])
        }
    }

    /// A rule that a WAN engineer puts above or among ours stays there, whatever we write afterwards.
    @Test func rulesOfOthersAmongOurs() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run(World.impatient) {
            for name in ["a", "c"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("a", "c")
            try world.addByHand(try world.honouringRule("among", port: 1), at: 1)
            try world.addByHand(try world.honouringRule("above", port: 2), at: 0)
            let among = try #require(world.rule("among"))
            world.apiServer.apply("b", spec: world.spec())
            world.apiServer.apply("a", spec: world.spec(port: 9090))
            try await world.becomesReady("a", "b")
            #expect(
                world.names() == ["above", "default.a", "default.b", "among", "default.c"] + foreign)
            #expect(world.rule("among") == among)
        }
    }

    /// An upgrade of the VCO that adds members to every rule is no drift: nothing is written.
    @Test func upgradeOfTheVCO() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.clearCounts()
            try world.edit(.upgrade(.v6))
            try await world.requestReconcile("web", "look")
            let calls = world.calls["getConfigurationModules"] ?? 0
            try await world.until("two resyncs") { world.calls["getConfigurationModules"] ?? 0 >= calls + 2 }
            #expect(world.vcoWrites == 0)
            #expect(world.isReady("web"))
        }
    }
}
