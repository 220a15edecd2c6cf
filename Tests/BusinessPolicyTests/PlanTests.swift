import BusinessPolicy
import Testing

/// What happens to one rule: the truth table and the cases round it.
@Suite struct PlanTests {
    // The truth table: wanted, there, recorded, and what follows.
    @Test(arguments: [
        (true, false, false, ["create a"]), (true, false, true, ["create a"]), (true, true, true, []),
        (true, true, false, ["adopt a"]), (false, false, true, ["forget a"]), (false, true, true, ["delete a"]),
        (false, true, false, []), (false, false, false, []),
    ])
    func truthTable(_ wanted: Bool, _ there: Bool, _ recorded: Bool, _ steps: [String]) throws {
        var world = PlanWorld()
        if wanted { world.want("a") }
        if there { world.put(PlanWorld.rule("a")) }
        if recorded { world.record("a") }
        let plan = try world.plan()
        #expect(plan.steps == steps && plan.refusals.isEmpty)
        #expect(plan.needsWrite == (steps == ["create a"] || steps == ["delete a"]))
        let (after, document) = try world.after(plan)
        #expect(document.segments[0].rules.count == (wanted || (there && !recorded) ? 1 : 0))
        #expect(after.recorded.count == (wanted ? 1 : 0))
        #expect(try after.plan(on: document) == Plan())
    }

    // A new rule comes from the segment's own template, without an id, and all of it is recorded.
    @Test func createRecordsEverything() throws {
        var world = PlanWorld()
        world.template = try parse(RealRules.release5)
        world.template?["name"] = "Default-Any-Other"
        world.want("a", order: 7)
        let plan = try world.plan()
        let record = try #require(plan.change("a")?.record)
        #expect(record.template == world.template && record.wanted == PlanWorld.wanted && record.order == 7)
        #expect(record.segmentName == "Global Segment" && record.profileName == "P" && record.intent == nil)
        #expect(record.sent?["ruleLogicalId"] == nil && record.sent?["match"]?["appid"] == 70)
        #expect(plan.change("a")?.intent == .create && record.original == nil)
        #expect(try world.after(plan).world.recorded[0].readBack == record.sent)
        world.template = nil
        #expect(try world.plan().change("a")?.record?.template == builtInTemplate)
    }

    // A changed spec is an update: the template is taken anew, the VCO's id is kept.
    @Test func changedSpecIsAnUpdate() throws {
        var world = PlanWorld()
        world.want("a", settings: PlanWorld.other)
        world.record("a")
        world.put(PlanWorld.rule("a"))
        world.template?["match"]?["new"] = "x"
        let plan = try world.plan()
        #expect(plan.steps == ["update a"] && plan.change("a")?.intent == .update)
        #expect(plan.change("a")?.reason.contains(#"match.hostname is "a.example", wanted "b.example""#) == true)
        let rule = try world.after(plan).document.segments[0].rules[0].value
        #expect(rule["match"]?["new"] == "x" && rule["ruleLogicalId"] == "id-a")
    }

    // A change of the default on the VCO rewrites no rule by itself, and neither does a new release of velokube.
    @Test func templateStaysWithTheRule() throws {
        var world = PlanWorld()
        world.own("a")
        world.template?["match"]?["appid"] = 70
        #expect(try world.plan() == Plan())
        world.segments[0].rules = []
        #expect(try world.plan().change("a")?.record?.sent?["match"]?["appid"] == -1)
    }

    // An edit in the portal is healed, from the template that the rule was made with.
    @Test func editInThePortalIsHealed() throws {
        var world = PlanWorld()
        world.own("a")
        world.segments[0].rules[0]["match"]?["dport_low"] = 8080
        world.segments[0].rules[0]["action"]?["sla"] = .null
        world.template?["match"]?["appid"] = 70
        let plan = try world.plan()
        #expect(plan.steps == ["heal a"] && plan.change("a")?.reason == "match.dport_low is 8080, wanted 80")
        #expect(try world.after(plan).document.segments[0].rules[0].value == PlanWorld.rule("a"))
    }

