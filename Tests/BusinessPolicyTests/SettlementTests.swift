import BusinessPolicy
import Testing

/// What was read back, held against what was planned.
@Suite struct SettlementTests {
    /// A plan with a change of every kind that writes, and its world.
    private func busyWorld() -> PlanWorld {
        var world = PlanWorld()
        world.want("create", order: 1)
        world.want("update", order: 2, settings: PlanWorld.other)
        world.record("update", order: 2)
        world.want("heal", order: 3)
        world.record("heal", order: 3)
        world.want("adopt", order: 4, adoption: .any)
        world.want("transfer", order: 5, settings: PlanWorld.other, uid: "new")
        world.record("transfer", order: 5)
        world.record("delete")
        world.record("restore") { $0.original = PlanWorld.foreign("restore") }
        world.put(
            PlanWorld.rule("update"), PlanWorld.rule("heal", PlanWorld.other), PlanWorld.foreign("adopt"),
            PlanWorld.rule("transfer"), PlanWorld.rule("delete"), PlanWorld.rule("restore"))
        return world
    }

    // A document that came back as it was sent settles all, with the baseline filled in.
    @Test func whatWasSentSettles() throws {
        let world = busyWorld()
        let plan = try world.plan()
        #expect(Set(plan.changes.map(\.kind)) == [.create, .update, .heal, .adopt, .transfer, .delete, .restore])
        let document = try world.document.applying(plan)
        let outcome = settled(plan, readBack: document)
        #expect(outcome.failed.isEmpty && outcome.settled.map(\.place) == plan.changes.map(\.place))
        for change in outcome.settled where change.record != nil {
            #expect(change.record?.readBack?["name"] == .string(change.place.name) && change.record?.intent == nil)
        }
    }

    // A write that did not happen settles nothing, and says so change by change.
    @Test func whatWasNotWrittenFails() throws {
        let world = busyWorld()
        let plan = try world.plan()
        let outcome = settled(plan, readBack: try world.document)
        #expect(outcome.settled.isEmpty && outcome.failed.count == 7)
        let words = Dictionary(uniqueKeysWithValues: outcome.failed.map { ($0.change.place.name, $0.differences) })
        #expect(words["create"] == [#"rule "create" is missing"#])
        #expect(words["delete"] == [#"rule "delete" is still there"#])
        #expect(words["restore"] == [#"the rule that was there before "restore" is not back"#])
        #expect(words["heal"]?.contains("match.dport_low is 81, wanted 80") == true)
    }

    // A VCO that respells, adds members and assigns ids has honoured the rules: all settles, and nothing is written
    // again.
    @Test func respellingSettles() throws {
        let world = busyWorld()
        let plan = try world.plan()
        let readBack = try PolicyDocument(parsing: world.document.applying(plan).bytes).respelt()
        let (after, document) = try world.after(plan, readBack: readBack)
        #expect(after.recorded.first { $0.place.name == "create" }?.readBack?["ruleLogicalId"] != nil)
        #expect(try after.plan(on: document) == Plan())
    }

    // A clamped value fails its rule alone, with the difference.
    @Test func clampedValueFails() throws {
        var world = PlanWorld()
        var settings = PlanWorld.wanted
        settings.bandwidthCap = 80
        world.want("a", settings: settings)
        world.want("b")
        let plan = try world.plan()
        var clamped = world
        clamped.segments[0].rules = try world.document.applying(plan).segments[0].rules.map(\.value)
        clamped.segments[0].rules[0].set(["action", "QoS", "rxScheduler", "bandwidthCapPct"], to: 50)
        let outcome = settled(plan, readBack: try clamped.document)
        #expect(outcome.settled.map(\.place.name) == ["b"])
        #expect(outcome.failed.first?.differences == ["action.QoS.rxScheduler.bandwidthCapPct is 50, wanted 80"])
    }

    // A VCO that puts the rules in another order has not done what was asked.
    @Test func wrongOrderFails() throws {
        var world = PlanWorld()
        for name in ["a", "b", "c"] { world.want(name) }
        let plan = try world.plan()
        let document = try world.document.applying(plan)
        let swapped = document.applying(Plan(layouts: [0: [.kept(0), .kept(2), .kept(1)]]))
        let outcome = settled(plan, readBack: swapped)
        #expect(outcome.settled.map(\.place.name) == ["a"])
        #expect(
            outcome.failed.map(\.differences) == [
                ["it is number 3 of our rules, wanted number 2"], ["it is number 2 of our rules, wanted number 3"],
            ])
    }

    // Of several rules of one name, the one with the id that was sent is looked at.
    @Test func duplicatesAreToldByID() throws {
        var world = PlanWorld()
        world.want("a", settings: PlanWorld.other)
        world.record("a")
        world.put(PlanWorld.foreign("a"), PlanWorld.rule("a"))
        let (after, document) = try world.after(world.plan())
        #expect(after.recorded[0].readBack == PlanWorld.rule("a", PlanWorld.other))
        let plan = try world.plan()
        let doubled = document.applying(Plan(layouts: [0: [.kept(0), .kept(1), .kept(1)]]))
        #expect(settled(plan, readBack: doubled).failed.count == 1)
    }

    // What needed no write settles on the document as it is; a segment that vanished meanwhile settles nothing.
    @Test func plansWithoutAWriteSettle() throws {
        var world = PlanWorld()
        world.want("a")
        world.put(PlanWorld.rule("a"))
        world.record("b")
        let plan = try world.plan()
        #expect(try !plan.needsWrite && settled(plan, readBack: world.document).settled.count == 2)
        var gone = world
        gone.segments.removeFirst()
        #expect(settled(plan, readBack: try gone.document).failed.map(\.change.place.name) == ["a"])
    }
}

extension PolicyDocument {
    /// The document as a VCO might give it back: numbers in quotes, names in capitals, members and ids added.
    func respelt() throws -> PolicyDocument {
        var layouts: [Int: [Plan.Slot]] = [:]
        for segment in segments {
            layouts[segment.id] = segment.rules.enumerated().map { index, rule in
                guard rule.value["match"] != nil else { return .kept(index) }
                var value = rule.value
                for path in [["match", "dport_low"], ["action", "QoS", "rxScheduler", "bandwidthCapPct"]] {
                    if let number = value[path[0]]?[path[1]]?.int { value.set(path[...], to: .string("\(number).0")) }
                }
                if let hostname = value["match"]?["hostname"]?.string {
                    value["match"]?["hostname"] = .string(hostname.uppercased())
                }
                value["match"]?["dPortGroup"] = ""
                value["match"]?["sip"] = nil
                value["action"]?["newer"] = ["a": 1]
                if value["ruleLogicalId"] == nil { value["ruleLogicalId"] = "assigned-\(segment.id)-\(index)" }
                return .rule(value)
            }
        }
        return try PolicyDocument(parsing: applying(Plan(layouts: layouts)).bytes)
    }
}
