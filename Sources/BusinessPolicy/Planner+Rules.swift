// MARK: - Which rule is it

extension Planner {
    /// What a record's name leads to in the document.
    enum Finding {
        case absent
        case ours(Int)
        /// Rules of the name are there, and none of them is ours.
        case foreign([Int])
        /// One of so many is ours, and it cannot be told which.
        case ambiguous(Int)
    }

    /// Finds a record's rule: by its name; among several by the id that the VCO gave it, else by what it says.
    ///
    /// After a create or a delete whose outcome is unknown, the rule of the name may be somebody else's. A create
    /// owns it only if it is what was intended, a delete only if it is what was to go.
    func find(_ record: OwnedRule, in view: SegmentView, settings: RuleSettings?) -> Finding {
        let candidates = view.indices(of: record.place.name)
        guard let first = candidates.first else { return .absent }
        let rules = view.segment.rules
        if record.intent != .create {
            let bearing = candidates.filter { rules[$0].logicalID == record.readBack?.ruleLogicalID }
            if record.readBack?.ruleLogicalID != nil, bearing.count == 1 { return .ours(bearing[0]) }
            let isCertain = record.intent != .delete || (record.readBack == nil && record.wanted == nil)
            if candidates.count == 1, isCertain { return .ours(first) }
        }
        let matching: [Int]
        if record.intent == .delete, let readBack = record.readBack {
            matching = candidates.filter { rules[$0].value.isLike(readBack, apartFrom: "ruleLogicalId") }
        } else if let wanted = record.wanted ?? settings {
            let template = record.template ?? view.template
            matching = candidates.filter { wanted.differences(from: rules[$0].value, template: template).isEmpty }
        } else {
            matching = []
        }
        switch (matching.count, record.intent) {
        case (1, _): return .ours(matching[0])
        case (0, .create), (0, .delete): return .foreign(candidates)
        default: return .ambiguous(candidates.count)
        }
    }

    /// Whether the rule of an owner that vanished was edited since: then it is not ours to take away.
    private func isEdited(_ record: OwnedRule, at index: Int, of view: SegmentView) -> Bool {
        guard record.isOwnerAbsent, let wanted = record.wanted else { return false }
        let value = view.segment.rules[index].value
        return !wanted.differences(from: value, template: record.template ?? view.template).isEmpty
    }
}

// MARK: - What happens to it

extension Planner {
    /// A rule is wanted at a place; `record` is the wanting owner's own, or that of one who gives the place up.
    mutating func fulfil(_ wish: Wish, _ record: OwnedRule?) {
        guard let view = drafts[wish.place.segmentID]?.view else { return }
        guard let record else {
            let candidates = view.indices(of: wish.place.name)
            return candidates.isEmpty ? create(wish, nil, view) : adopt(wish, nil, candidates, view)
        }
        switch find(record, in: view, settings: wish.settings) {
        case .absent: create(wish, record, view)
        case .foreign(let candidates): adopt(wish, record, candidates, view)
        case .ambiguous(let count):
            refuse(wish.rule.owner, .duplicateName(count: count))
            if record.owner.uid != wish.rule.owner.uid { refuse(record.owner, .duplicateName(count: count)) }
        case .ours(let index):
            let isStranger =
                (record.owner.namespace, record.owner.name) != (wish.rule.owner.namespace, wish.rule.owner.name)
            if isStranger, isEdited(record, at: index, of: view) {
                adopt(wish, record, view.indices(of: wish.place.name), view)
            } else {
                uphold(wish, record, index, view)
            }
        }
    }

    private mutating func create(_ wish: Wish, _ record: OwnedRule?, _ view: SegmentView) {
        let template = (record?.wanted == wish.settings ? record?.template : nil) ?? view.template
        let value = wish.settings.composed(name: wish.place.name, template: template, ruleLogicalID: nil)
        var new = fresh(wish, template: template, sent: value)
        new.original = record?.original
        drafts[wish.place.segmentID]?.add(
            value, name: wish.place.name, order: wish.rule.order, owner: wish.rule.owner)
        let isRemoved = record.map { $0.intent == nil && $0.owner.uid == wish.rule.owner.uid } ?? false
        note(.create, wish, new, isRemoved ? "it was removed behind us" : "it is not there yet", isRewrite: true)
    }

    /// A rule of ours that is wanted and there: nothing to do, or a rewrite.
    private mutating func uphold(_ wish: Wish, _ record: OwnedRule, _ index: Int, _ view: SegmentView) {
        let value = view.segment.rules[index].value
        let isSameOwner = record.owner.uid == wish.rule.owner.uid
        let isSpecChanged = record.wanted != wish.settings
        var template = record.template ?? view.template
        var differences = wish.settings.differences(from: value, template: template)
        if isSpecChanged, !differences.isEmpty {
            template = view.template
            differences = wish.settings.differences(from: value, template: template)
        }
        var new = fresh(wish, template: template, sent: record.sent)
        new.readBack = record.readBack
        new.original = record.original
        keep(wish, new, index, value)
        let handover = "\(record.owner.namespace)/\(record.owner.name) had it under uid \(record.owner.uid)"
        if differences.isEmpty {
            if !isSameOwner {
                note(.transfer, wish, new, handover, found: value)
            } else if new != record {
                note(.record, wish, new, "the rule is as it should be, the record is not", found: value)
            }
            return
        }
        let rewritten = wish.settings.composed(
            name: wish.place.name, template: template, ruleLogicalID: value.ruleLogicalID)
        new.sent = rewritten
        drafts[wish.place.segmentID]?.rewrite(index, as: rewritten)
        let words = differences.joined(separator: "; ")
        if !isSameOwner {
            note(.transfer, wish, new, "\(handover); \(words)", isRewrite: true, found: value)
        } else {
            let isOurDoing = isSpecChanged || record.intent == .update
            note(isOurDoing ? .update : .heal, wish, new, words, isRewrite: true, found: value)
        }
    }

