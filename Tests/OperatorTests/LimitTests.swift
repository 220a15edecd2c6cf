import BusinessPolicy
import Operator
import Simulation
import Testing

/// What the operator makes of the limits of a namespace.
@Suite struct LimitTests {
    /// A resource outside its limits gets no rule, and everybody concerned is told why.
    @Test func outsideGetsNoRule() async throws {
        let world = try World()
        let foreign = world.names()
        world.limit(["bandwidth-limit": ["maximum": 50], "protocols": ["tcp"]])
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 75, "protocol": "udp"]))
            try await world.becomesOutOfLimits("web")
            let accepted = try #require(world.status("web").condition(.accepted))
            #expect(!accepted.isTrue && accepted.reason == "OutOfLimits")
            #expect(
                accepted.message == #"spec.protocol udp is not one of tcp, the protocols of VelocloudLimit "preprod"; "#
                    + #"spec.bandwidth-limit 75 is over 50, the maximum of VelocloudLimit "preprod"."#)
            #expect(world.isStalled("web") && world.status("web").condition(.programmed)?.isTrue == false)
            #expect(world.names() == foreign && world.vcoWrites == 0)
            try await world.until("the events are there") {
                world.events("LimitExceeded").count >= 3 && world.limitEvents("LimitExceeded").count >= 1
            }
            try await world.until("the limit says who breaks it") {
                try world.limitStatus().violators == ["web"] && world.limitStatus().governed == 1
            }
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 50]))
            try await world.becomesReady("web")
            try await world.until("nobody breaks it") {
                try world.limitStatus().violating == 0 && world.limitStatus().rulesInUse == 1
            }
        }
    }

    /// A limit that is tightened takes rules away, and one that is loosened or removed gives them back; the resources
    /// are not touched for it.
    @Test(arguments: ["loosened", "removed"]) func tightenedLimitRemovesRules(_ way: String) async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            world.apiServer.apply("slow", spec: world.spec(port: 1, ["bandwidth-limit": 10]))
            try await world.becomesReady("web", "slow")
            world.limit(["bandwidth-limit": ["maximum": 20]])
            try await world.becomesOutOfLimits("web")
            try await world.until("its rule is gone") { world.names() == ["default.slow"] + foreign }
            try await world.until("its status names no rule") { world.status("web").rule == nil }
            #expect(world.isReady("slow"))
            if way == "loosened" { world.limit(["bandwidth-limit": ["maximum": 40]]) } else { world.removeLimit() }
            try await world.becomesReady("web")
            #expect(Set(world.names()) == Set(["default.slow", "default.web"] + foreign))
            #expect(world.apiServer.object("web")?["metadata"]?["generation"] == 1)
        }
    }

    /// With Keep the rule stays as it is, also against an edit of the resource; within the limit again it follows.
    @Test func keptRulesStay() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            try await world.becomesReady("web")
            world.limit(["bandwidth-limit": ["maximum": 20], "on-violation": "Keep"])
            try await world.becomesOutOfLimits("web")
            world.clearCounts()
            world.apiServer.apply("web", spec: world.spec(port: 9, ["bandwidth-limit": 90]))
            try await world.becomesOutOfLimits("web")
            try await world.requestReconcile("web", "look")
            #expect(world.vcoWrites == 0 && world.status("web").rule?.name == "default.web")
            #expect(world.rule("default.web")?["action"]?["QoS"]?["rxScheduler"]?["bandwidthCapPct"] == 40)
            // A new one gets none, Keep or not.
            world.apiServer.apply("new", spec: world.spec(port: 2, ["bandwidth-limit": 30]))
            try await world.becomesOutOfLimits("new")
            #expect(world.vcoWrites == 0)
            world.apiServer.apply("web", spec: world.spec(port: 9, ["bandwidth-limit": 15]))
            try await world.becomesReady("web")
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 9)
            world.limit(["bandwidth-limit": ["maximum": 5]])
            try await world.until("with Remove it goes") { world.rule("default.web") == nil }
        }
    }

    /// Neither a pause nor a spec that makes no sense keeps a rule that a limit takes away.
    @Test(arguments: ["paused", "paused and edited", "invalid"]) func noWayRoundALimit(_ way: String) async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            try await world.becomesReady("web")
            if way != "invalid" {
                world.pause("web")
                try await world.becomes("Paused", "web")
                // What it asks for from here on is within the limit, but its rule is not written anew.
                if way != "paused" { world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 10])) }
            } else {
                world.apiServer.apply("web", spec: world.spec(["dport-high": 1]))
                try await world.becomes("InvalidSpec", "web")
            }
            world.limit(["bandwidth-limit": ["maximum": 20]])
            try await world.until("the rule is gone") { world.rule("default.web") == nil }
            try await world.until("the status names none") { world.status("web").rule == nil }
            let reason = way == "paused" ? "OutOfLimits" : way == "invalid" ? "InvalidSpec" : "Paused"
            try await world.requestReconcile("web", "look")
            try await world.becomes(reason, "web")
        }
    }

    /// A limit that was tightened while nobody ran is found at the start, with a ledger and without one.
    @Test(arguments: [false, true]) func tightenedWhileDown(_ losesLedger: Bool) async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            try await world.becomesReady("web")
        }
        if losesLedger { world.loseLedger() }
        world.limit(["bandwidth-limit": ["maximum": 20]])
        try await world.run {
            try await world.becomesOutOfLimits("web")
            try await world.until("the rule is gone") { world.names() == foreign }
            try await world.until("the status names none") { world.status("web").rule == nil }
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// An adopted rule is put back as it was found.
    @Test func adoptedRuleIsPutBack() async throws {
        let world = try World()
        let rule = try world.honouringRule("default.web")
        try world.addByHand(rule)
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.limit(["profiles": ["Another"]])
            try await world.becomesOutOfLimits("web")
            try await world.until("the status names none") { world.status("web").rule == nil }
            #expect(world.rule("default.web") == rule)
        }
    }

    /// While the VCO cannot be reached a rule that is to go is said to be there; then it goes.
    @Test func removalWaitsForTheVCO() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            try await world.becomesReady("web")
            world.breakOrchestrator(.connect)
            world.limit(["bandwidth-limit": ["maximum": 20]])
            try await world.becomesOutOfLimits("web")
            try await world.until("it says what keeps the rule") {
                world.status("web").condition(.programmed)?.reason == "Unreachable"
            }
            #expect(world.status("web").rule?.name == "default.web")
            world.breakOrchestrator(nil)
            world.clock.advance(by: .seconds(20))
            try await world.until("the rule is gone") { world.rule("default.web") == nil }
            try await world.until("the status names none") { world.status("web").rule == nil }
        }
    }

    /// One change of a limit that a thousand resources break costs one write.
    @Test func thousandAreRemovedAtOnce() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            let names = (0..<1000).map { "web\($0)" }
            try await world.establish(
                names.enumerated().map { ($1, world.spec(name: $1, port: $0 + 1, ["bandwidth-limit": 40])) })
            world.limit(["bandwidth-limit": ["maximum": 20]])
            try await world.until("all rules are gone", within: .seconds(60)) { world.names() == foreign }
            #expect(world.vcoWrites == 1)
            try await world.until("the limit says so", within: .seconds(60)) {
                try world.limitStatus().violating == 1000 && world.limitStatus().violators.count == 10
            }
            try await world.until("all are told", within: .seconds(60)) {
                names.allSatisfy { world.status($0).rule == nil }
            }
            try await world.settle()
            #expect(world.statusWrites <= 2000)
            #expect(world.vcoWrites == 1)
        }
    }

    /// A dry run tells limits nothing and takes no rule away.
    @Test func dryRunWritesNothing() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 40]))
            try await world.becomesReady("web")
        }
        world.limit(["bandwidth-limit": ["maximum": 20]])
        world.clearCounts()
        var settings = World.Settings()
        settings.policy.isDryRun = true
        try await world.run(settings) {
            try await world.until("it has looked") { world.wholeReads > 0 }
            try await world.settle()
        }
        #expect(world.vcoWrites == 0 && world.statusWrites == 0)
        #expect(world.apiServer.counts["patch velocloudlimits/status"] == nil)
        #expect(world.rule("default.web") != nil)
    }
}
