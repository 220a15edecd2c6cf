import BusinessPolicy
import Testing

/// Which of several resources has a name, in a plan and before the VCO was read; both must agree.
@Suite struct ClaimsTests {
    private func holder(_ world: PlanWorld) throws -> [String: String] {
        let refusals = try world.plan().refusals
        #expect(refusals == claims(world.desired, recorded: world.recorded))
        return refusals.reduce(into: [:]) { result, refusal in
            if case .nameConflict(let holder) = refusal.cause { result[refusal.owner.name] = holder.name }
        }
    }

    // Among resources without a rule the older one gets the name, then the smaller uid; whatever the order they come
    // in.
    @Test func theOlderOneGetsTheName() throws {
        var world = PlanWorld()
        world.want("young", name: "n", created: "2026-01-02T00:00:00Z")
        world.want("old", name: "n", created: "2026-01-01T00:00:00Z")
        world.want("twin", name: "n", created: "2026-01-01T00:00:00Z")
        #expect(try holder(world) == ["young": "old", "twin": "old"])
        world.desired.reverse()
        #expect(try holder(world) == ["young": "old", "twin": "old"])
        #expect(try world.plan().steps == ["create n"])
    }

    // The recorded owner keeps the name against an older one, while it wants it.
    @Test func theRecordedOwnerKeepsTheName() throws {
        var world = PlanWorld()
        world.want("young", name: "n", created: "2026-01-02T00:00:00Z")
        world.want("old", name: "n", created: "2026-01-01T00:00:00Z")
        world.record("young", name: "n")
        world.put(PlanWorld.rule("n"))
        #expect(try holder(world) == ["old": "young"])
        world.desired[0].name = "m"
        #expect(try holder(world) == [:])
        #expect(try world.plan().steps == ["create m", "transfer n"])
    }

    // When the holder goes, the one that waited takes its rule over in the same write.
    @Test func theNameIsHandedOver() throws {
        var world = PlanWorld()
        world.want("waiting", name: "n", settings: PlanWorld.other)
        world.record("gone", name: "n")
        world.put(PlanWorld.rule("n"))
        #expect(try holder(world) == [:])
        let plan = try world.plan()
        #expect(plan.steps == ["transfer n"] && plan.changes[0].owner.name == "waiting")
        #expect(try world.after(plan).world.recorded.map(\.owner.name) == ["waiting"])
    }

    // A rule that was edited after its owner vanished is foreign to whoever wants the name next.
    @Test func editedRuleIsNotHandedOver() throws {
        var world = PlanWorld()
        world.want("waiting", name: "n")
        world.record("gone", name: "n") { $0.isOwnerAbsent = true }
        world.put(PlanWorld.foreign("n"))
        let plan = try world.plan()
        #expect(plan.steps == ["forget n"] && plan.changes[0].owner.name == "gone")
        guard case .foreignRule = plan.cause("waiting") else {
            Issue.record("\(plan.refusals)")
            return
        }
        world.segments[0].rules = [PlanWorld.rule("n", PlanWorld.other)]
        world.desired[0].want = .rule(PlanWorld.other, adoption: .satisfying)
        let adopt = try world.plan()
        #expect(adopt.steps == ["adopt n"] && adopt.changes[0].owner.name == "waiting")
    }

    // A record whose create came to nothing gives no claim: the rule of the name is somebody else's, and the older
    // resource has the name.
    @Test func failedCreateGivesNoClaim() throws {
        var world = PlanWorld()
        world.want("young", name: "n", created: "2026-01-02T00:00:00Z")
        world.want("old", name: "n", settings: PlanWorld.other, created: "2026-01-01T00:00:00Z")
        world.record("young", name: "n") { $0.intent = .create }
        world.put(PlanWorld.rule("n", PlanWorld.other))
        let plan = try world.plan()
        #expect(plan.steps == ["adopt n"] && plan.changes[0].owner.name == "old")
        #expect(plan.cause("young") == .nameConflict(holder: PlanWorld.owner("old")))
        let (after, document) = try world.after(plan)
        #expect(try after.plan(on: document).changes.isEmpty)
    }

    // A recreated resource follows its predecessor before an older one that waits.
    @Test func theSuccessorGoesFirst() throws {
        var world = PlanWorld()
        world.want("old", name: "n", created: "2020-01-01T00:00:00Z")
        world.want("a", name: "n", uid: "new")
        world.record("a", name: "n", uid: "old-uid")
        world.put(PlanWorld.rule("n"))
        #expect(try holder(world) == ["old": "a"])
    }

    // A held resource keeps the name of its recorded rule; without one it claims nothing.
    @Test func holdKeepsARecordedName() throws {
        var world = PlanWorld()
        world.hold("held", name: "n")
        world.want("b", name: "n")
        #expect(try holder(world) == [:])
        world.record("held", name: "n")
        #expect(try holder(world) == ["b": "held"])
    }

    // One name in two segments is two names, and the Global Segment is one whatever this VCO calls it.
    @Test func namesAreBySegment() throws {
        var world = PlanWorld()
        world.segments[0].name = "Default"
        world.want("a", name: "n", segment: "Global Segment")
        world.want("b", name: "n", segment: "Voice")
        #expect(try holder(world) == [:])
        world.want("c", name: "n", segment: "Default")
        world.record("c", name: "n")
        #expect(try holder(world) == ["a": "c"])
    }

    // With everything recorded and nothing else, an unmoved module need not be read; any one thing is enough to read
    // it.
    @Test func settledWorldIsTold() {
        var world = PlanWorld()
        world.want("a")
        world.record("a")
        world.want("v", segment: "Voice")
        world.record("v", segment: 3)
        world.hold("h")
        world.record("h", settings: nil) { $0.intent = .update }
        #expect(isSettled(desired: world.desired, recorded: world.recorded))
        #expect(isSettled(desired: [], recorded: []))
        let edits: [(inout PlanWorld) -> Void] = [
            { $0.desired[0].order = 1 }, { $0.desired[0].name = "b" }, { $0.desired[0].segment = "Voice" },
            { $0.desired[0].owner.uid = "new" }, { $0.want("new") }, { $0.desired.remove(at: 1) },
            { $0.desired[0].want = .rule(PlanWorld.other, adoption: .satisfying) }, { $0.record("gone") },
            { $0.recorded[0].intent = .update }, { $0.recorded[0].isOwnerAbsent = true },
            { $0.recorded[0].wanted = nil }, { $0.record("a", name: "old") }, { $0.recorded.removeAll() },
        ]
        for (index, edit) in edits.enumerated() {
            var edited = world
            edit(&edited)
            #expect(!isSettled(desired: edited.desired, recorded: edited.recorded), "edit \(index)")
        }
        world.recorded[0].segmentName = "Default"
        #expect(isSettled(desired: world.desired, recorded: world.recorded))
    }
}
