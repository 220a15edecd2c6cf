import BusinessPolicy
import HTTPTransport
import Operator
import Simulation
import Testing

/// Names and ids that change hands behind the back of the operator.
@Suite struct ChangingHandsTests {
    /// A profile that takes over the name of another does not inherit its rules: what people made there stays theirs.
    @Test func profileTakesOverAName() async throws {
        let world = try World()
        try await world.run(World.Settings(resync: .seconds(1))) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is ready") { world.isReady("web") }
            var theirs = try #require(world.rule("default.web"))
            var match = try #require(theirs["match"])
            match["hostname"] = .string("theirs.example.net")
            theirs["match"] = match
            theirs["ruleLogicalId"] = .string("99999999-0000-4000-8000-000000000099")
            try world.edit(.addRule(102, segment: World.segment, index: 0, rule: theirs))
            try world.edit(.renameProfile(101, to: "Old Profile"))
            try world.edit(.renameProfile(102, to: World.profile))
            try await world.until("the rule on the new profile is foreign") { world.reason("web") == "ForeignRule" }
            try await world.until("ours is taken out of the old one") { !world.names().contains("default.web") }
            #expect(world.rule("default.web", 102)?["match"]?["hostname"]?.string == "theirs.example.net")
        }
    }

    /// A deletion whose update was lost is made again, though the VCO has given the rule another id meanwhile.
    @Test func deletionIsNotForgotten() async throws {
        let world = try World()
        let foreign = world.names()
        let isLost = Locked(false)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is ready") { world.isReady("web") }
            world.onRequest { request in
                guard request.url.hasSuffix("updateConfigurationModule") else { return nil }
                guard
                    isLost.withLock({ isLost in
                        defer { isLost = true }
                        return !isLost
                    })
                else { return nil }
                let id = JSON.string("99999999-0000-4000-8000-000000000099")
                try? world.edit(
                    .setMember(101, segment: World.segment, rule: "default.web", path: "ruleLogicalId", value: id))
                return .brokenBefore
            }
            world.apiServer.delete("web")
            try await world.until("web is gone") { world.apiServer.object("web") == nil }
            #expect(isLost.withLock { $0 })
            #expect(world.names() == foreign)
        }
    }

    /// A spec that is put back as it was does not hear of the refusal in between.
    @Test func specIsPutBack() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is ready") { world.isReady("web") }
            world.apiServer.apply("web", spec: world.spec(["segment": "Nope"]))
            try await world.until("the segment is missing") { world.reason("web") == "SegmentNotFound" }
            world.apiServer.apply("web", spec: world.spec())
            try await world.until("web is ready again") { world.isReady("web") }
            #expect(world.names().contains("default.web"))
        }
    }

    /// Two resources that swap profiles while the VCO is away do not keep calling one another.
    @Test func keysDoNotCallOneAnother() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("one", spec: world.spec())
            world.apiServer.apply("two", spec: world.spec(profile: "Branch Profile"))
            try await world.until("both are ready") { world.isReady("one") && world.isReady("two") }
            world.orchestrator.inject(.unavailable, calls: nil)
            let before = world.metrics.snapshot.reconciles.values.reduce(0, +)
            world.apiServer.apply("one", spec: world.spec(profile: "Branch Profile"))
            world.apiServer.apply("two", spec: world.spec())
            try await world.until("both hear of the outage") {
                world.reason("one") == "Unreachable" && world.reason("two") == "Unreachable"
            }
            try await world.settle()
            #expect(world.metrics.snapshot.reconciles.values.reduce(0, +) - before < 30)
            world.orchestrator.clearFaults()
            try await world.until("both are ready", within: .seconds(60)) {
                world.isReady("one") && world.isReady("two")
            }
            #expect(!world.names().contains("default.one") && world.names().contains("default.two"))
        }
    }
}
