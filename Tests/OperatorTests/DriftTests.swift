import BusinessPolicy
import ControlLoop
import Operator
import Simulation
import Testing

/// What others do to the document, and what the VCO makes of it.
@Suite struct DriftTests {
    private static let edits: [(words: String, edit: PortalEdit)] = [
        (
            "hostname",
            .setMember(101, segment: World.segment, rule: "web", path: "match.hostname", value: .string("x.example"))
        ),
        (
            "bandwidth",
            .setMember(
                101, segment: World.segment, rule: "web", path: "action.QoS.rxScheduler.bandwidthCapPct", value: .int(3)
            )
        ),
        ("removed", .deleteRule(101, segment: World.segment, rule: "web")),
    ]

    /// A rule of ours that was changed or removed is put back at the next resync, and people are told what it was.
    @Test(arguments: edits.indices)
    func driftIsHealed(_ index: Int) async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            let names = world.names()
            let rule = world.rule("web")
            try world.edit(Self.edits[index].edit)
            try await world.passResync()
            try await world.until("put back") {
                world.rule("web")?.withoutID == rule?.withoutID && world.names() == names
            }
            try await world.until("told") { !world.messages("DriftCorrected").isEmpty }
            #expect(world.messages("DriftCorrected")[0].contains(Self.edits[index].words))
            #expect(world.metrics.snapshot.driftCorrections == 1)
            #expect(world.vcoWrites == 1)
            #expect(world.isReady("web"))
        }
    }

    /// All of ours removed, or put in another order: each is put back where it belongs, in one write.
    @Test func allAreHealed() async throws {
        let world = try World()
        try await world.run {
            try await world.establish(["a", "b", "c"].map { ($0, world.spec(name: $0)) })
            let names = world.names()
            try world.edit(.reorder(101, segment: World.segment, rules: ["c", "a"]))
            try await world.passResync()
            try await world.until("in order") { world.names() == names }
            try await world.settle()
            #expect(world.vcoWrites == 1)
            #expect(world.metrics.snapshot.driftCorrections >= 1)
            for name in ["a", "b", "c"] {
                try world.edit(.deleteRule(101, segment: World.segment, rule: name))
            }
            try await world.passResync()
            try await world.until("all are back") { world.names() == names }
            try await world.settle()
            #expect(world.vcoWrites == 2)
            #expect(["a", "b", "c"].allSatisfy { world.isReady($0) })
        }
    }

    /// What WAN engineers do to their own rules, and where they put them, is left as it is, byte for byte.
    @Test func foreignEditsStay() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            let foreign = try #require(world.names().last ?? nil)
            let mine = JSON.object([.init("name", .string("by hand")), .init("match", .object([]))])
            try world.edit(.addRule(101, segment: World.segment, index: 0, rule: mine))
            try world.edit(
                .setMember(
                    101, segment: World.segment, rule: foreign, path: "match.hostname", value: .string("x.example")))
            let data = world.orchestrator.profile(101)?.data
            try await world.passResync()
            try await world.until("it was read") { world.wholeReads == 1 }
            try await world.settle()
            #expect(world.orchestrator.profile(101)?.data == data)
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0)
        }
    }

    /// A VCO that spells rules in its own way, on every write in another, causes no second write: not at resyncs, not
    /// after a restart, not when a newer release adds members.
    @Test(arguments: OrchestratorModes.Respelling.allCases, [OrchestratorModes.RuleIDs.kept, .replaced])
    func respelling(_ respelling: OrchestratorModes.Respelling, _ ids: OrchestratorModes.RuleIDs) async throws {
        let world = try World()
        world.orchestrator.modes.respelling = respelling
        world.orchestrator.modes.ruleIDs = ids
        try await world.run {
            try await world.establish(["a", "b", "c"].map { ($0, world.spec(name: $0)) })
            for round in 1...12 {
                try await world.passResync()
                try await world.until("looked at") { world.calls["getConfigurationModules"] ?? 0 >= round }
            }
            try world.edit(.upgrade(.v6))
            try await world.passResync()
            try await world.until("the new release is read") { world.wholeReads >= 2 }
            try await world.settle()
        }
        try await world.run {
            try await world.until("the restart has looked") { world.calls["getConfigurationModules"] ?? 0 >= 14 }
            try await world.settle()
            // One change among the respelt is one write, and touches no other.
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0)
            world.apiServer.apply("b", spec: world.spec(name: "b", port: 9999))
            try await world.untilReady(["b"])
            try await world.settle()
            #expect(world.vcoWrites == 1)
        }
        #expect(world.metrics.snapshot.driftCorrections == 0)
    }

    /// A VCO that takes a rule and stores another is asked twice; then a human is told, and it is left alone, also
    /// after a restart, until the resource is edited.
    @Test func clampedRuleIsHeld() async throws {
        let world = try World()
        world.orchestrator.modes.bandwidthCapMax = 50
        try await world.run {
            try await world.establish()
            world.apiServer.apply("big", spec: world.spec(["bandwidth-limit": .int(75)]))
            try await world.until("it is told") { world.reason("big") == "RejectedByOrchestrator" }
            #expect(world.condition(.stalled, of: "big")?.isTrue == true)
            #expect(world.condition(.ready, of: "big")?.message.contains("50") == true)
            #expect(world.vcoWrites == 2)
            try await rest(world)
            #expect(world.vcoWrites == 2)
        }
        try await world.run {
            try await rest(world)
            #expect(world.vcoWrites == 2)
            #expect(world.isReady("web") && world.reason("big") == "RejectedByOrchestrator")
            world.apiServer.apply("big", spec: world.spec(["bandwidth-limit": .int(40)]))
            try await world.untilReady(["big"])
            #expect(world.vcoWrites == 3)
            world.apiServer.delete("big")
            try await world.until("big is gone") { world.apiServer.object("big") == nil }
            #expect(!world.names().contains("default.big"))
        }
    }

    private func rest(_ world: World) async throws {
        world.clearReads()
        try await world.passResync()
        try await world.until("looked at") { world.versionReads + world.wholeReads >= 1 }
        try await world.settle()
    }

    /// Drift that the VCO does not let us heal is told as such, until it does.
    @Test func unhealedDriftIsTold() async throws {
        let world = try World()
        try await world.run {
            try await world.establish()
            world.orchestrator.modes.missingPrivilege = .update
            try world.edit(Self.edits[0].edit)
            try await world.passResync()
            try await world.until("it is told") { world.reason("web") == "Drifted" }
            for _ in 0..<3 {
                world.clock.advance(by: .seconds(70))
                try await world.settle()
            }
            #expect(world.reason("web") == "Drifted")
            world.orchestrator.modes.missingPrivilege = .none
            world.clock.advance(by: .seconds(300))
            try await world.untilReady(["web"])
            #expect(world.metrics.snapshot.driftCorrections == 1)
            try await world.until("told") { world.messages("DriftCorrected").count == 1 }
        }
    }
}

extension JSON {
    /// A rule without the id that the VCO may give it anew.
    var withoutID: JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != "ruleLogicalId" })
    }
}
