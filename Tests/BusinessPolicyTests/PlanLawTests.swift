import BusinessPolicy
import Testing

/// What holds for every plan, tried on thousands of worlds. A failure names its seed.
@Suite struct PlanLawTests {
    /// Worlds a block; blocks run side by side.
    private static let blockSize = 120

    private func eachWorld(_ block: Int, _ law: (PlanWorld, Plan, inout TestRandom) throws -> String?) throws {
        for seed in block * Self.blockSize..<(block + 1) * Self.blockSize {
            var random = TestRandom(seed: seed)
            let world = PlanWorld.random(using: &random)
            if let fault = try law(world, world.plan(), &random) {
                Issue.record("seed \(seed): \(fault)")
                return
            }
        }
    }

    // Once a plan was carried out and settled, planning again gives no change, and everything settles.
    @Test(arguments: 0..<12) func replanningGivesNoChanges(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let written = try PolicyDocument(parsing: world.document.applying(plan).bytes)
            let outcome = settled(plan, readBack: written)
            if let failed = outcome.failed.first {
                return "\(failed.change.kind) \(failed.change.place): \(failed.differences)"
            }
            let again = try world.recording(outcome.settled).plan(on: written)
            if !again.changes.isEmpty || again.needsWrite { return "\(plan.steps), then \(again.steps)" }
            if again.refusals == plan.refusals { return nil }
            return "\(plan.refusals.map(\.owner.uid)), then \(again.refusals.map(\.owner.uid)); \(plan.steps); "
                + "\(world.recorded.map(summary)); \(plan.refusals); \(again.refusals)"
        }
    }

    // The same, when the VCO respells every rule it is given, and again on the next write.
    @Test(arguments: 0..<4) func respellingCausesNoSecondWrite(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let readBack = try world.document.applying(plan).respelt()
            let outcome = settled(plan, readBack: readBack)
            if let failed = outcome.failed.first {
                return "\(failed.change.kind) \(failed.change.place): \(failed.differences)"
            }
            let again = try world.recording(outcome.settled).plan(on: readBack)
            return again.needsWrite ? "\(plan.steps), then \(again.steps)" : nil
        }
    }

    // The order in which resources and records come in does not matter.
    @Test(arguments: 0..<4) func inputOrderDoesNotMatter(_ block: Int) throws {
        try eachWorld(block) { world, plan, random in
            var shuffled = world
            shuffled.desired.shuffle(using: &random)
            shuffled.recorded.shuffle(using: &random)
            return try shuffled.plan() == plan ? nil : "\(plan.steps)"
        }
    }

    // Rules that no change names keep their bytes and their order among one another: foreign ones and held ones. Of the
    // rules that share a name with a change, at most one is touched.
    @Test(arguments: 0..<8) func foreignRulesAreKept(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let before = try world.document
            let after = before.applying(plan)
            for (old, new) in zip(before.segments, after.segments) {
                let changed = Set(plan.changes.filter { $0.place.segmentID == old.id }.map(\.place.name))
                let isForeign: (PolicyDocument.Rule) -> Bool = { rule in rule.name.map { !changed.contains($0) } ?? true
                }
                if old.rules.filter(isForeign) != new.rules.filter(isForeign) {
                    return "segment \(old.id): \(plan.steps)"
                }
                for name in changed {
                    let kept = Set(new.rules.map(\.bytes))
                    let lost = old.rules.filter { $0.name == name && !kept.contains($0.bytes) }
                    if lost.count > 1 { return "\(lost.count) rules called \(name) are gone" }
                }
                if plan.layouts[old.id] == nil, old != new { return "segment \(old.id) has no layout, yet changed" }
            }
            return nil
        }
    }

    // Nothing of a held resource is changed: neither its records nor its rules nor its names.
    @Test(arguments: 0..<4) func heldRulesAreUntouched(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let held = world.desired.filter { $0.want == .hold }.map(\.owner)
            let places = world.recorded.filter { record in held.contains { $0.uid == record.owner.uid } }.map(\.place)
            if let change = plan.changes.first(where: { held.contains($0.owner) || places.contains($0.place) }) {
                return "\(change.kind) \(change.place)"
            }
            return plan.refusals.contains { held.contains($0.owner) } ? "\(plan.refusals)" : nil
        }
    }

    // A plan has one change a place, sorted; it writes exactly when a rule is rewritten, made, taken away or moved.
    @Test(arguments: 0..<4) func plansAreWellFormed(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let places = plan.changes.map { ($0.place.segmentID, $0.place.name) }
            if zip(places, places.dropFirst()).contains(where: { $0 >= $1 }) { return "not sorted: \(plan.steps)" }
            let owners = plan.refusals.map(\.owner)
            if owners != owners.sorted() { return "refusals are not sorted" }
            let document = try world.document
            let changed = document.segments.filter { segment in
                document.applying(plan).segments.first { $0.id == segment.id } != segment
            }
            if Set(changed.map(\.id)) != Set(plan.layouts.keys) { return "layouts of \(plan.layouts.keys)" }
            if !plan.needsWrite, let change = plan.changes.first(where: { $0.intent != nil }) {
                return "\(change.kind)"
            }
            return nil
        }
    }

    // Afterwards every resource has what it wants or a refusal; its rule honours it, is recorded, and stands in order;
    // and no record is left of anybody who wants none, but where it cannot be told which rule it is.
    @Test(arguments: 0..<8) func everyWishIsFulfilledOrRefused(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let (after, document) = try world.after(plan)
            let refused = Set(plan.refusals.map(\.owner.uid))
            for rule in world.desired {
                guard case .rule(let settings, _) = rule.want, !refused.contains(rule.owner.uid) else { continue }
                let mine = after.recorded.filter { $0.owner == rule.owner }
                guard mine.count == 1, mine[0].wanted == settings, mine[0].order == rule.order, mine[0].intent == nil
                else {
                    return "\(rule.owner.name) has \(mine.map(\.place))"
                }
                if mine[0].place.name != rule.name { return "\(rule.owner.name) is at \(mine[0].place)" }
            }
            let living = Set(world.desired.map(\.owner.uid))
            let left = after.recorded.filter { !living.contains($0.owner.uid) && !refused.contains($0.owner.uid) }
            if let record = left.first { return "\(record.place) is left of \(record.owner)" }
            return orderFault(after, document, held: Set(world.desired.filter { $0.want == .hold }.map(\.owner.uid)))
        }
    }

    /// What is out of order among the rules of those who want one and have it; of those that were found, the number
    /// alone counts.
    private func orderFault(_ world: PlanWorld, _ document: PolicyDocument, held: Set<String>) -> String? {
        for segment in document.segments {
            let ours = segment.rules.compactMap { rule -> OwnedRule? in
                world.recorded.first { record in
                    record.place.segmentID == segment.id && record.place.name == rule.name
                        && record.readBack == rule.value
                        && world.desired.contains {
                            $0.owner == record.owner && $0.want != .hold && $0.name == record.place.name
                                && ($0.segment == segment.name || ($0.segment == "Global Segment" && segment.id == 0))
                        }
                }
            }
            let orders = ours.map(\.order)
            let keys = ours.filter { $0.original == nil }.map { ($0.order, $0.owner.namespace, $0.owner.name) }
            if orders != orders.sorted() || zip(keys, keys.dropFirst()).contains(where: { $0 > $1 }) {
                return "out of order: \(keys) in \(orders)"
            }
        }
        return nil
    }

    // Stopped between noting the intent and the write, or between the write and its settlement, the next plan leads to
    // the same document and the same records. (Not so for twins: when of two rules that say the same one was to be
    // deleted, and nobody knows whether it was, the other one cannot be told from it.)
    @Test(arguments: 0..<8) func stoppingAnywhereConverges(_ block: Int) throws {
        try eachWorld(block) { world, plan, _ in
            let document = try world.document
            if document.segments.contains(where: hasTwins) { return nil }
            let (done, written) = try world.after(plan)
            var intended = world
            for change in plan.changes {
                guard let noted = change.noted else { continue }
                intended.recorded.removeAll { $0.place == change.place }
                intended.recorded.append(noted)
            }
            for start in [document, written] {
                let second = try intended.plan(on: start)
                let outcome = settled(second, readBack: start.applying(second))
                let moment = start == document ? "before" : "after"
                let steps = "\(moment) the write: \(plan.steps), then \(second.steps)"
                if start.applying(second).bytes != written.bytes { return steps }
                let records = Set(intended.recording(outcome.settled).recorded.map(comparable))
                let differing = records.symmetricDifference(done.recorded.map(comparable))
                if !differing.isEmpty { return "\(steps), records differ: \(differing.map(summary))" }
            }
            return nil
        }
    }

    private func hasTwins(_ segment: PolicyDocument.Segment) -> Bool {
        let rules = segment.rules.compactMap { rule -> JSON? in
            var value = rule.value
            value["ruleLogicalId"] = nil
            return rule.name == nil ? nil : value
        }
        return Set(rules).count < rules.count
    }

    /// A record without what depends on which of two equal ways led to it.
    private func comparable(_ record: OwnedRule) -> OwnedRule {
        var record = record
        record.sent = nil
        return record
    }

    private func summary(_ record: OwnedRule) -> String {
        let baseline = record.readBack?.ruleLogicalIDText ?? "none"
        let open = record.intent?.rawValue ?? "settled"
        return "\(record.place.segmentID)/\(record.place.name) of \(record.owner.uid), \(open), order \(record.order), "
            + "baseline \(baseline), original \(record.original != nil), absent \(record.isOwnerAbsent)"
    }
}

extension JSON {
    fileprivate var ruleLogicalIDText: String? { self["ruleLogicalId"]?.string }
}
