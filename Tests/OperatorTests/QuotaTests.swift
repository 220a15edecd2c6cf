import BusinessPolicy
import Operator
import Simulation
import Testing

/// Quotas of a namespace: who is let in, who waits, and what a limit says of itself.
@Suite struct QuotaTests {
    /// Makes resources one second apart, since their age decides.
    private func make(_ world: World, _ resources: [(String, JSON)]) {
        for (name, spec) in resources {
            world.apiServer.apply(name, spec: spec)
            world.clock.advance(by: .seconds(1))
        }
    }

    /// Who waits for room gets its rule when an older resource goes, though that was on another profile.
    @Test func waiterGetsInAsRoomAppears() async throws {
        let world = try World()
        world.limit(["max-rules": 2])
        try await world.run {
            make(
                world,
                [
                    ("first", world.spec(port: 1)), ("second", world.spec(profile: World.branch, port: 2)),
                    ("third", world.spec(port: 3)),
                ])
            try await world.becomesReady("first", "second")
            try await world.becomesOutOfLimits("third")
            #expect(world.message("third").contains(#"max-rules 2 of VelocloudLimit "preprod""#))
            try await world.until("the limit counts") {
                try world.limitStatus().rulesInUse == 2 && world.limitStatus().violators == ["third"]
            }
            world.apiServer.delete("second")
            try await world.becomesReady("third")
            try await world.goes("second")
            try await world.until("nobody waits") { try world.limitStatus().violating == 0 }
        }
    }

    /// Of two of the same age the one with a rule comes first: the other is told then that its place is taken.
    @Test func sameAge() async throws {
        let world = try World()
        world.limit(["max-total-bandwidth": 60], "ceiling")
        world.limit(["max-rules": 1], "single")
        try await world.run {
            world.apiServer.apply("first", spec: world.spec(port: 1))
            world.apiServer.apply("second", spec: world.spec(port: 2, ["bandwidth-limit": 50]))
            try await world.becomesReady("second")
            try await world.becomesOutOfLimits("first")
            try await world.until("both limits are named") {
                ["ceiling", "single"].allSatisfy { world.message("first").contains("VelocloudLimit \"\($0)\"") }
            }
        }
    }

    /// Bandwidth is counted on each profile; less asked for by one is room for another.
    @Test func bandwidthIsShared() async throws {
        let world = try World()
        world.limit(["max-total-bandwidth": 100])
        try await world.run {
            make(
                world,
                [
                    ("big", world.spec(port: 1, ["bandwidth-limit": 70])),
                    ("next", world.spec(port: 2, ["bandwidth-limit": 40])),
                    ("small", world.spec(port: 3, ["bandwidth-limit": 30])),
                    ("other", world.spec(profile: World.branch, port: 4, ["bandwidth-limit": 100])),
                ])
            try await world.becomesReady("big", "small", "other")
            try await world.becomesOutOfLimits("next")
            try await world.until("the limit counts") {
                try world.limitStatus().bandwidthInUse.map { "\($0.profile) \($0.percent)" }
                    == ["\(World.branch) 100", "\(World.profile) 100"]
            }
            world.apiServer.apply("big", spec: world.spec(port: 1, ["bandwidth-limit": 20]))
            try await world.becomesReady("big", "next", "small")
        }
    }

    /// A quota that is tightened takes the youngest rules away; the oldest keep theirs.
    @Test func tightenedQuotaTakesTheYoungest() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            make(world, (1...4).map { ("web\($0)", world.spec(port: $0)) })
            try await world.becomesReady("web1", "web2", "web3", "web4")
            world.limit(["max-rules": 2])
            try await world.becomesOutOfLimits("web3", "web4")
            try await world.until("two are left") {
                world.names() == ["default.web1", "default.web2"] + foreign
            }
            #expect(world.isReady("web1") && world.isReady("web2"))
        }
    }

    /// Limits of one namespace are nothing to another, and two of one namespace must both hold.
    @Test func limitsAreOfTheirNamespace() async throws {
        let world = try World()
        world.apiServer.createNamespace("prod")
        world.limit(["bandwidth-limit": ["maximum": 10]], "low")
        world.limit(["bandwidth-limit": ["maximum": 20]], "mid")
        world.limit(["bandwidth-limit": ["maximum": 80]], "high", namespace: "prod")
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(["bandwidth-limit": 15]))
            world.apiServer.apply("web", namespace: "prod", spec: world.spec(port: 1, ["bandwidth-limit": 80]))
            try await world.becomesOutOfLimits("web")
            #expect(world.message("web").contains(#""low""#) && !world.message("web").contains(#""mid""#))
            try await world.until("the other namespace is free of it") { world.isReady("web", namespace: "prod") }
        }
    }

    /// A limit that makes no sense says so, forbids what it plainly forbids, and takes nothing away.
    @Test func limitThatMakesNoSense() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.limit(["fqdn-patterns": "*.vcn.cloud"], "typo")
            try await world.becomesOutOfLimits("web")
            try await world.until("the limit says so") { try world.limitStatus("typo").valid?.isTrue == false }
            #expect(try world.limitStatus("typo").valid?.reason == "InvalidSpec")
            #expect(world.rule("default.web") != nil)
            world.limit(["fqdn-patterns": ["*.vcn.cloud"]], "typo")
            try await world.becomesReady("web")
            try await world.until("the limit is well again") { try world.limitStatus("typo").valid?.isTrue == true }
            world.limit(["fqdn-patterns": ["*.example.com"]], "other")
            try await world.until("both say that they contradict one another") {
                try ["typo", "other"].allSatisfy { try world.limitStatus($0).valid?.reason == "Contradiction" }
            }
        }
    }

    /// An idle world is idle: the status of a limit is written once.
    @Test func statusOfALimitIsWrittenOnce() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.limit(["max-rules": 5])
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            try await world.until("the limit counts") { try world.limitStatus().rulesInUse == 1 }
            world.clearCounts()
            try await world.requestReconcile("web", "look")
            try await world.until("a resync has passed") { world.versionReads > 1 }
            try await world.settle()
            #expect(world.apiServer.counts["patch velocloudlimits/status"] == nil)
        }
    }

    /// No new rule is made in a namespace that is being deleted; its limits may be gone already.
    @Test func endingNamespaceGetsNoNewRule() async throws {
        let world = try World()
        world.apiServer.createNamespace("going")
        world.apiServer.merge(
            ["metadata": ["finalizers": ["kubernetes"]]], "going", namespace: "", kind: .namespace)
        world.limit(["max-rules": 1], namespace: "going")
        try await world.run(World.impatient) {
            world.apiServer.apply("old", namespace: "going", spec: world.spec(port: 1))
            try await world.until("the first is ready") { world.isReady("old", namespace: "going") }
            world.clock.advance(by: .seconds(1))
            world.apiServer.apply("new", namespace: "going", spec: world.spec(port: 2))
            try await world.until("the second waits") { world.reason("new", namespace: "going") == "OutOfLimits" }
            world.apiServer.delete("going", namespace: "", kind: .namespace)
            world.removeLimit(namespace: "going")
            try await world.until("it is told why") { world.reason("new", namespace: "going") == "Pending" }
            let message = world.status("new", namespace: "going").condition(.programmed)?.message
            #expect(message == "The namespace is being deleted: no new rule is made for it.")
            try await world.settle()
            #expect(world.rule("going.new") == nil && world.rule("going.old") != nil)
            world.apiServer.delete("new", namespace: "going")
            try await world.until("it goes") { world.apiServer.object("new", namespace: "going") == nil }
        }
    }
}
