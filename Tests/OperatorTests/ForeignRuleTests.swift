import BusinessPolicy
import Operator
import Simulation
import Testing

/// Rules of a wanted name that somebody else made.
@Suite struct ForeignRuleTests {
    private let adopt = [VelocloudBP.Annotation.adopt: "true"]

    /// A foreign rule that differs is left as it is; the resource names it and waits for a human. What it holds is told
    /// to the operator's log alone.
    @Test func differentRuleIsLeftAlone() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine", port: 1234))
        let before = world.orchestrator.profile(101)?.data
        let lines = LogLines()
        try await world.run(log: lines.logger(of: world)) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            world.apiServer.apply("held-up", spec: world.spec(profile: World.branch))
            try await world.becomes("ForeignRule", "web")
            try await world.becomesReady("held-up")
            #expect(world.isStalled("web"))
            #expect(world.message("web").contains("a rule named \"mine\" that velokube did not create"))
            #expect(!world.message("web").contains("1234") && !world.message("web").contains("8080"))
            #expect(lines.text.contains("match.dport_low is 1234, wanted 8080"))
            #expect(world.orchestrator.profile(101)?.data == before)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.orchestrator.profile(101)?.data == before)
        }
    }

    /// Once the WAN engineer renames the rule, the resource gets its own by the next resync.
    @Test func freedNameIsTaken() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine", port: 1234))
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomes("ForeignRule", "web")
            try world.edit(
                .setMember(101, segment: World.segment, rule: "mine", path: "name", value: "by hand"))
            try await world.becomesReady("web")
            #expect(world.rule("by hand")?["match"]?["dport_low"] == 1234)
            #expect(world.rule("mine")?["match"]?["dport_low"] == 8080)
        }
    }

    /// Without permission a rule of the WAN team cannot be taken over by guessing its content: it is neither owned nor
    /// changed by the edit that follows, nor reverted when the WAN team edits it, nor removed with the resource.
    @Test func guessedRuleIsNotTakenOver() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine"), at: 2)
        let before = world.orchestrator.profile(101)?.data
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomes("ForeignRule", "web")
            #expect(world.status("web").rule == nil)
            world.apiServer.apply("web", spec: world.spec(name: "mine", port: 9090))
            try await world.becomes("ForeignRule", "web")
            #expect(world.orchestrator.profile(101)?.data == before)
            try world.edit(
                .setMember(101, segment: World.segment, rule: "mine", path: "match.dport_low", value: 7))
            let edited = world.orchestrator.profile(101)?.data
            try await world.requestReconcile("web", "look")
            #expect(world.orchestrator.profile(101)?.data == edited)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.orchestrator.profile(101)?.data == edited)
            #expect(world.vcoWrites == 0)
        }
    }

    /// Where adoption is allowed, a foreign rule that is what is wanted is adopted without a write, said so in the
    /// status, and left on deletion.
    @Test func honouringRuleIsAdoptedAndLeft() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine"), at: 2)
        let before = world.orchestrator.profile(101)?.data
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomesReady("web")
            #expect(world.apiServer.object("web")?["status"]?["rule"]?["adopted"] == .bool(true))
            #expect(world.vcoWrites == 0)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.orchestrator.profile(101)?.data == before)
        }
    }

    /// An adopted rule follows its resource's edits, also after a restart, and is put back as it was on deletion.
    @Test func editedAdoptedRuleIsPutBack() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine"), at: 2)
        let original = world.rule("mine")
        let order = world.names()
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: world.spec(name: "mine", port: 9090))
            try await world.becomesReady("web")
            #expect(world.rule("mine")?["match"]?["dport_low"] == 9090)
        }
        try await world.run(World.adopting) {
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.rule("mine") == original)
            #expect(world.names() == order)
        }
    }

    /// The `adopt` annotation does nothing unless the WAN team allows it.
    @Test func adoptingNeedsLeave() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine", port: 1234))
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "mine"), annotations: adopt)
            try await world.becomes("ForeignRule", "web")
            #expect(world.vcoWrites == 0)
        }
    }

    /// Allowed, it rewrites the rule where it stands, and deletion restores it with everything it said.
    @Test func adoptedRuleIsRewrittenAndRestored() async throws {
        let world = try World()
        var rule = try world.honouringRule("mine", fqdn: "old.example.com", port: 1234)
        rule["comment"] = "made by the WAN team"
        try world.addByHand(rule, at: 1)
        let original = world.rule("mine")
        let order = world.names()
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"), annotations: adopt)
            try await world.becomesReady("web")
            #expect(world.rule("mine")?["match"]?["hostname"] == "app.vcn.cloud")
            #expect(world.names() == order)
            #expect(world.status("web").rule?.isAdopted == true)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.rule("mine") == original)
            #expect(world.names() == order)
        }
    }

    /// Several rules of the wanted name cannot be told apart: nothing is touched, and the message says how many.
    @Test func severalOfTheName() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine", port: 1234))
        try world.addByHand(try world.honouringRule("mine", port: 4321))
        let before = world.orchestrator.profile(101)?.data
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"), annotations: adopt)
            world.apiServer.apply("other", spec: world.spec(profile: World.branch))
            try await world.becomes("ForeignRule", "web")
            try await world.becomesReady("other")
            #expect(world.message("web").contains("2 rules of this name"))
            #expect(world.orchestrator.profile(101)?.data == before)
        }
    }

    /// A namesake made beside our rule changes nothing; on deletion ours goes and the namesake stays.
    @Test func namesakeBesideOurs() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomesReady("web")
            var namesake = try world.honouringRule("mine", port: 1234)
            namesake["ruleLogicalId"] = "made-by-hand"
            try world.addByHand(namesake)
            try await world.requestReconcile("web", "look")
            #expect(world.isReady("web"))
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.names().filter { $0 == "mine" }.count == 1)
            #expect(world.rule("mine")?["ruleLogicalId"] == "made-by-hand")
        }
    }

    /// A rule of ours with namesakes of which none can be told to be ours is not deleted blindly: the resource says so.
    @Test func deletionSaysWhichRuleCannotBeTold() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomesReady("web")
            let ours = try #require(world.rule("mine"))
            try world.edit(.deleteRule(101, segment: World.segment, rule: "mine"))
            for id in ["one", "two"] {
                var copy = ours
                copy["ruleLogicalId"] = .string(id)
                try world.addByHand(copy)
            }
            world.apiServer.delete("web")
            try await world.until("it says why it stays") { world.message("web").contains("2 rules of this name") }
            #expect(world.names().filter { $0 == "mine" }.count == 2)
            try world.edit(.deleteRule(101, segment: World.segment, rule: "mine"))
            world.apiServer.annotate("web", VelocloudBP.Annotation.reconcileRequestedAt, "now")
            try await world.goes("web")
            #expect(!world.names().contains("mine"))
        }
    }
}