    /// Rules of the wanted name are there and none is ours. `record`, if any, is one that no longer stands for any of
    /// them.
    private mutating func adopt(_ wish: Wish, _ record: OwnedRule?, _ candidates: [Int], _ view: SegmentView) {
        let rules = view.segment.rules
        let differences = candidates.map { wish.settings.differences(from: rules[$0].value, template: view.template) }
        let honouring = zip(candidates, differences).filter { $1.isEmpty }.map(\.0)
        var new = fresh(wish, template: view.template, sent: nil)
        if honouring.count == 1, mayAdopt(wish, rules[honouring[0]].value, view) {
            let index = honouring[0]
            new.original = original(rules[index].value, view)
            keep(wish, new, index, rules[index].value)
            let words = "a rule of this name is there and is what is wanted"
            return note(.adopt, wish, new, words, found: rules[index].value)
        }
        if candidates.count == 1, wish.adoption == .any {
            let words = differences[0].joined(separator: "; ")
            let value = rules[candidates[0]].value
            new.original = original(value, view)
            new.sent = wish.settings.composed(
                name: wish.place.name, template: view.template, ruleLogicalID: value.ruleLogicalID)
            keep(wish, new, candidates[0], value)
            drafts[wish.place.segmentID]?.rewrite(candidates[0], as: new.sent ?? value)
            return note(.adopt, wish, new, words, isRewrite: true, found: value)
        }
        let isOne = candidates.count == 1
        refuse(
            wish.rule.owner,
            isOne ? .foreignRule(wish.place, differences: differences[0]) : .duplicateName(count: candidates.count))
        if let record { forget(record, "the rule of this name is not what was written") }
    }

    /// Whether a rule that satisfies the settings may become the resource's own.
    private func mayAdopt(_ wish: Wish, _ value: JSON, _ view: SegmentView) -> Bool {
        wish.adoption != .never || value.isCopy(of: view.template)
    }

    /// What is put back of a rule that is taken over, once its resource goes.
    ///
    /// Nothing, if it was made by copying the segment's default rule whole, with its id: no rule made in the portal has
    /// that id, but all those of the operator of the 2020 article, which go with their resources.
    private func original(_ value: JSON, _ view: SegmentView) -> JSON? {
        value.isCopy(of: view.template) ? nil : value
    }

    /// A rule of ours stays; one that was there before us stays where it is among those of its order.
    private mutating func keep(_ wish: Wish, _ record: OwnedRule, _ index: Int, _ value: JSON) {
        let isFound = record.original != nil || value.isCopy(of: record.template ?? .null)
        drafts[wish.place.segmentID]?.keep(index, order: wish.rule.order, owner: wish.rule.owner, isFound: isFound)
    }

    /// A recorded rule that is wanted no more, at least not here.
    mutating func release(_ record: OwnedRule) {
        guard let view = drafts[record.place.segmentID]?.view else { return forget(record, "its segment is gone") }
        switch find(record, in: view, settings: nil) {
        case .absent: forget(record, "the rule is gone already")
        case .foreign: forget(record, "the rule of this name is not what was written")
        case .ambiguous(let count): refuse(record.owner, .duplicateName(count: count))
        case .ours(let index):
            if isEdited(record, at: index, of: view) {
                return forget(record, "it was edited since it was written, and is left as it is")
            }
            if record.original == .null {
                return forget(record, "it was there before velokube, what it was is lost, and it is left as it is")
            }
            let isOriginal = record.original == view.segment.rules[index].value
            var change = Change(
                kind: .delete, place: record.place, owner: record.owner, record: nil, reason: "no longer wanted")
            change.isRewrite = !isOriginal
            change.found = view.segment.rules[index].value
            change.leaving = record
            change.namesakes = view.indices(of: record.place.name).count - 1
            if let original = record.original {
                change.kind = .restore
                change.reason = "no longer wanted; the rule that was there before is put back"
                change.restored = original
                if !isOriginal { drafts[record.place.segmentID]?.rewrite(index, as: original) }
            } else {
                drafts[record.place.segmentID]?.remove(index)
            }
            changes[record.place] = change
        }
    }

    private mutating func forget(_ record: OwnedRule, _ reason: String) {
        changes[record.place] = Change(
            kind: .forget, place: record.place, owner: record.owner, record: nil, reason: reason)
    }

    private mutating func note(
        _ kind: Change.Kind, _ wish: Wish, _ record: OwnedRule, _ reason: String, isRewrite: Bool = false,
        found: JSON? = nil
    ) {
        var change = Change(kind: kind, place: wish.place, owner: wish.rule.owner, record: record, reason: reason)
        change.isRewrite = isRewrite
        change.found = found
        changes[wish.place] = change
    }

    /// The record of a rule as the wish has it.
    private func fresh(_ wish: Wish, template: JSON, sent: JSON?) -> OwnedRule {
        OwnedRule(
            place: wish.place, owner: wish.rule.owner, profileName: input.profileName,
            segmentName: drafts[wish.place.segmentID]?.view.segment.name ?? wish.rule.segment, wanted: wish.settings,
            order: wish.rule.order, template: template, sent: sent)
    }
}
