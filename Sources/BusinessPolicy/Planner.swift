/// Compares what is wanted, what is there and what is recorded, and says what is to be done.
///
/// | wanted | there | recorded | change |
/// | --- | --- | --- | --- |
/// | yes | no | no | create |
/// | yes | no | yes | create: it was removed behind us |
/// | yes | yes | no | adopt if that is allowed, refuse if not |
/// | yes | yes | yes | none, or update, heal, move |
/// | no | no | yes | forget |
/// | no | yes | yes | delete, or restore what was adopted |
/// | no | yes | no | none: not ours |
///
/// Pure: the same input in any order gives the same plan, and planning again after it was carried out gives no change.
package func plan(_ input: PlanInput) -> Plan {
    var planner = Planner(input)
    planner.decide()
    return planner.arranged()
}

/// The work of `plan`: decides place by place, then arranges each segment.
struct Planner {
    let input: PlanInput
    /// By segmentId.
    var drafts: [Int: SegmentDraft]
    /// The records that are not on hold.
    private var records: [RulePlace: OwnedRule] = [:]
    var changes: [RulePlace: Change] = [:]
    private var refusals: [Refusal] = []

    /// A resource that has its name and wants a rule there.
    struct Wish {
        var rule: DesiredRule
        var place: RulePlace
        var settings: RuleSettings
        var adoption: Adoption
    }

    init(_ input: PlanInput) {
        self.input = input
        let segments = input.actual.segments
        drafts = Dictionary(uniqueKeysWithValues: segments.map { ($0.id, SegmentDraft($0)) })
    }
}

// MARK: - Who wants what where

extension Planner {
    mutating func decide() {
        let desired = input.desired.sorted { $0.owner < $1.owner }
        let recorded = input.recorded.sorted {
            ($0.place.segmentID, $0.place.name) < ($1.place.segmentID, $1.place.name)
        }
        let held = Set(desired.filter { $0.want == .hold }.map(\.owner.uid))
        var (resolved, homeless) = resolve(desired)
        let isKept: (OwnedRule) -> Bool = { record in
            if held.contains(record.owner.uid) { return true }
            // A place that cannot be found is no proof that the old one is not wanted, unless it is the old one that
            // was renamed or removed.
            guard let segment = homeless[record.owner.uid] else { return false }
            return record.segmentName != segment
        }
        let kept = recorded.filter(isKept)
        let open = recorded.filter { !isKept($0) }
        let claims = Claims(
            wanted: resolved.map { ($0.place, $0.rule) }, kept: kept.map { ($0.place, $0.owner) },
            recorded: open.filter(stands).map { ($0.place, $0.owner) }, living: Set(desired.map(\.owner.uid)))
        resolved.removeAll { wish in
            guard let holder = claims.holder(of: wish.place), holder.uid != wish.rule.owner.uid else { return false }
            refuse(wish.rule.owner, .nameConflict(holder: holder))
            return true
        }
        let wishes = Dictionary(resolved.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        records = Dictionary(open.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        for record in kept { hold(record) }
        let places = Set(wishes.keys).union(records.keys)
        for place in places.sorted(by: { ($0.segmentID, $0.name) < ($1.segmentID, $1.name) }) {
            switch (wishes[place], records[place]) {
            case (let wish?, let record): fulfil(wish, record)
            case (nil, let record?): release(record)
            case (nil, nil): break
            }
        }
    }

    /// The wishes whose segment is there, and the segments that others name in vain, by uid.
    private mutating func resolve(_ desired: [DesiredRule]) -> (wishes: [Wish], homeless: [String: String]) {
        let segments = input.actual.segments
        var idByName = Dictionary(segments.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        if idByName[DesiredRule.globalSegment] == nil, drafts[0] != nil { idByName[DesiredRule.globalSegment] = 0 }
        var wishes: [Wish] = []
        var homeless: [String: String] = [:]
        for rule in desired {
            guard case .rule(let settings, let adoption) = rule.want else { continue }
            guard let id = idByName[rule.segment] else {
                homeless[rule.owner.uid] = rule.segment
                refuse(rule.owner, .segmentNotFound(known: segments.map(\.name)))
                continue
            }
            let place = RulePlace(profileID: input.profileID, segmentID: id, name: rule.name)
            wishes.append(
                Wish(rule: rule, place: place, settings: settings, adoption: adoption))
        }
        return (wishes, homeless)
    }

    /// Whether a record gives a claim: not when a write of it is unsettled and the rule of the name is somebody else's.
    private func stands(_ record: OwnedRule) -> Bool {
        guard record.intent != nil, let view = drafts[record.place.segmentID]?.view else { return true }
        if case .foreign = find(record, in: view, settings: nil) { return false }
        return true
    }

    /// A record that stays untouched; its rule is only a neighbour to others.
    private mutating func hold(_ record: OwnedRule) {
        guard let view = drafts[record.place.segmentID]?.view else { return }
        if case .ours(let index) = find(record, in: view, settings: nil) {
            drafts[record.place.segmentID]?.hold(index, order: record.order, owner: record.owner)
        }
    }

    mutating func refuse(_ owner: Owner, _ cause: Refusal.Cause) {
        refusals.append(Refusal(owner: owner, cause: cause))
    }
}

// MARK: - In which order

extension Planner {
    func arranged() -> Plan {
        var changes = changes
        var plan = Plan()
        for segment in input.actual.segments {
            guard let arrangement = drafts[segment.id]?.arranged(placement: input.placement) else { continue }
            if arrangement.slots.isIdentity(count: segment.rules.count) { continue }
            plan.layouts[segment.id] = arrangement.slots
            plan.sequences[segment.id] = arrangement.sequence
            for name in arrangement.moved {
                let place = RulePlace(profileID: input.profileID, segmentID: segment.id, name: name)
                guard let record = changes[place]?.record ?? records[place] else { continue }
                let words = "it stood out of the order of our rules"
                guard let change = changes[place] else {
                    changes[place] = Change(
                        kind: .move, place: place, owner: record.owner, record: record, reason: words)
                    continue
                }
                if change.kind == .record { changes[place]?.kind = .move }
                changes[place]?.reason = change.kind == .record ? words : "\(change.reason); \(words)"
            }
        }
        plan.changes = changes.values.sorted {
            ($0.place.segmentID, $0.place.name) < ($1.place.segmentID, $1.place.name)
        }
        plan.refusals = refusals.sorted { $0.owner < $1.owner }
        return plan
    }
}