    // What velokube does not map may be edited in the portal; a spec that the rule honours already needs no write.
    @Test func noWriteWithoutNeed() throws {
        var world = PlanWorld()
        world.own("a")
        world.segments[0].rules[0]["action"]?["edge2CloudRouteAction"]?["routePolicy"] = "direct"
        world.segments[0].rules[0]["ruleLogicalId"] = "other"
        #expect(try world.plan() == Plan())
        world.recorded[0].wanted = PlanWorld.other
        #expect(try world.plan().steps == ["record a"] && !world.plan().needsWrite)
    }

    // A record that differs from what is known is brought up to date without a write: order, names, an open intent,
    // an owner thought absent, and what was lost with the ledger.
    @Test(arguments: 0..<6) func recordIsBroughtUpToDate(_ index: Int) throws {
        var world = PlanWorld()
        world.own("a")
        let good = world.recorded[0]
        switch index {
        case 0: world.recorded[0].order = 5
        case 1: world.recorded[0].segmentName = "Old"
        case 2: world.recorded[0].profileName = "Old"
        case 3: world.recorded[0].intent = .update
        case 4: world.recorded[0].isOwnerAbsent = true
        default: (world.recorded[0].wanted, world.recorded[0].template) = (nil, nil)
        }
        let plan = try world.plan()
        #expect(plan.steps == ["record a"] && !plan.needsWrite && plan.change("a")?.intent == nil)
        #expect(try world.after(plan).world.recorded == [good])
    }

