/// Tells which changes of a plan the document that was read back bears out.
///
/// A change that wrote is settled when the rule honours what was wanted, stands in its order, or is gone. The settled
/// ones come with `record.readBack` filled and no intent, ready for the ledger; the others with what is wrong, in
/// words. For a plan that needed no write, the document it was made from is what was read back.
package func settled(
    _ plan: Plan, readBack: PolicyDocument
) -> (settled: [Change], failed: [(change: Change, differences: [String])]) {
    let segments = Dictionary(uniqueKeysWithValues: readBack.segments.map { ($0.id, SegmentView($0)) })
    let misplaced = misplacedRules(plan, segments)
    var settled: [Change] = []
    var failed: [(change: Change, differences: [String])] = []
    for change in plan.changes {
        var change = change
        var differences = verify(&change, in: segments[change.place.segmentID])
        if differences.isEmpty, let words = misplaced[change.place.segmentID]?[change.place.name] {
            differences = [words]
        }
        if differences.isEmpty {
            settled.append(change)
        } else {
            failed.append((change, differences))
        }
    }
    return (settled, failed)
}

/// What of a change the segment does not bear out; fills the record's baseline when it bears out all.
private func verify(_ change: inout Change, in segment: SegmentView?) -> [String] {
    let name = change.place.name
    let candidates = segment?.indices(of: name) ?? []
    switch change.kind {
    case .forget: return []
    case .delete:
        return candidates.count > change.namesakes ? ["rule \"\(name)\" is still there"] : []
    case .restore:
        let rules = candidates.compactMap { segment?.segment.rules[$0].value }
        guard let original = change.restored, !rules.contains(where: { $0.covers(original) }) else { return [] }
        return ["the rule that was there before \"\(name)\" is not back"]
    case .create, .update, .heal, .move, .adopt, .transfer, .record:
        guard let record = change.record, let wanted = record.wanted else { return [] }
        guard let segment, !candidates.isEmpty else { return ["rule \"\(name)\" is missing"] }
        let template = record.template ?? segment.template
        let rules = candidates.map { segment.segment.rules[$0].value }
        guard let rule = pick(rules, of: record, by: change.found?.ruleLogicalID, template: template) else {
            return ["\(rules.count) rules are called \"\(name)\", and it cannot be told which is ours"]
        }
        let differences = wanted.differences(from: rule, template: template)
        if differences.isEmpty {
            change.record?.readBack = rule
            change.record?.intent = nil
        }
        return differences
    }
}

/// The rule among those of one name: by the id it was found or sent with, else the only one that honours.
private func pick(_ rules: [JSON], of record: OwnedRule, by logicalID: String?, template: JSON) -> JSON? {
    if rules.count == 1 { return rules[0] }
    for id in [logicalID, record.sent?.ruleLogicalID, record.readBack?.ruleLogicalID].compactMap(\.self) {
        let bearing = rules.filter { $0.ruleLogicalID == id }
        if bearing.count == 1 { return bearing[0] }
    }
    let honouring = rules.filter { record.wanted?.differences(from: $0, template: template).isEmpty ?? false }
    return honouring.count == 1 ? honouring[0] : nil
}

/// Our rules that do not stand where they should among ours, by segmentId and name, with words.
private func misplacedRules(_ plan: Plan, _ segments: [Int: SegmentView]) -> [Int: [String: String]] {
    plan.sequences.reduce(into: [:]) { result, entry in
        guard let segment = segments[entry.key] else { return }
        // Rules that are missing or doubled are told as such; the order is that of the others.
        let standing = entry.value.compactMap { name -> (name: String, index: Int)? in
            let indices = segment.indices(of: name)
            return indices.count == 1 ? (name, indices[0]) : nil
        }
        let actual = standing.sorted { $0.index < $1.index }
        let places = Dictionary(uniqueKeysWithValues: actual.enumerated().map { ($0.element.name, $0.offset + 1) })
        for (wanted, rule) in standing.enumerated() {
            guard let place = places[rule.name], place != wanted + 1 else { continue }
            result[entry.key, default: [:]][rule.name] =
                "it is number \(place) of our rules, wanted number \(wanted + 1)"
        }
    }
}

extension JSON {
    /// Whether everything in `other` is here too, leaving out what says nothing, and the id, which the VCO may assign
    /// anew.
    fileprivate func covers(_ other: JSON) -> Bool {
        guard case .object(let wanted) = other, members != nil else { return isLike(other) }
        return wanted.allSatisfy { member in
            member.name == "ruleLogicalId" || self[member.name]?.covers(member.value) ?? member.isAny
        }
    }
}