    // Without a ledger nothing is written: what honours is taken as it is; what does not is an update.
    @Test func rebuiltRecordIsNoReasonToWrite() throws {
        var world = PlanWorld()
        world.want("a", settings: PlanWorld.other)
        world.record("a", settings: nil) { ($0.template, $0.sent, $0.readBack) = (nil, nil, nil) }
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().steps == ["update a"])
    }

    // A foreign rule of the name is adopted when it honours, refused with the differences when not, and replaced only
    // with leave; its original is kept and put back in the end.
    @Test func foreignRuleIsRefusedOrAdopted() throws {
        var world = PlanWorld()
        world.want("a")
        world.put(PlanWorld.foreign("x"), PlanWorld.foreign("a"))
        let refused = try world.plan()
        #expect(refused.changes.isEmpty && refused.layouts.isEmpty)
        guard case .foreignRule(let place, let differences) = refused.cause("a") else {
            Issue.record("not refused")
            return
        }
        #expect(place == PlanWorld.place("a") && differences.contains("match.dport_low is 1, wanted 80"))

        world.desired = []
        world.want("a", adoption: .any)
        let plan = try world.plan()
        #expect(plan.steps == ["adopt a"] && plan.needsWrite && plan.change("a")?.intent == .create)
        let (after, document) = try world.after(plan)
        #expect(document.segments[0].rules[1].value == PlanWorld.rule("a", id: "foreign-a"))
        #expect(after.recorded[0].original == PlanWorld.foreign("a"))

        var gone = after
        gone.desired = []
        gone.segments[0].rules = document.segments[0].rules.map(\.value)
        let restore = try gone.plan()
        #expect(restore.steps == ["restore a"] && restore.change("a")?.intent == .delete)
        #expect(try gone.after(restore).document == world.document)
    }

    // Without permission a rule of somebody else stays foreign, also when its content was guessed to the letter; a copy
    // of the default rule needs none.
    @Test func satisfyingRuleIsRefusedWithoutPermission() throws {
        var world = PlanWorld()
        world.want("a", adoption: .never)
        world.put(PlanWorld.rule("a"))
        let plan = try world.plan()
        #expect(plan.changes.isEmpty && !plan.needsWrite)
        #expect(plan.cause("a") == .foreignRule(PlanWorld.place("a"), differences: []))
        world.put(PlanWorld.foreign("a"))
        #expect(try world.plan().changes.isEmpty && world.plan().cause("a") == .duplicateName(count: 2))
        world.segments[0].rules = [PlanWorld.rule("a", id: "id-default")]
        world.template?["ruleLogicalId"] = "id-default"
        #expect(try world.plan().steps == ["adopt a"])
    }

    // An adopted rule that needed no rewrite needs none when it is given back.
    @Test func silentAdoptionIsSilentlyGivenBack() throws {
        var world = PlanWorld()
        world.want("a")
        world.put(PlanWorld.rule("a"))
        let adopt = try world.plan()
        #expect(adopt.steps == ["adopt a"] && adopt.change("a")?.intent == nil)
        var (after, document) = try world.after(adopt)
        #expect(after.recorded[0].original == PlanWorld.rule("a") && after.recorded[0].sent == nil)
        after.desired = []
        let restore = try after.plan(on: document)
        #expect(restore.steps == ["restore a"] && !restore.needsWrite && restore.change("a")?.intent == nil)
        document = try after.after(restore).document
        #expect(document.segments[0].rules.count == 1)
    }

    // A rule with the id of the default rule was copied from it by a program, as the 2020 article's operator does: it
    // is no person's, and goes with its resource.
    @Test func copiedRuleIsDeleted() throws {
        var template = builtInTemplate
        template["ruleLogicalId"] = "id-default"
        var world = PlanWorld()
        world.template = template
        for name in ["b", "a"] {
            world.want(name)
            world.put(PlanWorld.rule(name, id: "id-default"))
        }
        let adopt = try world.plan()
        #expect(adopt.steps == ["adopt a", "adopt b"] && !adopt.needsWrite)
        var (after, document) = try world.after(adopt)
        #expect(after.recorded.allSatisfy { $0.original == nil })
        #expect(try after.plan(on: document) == Plan(), "and stays where it was found")
        after.desired.removeAll { $0.name == "a" }
        let delete = try after.plan(on: document)
        #expect(delete.steps == ["delete a"])
        #expect(document.applying(delete).segments[0].rules.map(\.name) == ["b"])
    }

    // An adopted rule whose original is lost is never deleted.
    @Test func adoptedRuleWithoutOriginalIsLeft() throws {
        var world = PlanWorld()
        world.record("a", settings: nil) { $0.original = .null }
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().steps == ["forget a"] && !world.plan().needsWrite)
        world.want("a")
        #expect(try world.plan().change("a")?.record?.original == .null)
    }

    // A create whose outcome is unknown owns the rule only if it is what was intended.
    @Test func unsettledCreate() throws {
        var world = PlanWorld()
        world.want("a")
        world.record("a") {
            $0.intent = .create
            $0.readBack = nil
        }
        #expect(try world.plan().steps == ["create a"])
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().steps == ["record a"])
        #expect(try world.after(world.plan()).world.recorded[0].intent == nil)
        world.desired = []
        #expect(try world.plan().steps == ["delete a"])
        world.segments[0].rules = [PlanWorld.foreign("a")]
        #expect(try world.plan().steps == ["forget a"])
        world.want("a")
        let plan = try world.plan()
        #expect(plan.steps == ["forget a"] && plan.cause("a") != nil && !plan.needsWrite)
    }

    // A write whose outcome is unknown is an update still, not an edit by somebody else.
    @Test func unsettledUpdateIsNoDrift() throws {
        var world = PlanWorld()
        world.want("a", settings: PlanWorld.other)
        world.record("a", settings: PlanWorld.other) { $0.intent = .update }
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().steps == ["update a"])
    }

    // The rule of an owner that vanished is taken away only while it is what was written.
    @Test func editedRuleOfAnAbsentOwnerIsLeft() throws {
        var world = PlanWorld()
        world.record("a") { $0.isOwnerAbsent = true }
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().steps == ["delete a"])
        world.segments[0].rules = [PlanWorld.rule("a", PlanWorld.other)]
        #expect(try world.plan().steps == ["forget a"])
        world.recorded[0].isOwnerAbsent = false
        #expect(try world.plan().steps == ["delete a"])
    }

    // A renamed resource loses the old rule and gets the new one in the same write; also in another segment.
    @Test func renameIsDeleteAndCreate() throws {
        var world = PlanWorld()
        world.want("a", name: "new")
        world.record("a", name: "old")
        world.put(PlanWorld.rule("old"))
        #expect(try world.plan().steps == ["create new", "delete old"])
        #expect(try world.names(after: world.plan()) == ["new"])
        world.desired = []
        world.want("a", name: "old", segment: "Voice")
        let plan = try world.plan()
        #expect(plan.steps == ["delete old", "create old"] && plan.changes.map(\.place.segmentID) == [0, 3])
        #expect(try world.after(plan).world.recorded.map(\.place.segmentID) == [3])
    }

    // Two resources that swap their names get each other's rules rewritten, one change a place.
    @Test func swappedNames() throws {
        var world = PlanWorld()
        world.want("a", name: "y", settings: PlanWorld.wanted)
        world.want("b", name: "x", settings: PlanWorld.other)
        world.record("a", name: "x")
        world.record("b", name: "y", settings: PlanWorld.other)
        world.put(PlanWorld.rule("x"), PlanWorld.rule("y", PlanWorld.other))
        let plan = try world.plan()
        #expect(plan.steps == ["transfer x", "transfer y"])
        let (after, document) = try world.after(plan)
        #expect(after.recorded.map(\.owner.name).sorted() == ["a", "b"])
        #expect(try after.plan(on: document) == Plan())
    }

    // A resource recreated under a new uid takes its rule over, without a write when it wants the same.
    @Test func recreatedResourceTakesOver() throws {
        var world = PlanWorld()
        world.want("a", uid: "new")
        world.record("a", uid: "old") {
            $0.isOwnerAbsent = true
            $0.original = PlanWorld.foreign("a")
        }
        world.put(PlanWorld.rule("a"))
        let plan = try world.plan()
        #expect(plan.steps == ["transfer a"] && !plan.needsWrite)
        let record = try #require(try world.after(plan).world.recorded.first)
        #expect(record.owner.uid == "new" && !record.isOwnerAbsent && record.original == PlanWorld.foreign("a"))
        world.segments[0].rules = [PlanWorld.rule("a", PlanWorld.other)]
        let rewrite = try world.plan()
        #expect(rewrite.steps == ["transfer a"] && rewrite.needsWrite && rewrite.change("a")?.intent == .update)
    }

    // A resource on hold keeps its rule, wherever it is recorded and whatever became of it.
    @Test func heldRuleIsUntouched() throws {
        var world = PlanWorld()
        world.hold("a", name: "new")
        world.record("a", name: "old") {
            $0.intent = .update
            $0.isOwnerAbsent = true
        }
        world.put(PlanWorld.foreign("old"))
        world.want("b", name: "old", created: "2020-01-01T00:00:00Z")
        let plan = try world.plan()
        #expect(plan.changes.isEmpty && plan.layouts.isEmpty)
        #expect(plan.cause("b") == .nameConflict(holder: PlanWorld.owner("a")))
    }

    // Among several rules of one name ours is the one with our id, else the only one that honours; else nobody guesses.
    @Test func duplicateNames() throws {
        var world = PlanWorld()
        world.want("a")
        world.record("a")
        world.put(PlanWorld.foreign("a"), PlanWorld.rule("a", PlanWorld.other))
        let byID = try world.plan()
        #expect(byID.steps == ["heal a"])
        #expect(
            try world.document.applying(byID).segments[0].rules.map(\.value) == [
                PlanWorld.foreign("a"), PlanWorld.rule("a"),
            ])
        world.segments[0].rules = [PlanWorld.foreign("a"), PlanWorld.rule("a", id: "new")]
        #expect(try world.plan() == Plan())
        world.segments[0].rules = [PlanWorld.foreign("a"), PlanWorld.foreign("a")]
        let ambiguous = try world.plan()
        #expect(ambiguous.changes.isEmpty && ambiguous.cause("a") == .duplicateName(count: 2))
        world.desired = []
        #expect(try world.plan().changes.isEmpty && world.plan().cause("a") == .duplicateName(count: 2))
        world.segments[0].rules = [PlanWorld.foreign("a"), PlanWorld.rule("a", id: "new")]
        let delete = try world.plan()
        #expect(delete.steps == ["delete a"])
        #expect(try world.after(delete).document.segments[0].rules.map(\.value) == [PlanWorld.foreign("a")])
    }

    // An unrecorded name that is there twice is adopted only where exactly one of the two is what is wanted.
    @Test func duplicateForeignNames() throws {
        var world = PlanWorld()
        world.want("a", adoption: .any)
        world.put(PlanWorld.foreign("a"), PlanWorld.foreign("a"))
        #expect(try world.plan().cause("a") == .duplicateName(count: 2) && world.plan().changes.isEmpty)
        world.segments[0].rules[1] = PlanWorld.rule("a")
        #expect(try world.plan().steps == ["adopt a"] && !world.plan().needsWrite)
    }

    // Segments are found by their exact name; the Global Segment also by its id; others are refused with what there is.
    @Test func segmentsAreFoundByName() throws {
        var world = PlanWorld()
        world.want("a")
        world.want("b", segment: "Voice")
        world.want("c", segment: "voice")
        world.segments[0].name = "Default"
        let plan = try world.plan()
        #expect(plan.steps == ["create a", "create b"] && plan.changes.map(\.place.segmentID) == [0, 3])
        #expect(plan.change("a")?.record?.segmentName == "Default")
        #expect(plan.cause("c") == .segmentNotFound(known: ["Default", "Voice"]))
        world.segments[1].name = "Global Segment"
        #expect(try world.plan().change("a")?.place.segmentID == 3)
    }

    // A segment that is not there (yet) takes no rule away elsewhere; a removed one takes its records along.
    @Test func missingSegmentKeepsTheOldRule() throws {
        var world = PlanWorld()
        world.want("a", segment: "Future")
        world.record("a")
        world.put(PlanWorld.rule("a"))
        #expect(try world.plan().changes.isEmpty && world.plan().cause("a") != nil)
        world.recorded = []
        world.record("a", segment: 9) { $0.segmentName = "Future" }
        #expect(try world.plan().steps == ["forget a"])
    }

    // Our rules are taken out of a segment that was renamed, by its id: nobody asks for the new name.
    @Test func renamedSegmentLosesOurRules() throws {
        var world = PlanWorld()
        world.want("a", segment: "Voice")
        world.record("a", segment: 3)
        world.put(PlanWorld.rule("a"), segment: 3)
        #expect(try world.plan() == Plan())
        world.segments[1].name = "Telephony"
        let plan = try world.plan()
        #expect(plan.steps == ["delete a"] && plan.cause("a") != nil)
        #expect(try world.names(after: plan, segment: 3) == [])
    }

    // A delete whose outcome is unknown must not take a namesake along: that one bears another id and says something
    // else. Nor is it forgotten while the rule may still be ours.
    @Test func unsettledDeleteSparesNamesakes() throws {
        var world = PlanWorld()
        world.record("a") { $0.intent = .delete }
        #expect(try world.plan().steps == ["forget a"])
        world.put(PlanWorld.foreign("a"))
        #expect(try world.plan().steps == ["forget a"] && !world.plan().needsWrite)
        world.put(PlanWorld.foreign("a", id: "third"))
        #expect(try world.plan().steps == ["forget a"])
        for rule in [PlanWorld.rule("a"), PlanWorld.rule("a", id: "new"), PlanWorld.rule("a", PlanWorld.other)] {
            world.segments[0].rules = [rule]
            #expect(try world.plan().steps == ["delete a"])
        }
        (world.recorded[0].readBack, world.recorded[0].wanted) = (nil, nil)
        world.segments[0].rules = [PlanWorld.foreign("a")]
        #expect(try world.plan().steps == ["delete a"])
    }
}
