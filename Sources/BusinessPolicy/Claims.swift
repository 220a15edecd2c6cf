/// Who has which name, when several resources want one.
///
/// The recorded owner keeps a name while it lives and wants it; a resource recreated under a new uid follows its
/// predecessor; among the others the older one has it.
struct Claims<Key: Hashable> {
    private var holders: [Key: Owner] = [:]

    /// - Parameters:
    ///   - wanted: the resources that want a rule, with the place they want it at.
    ///   - kept: records that stay whatever anybody wants, as their owners are on hold.
    ///   - recorded: all other records.
    ///   - living: the uids of all resources that are there.
    init(
        wanted: [(key: Key, rule: DesiredRule)], kept: [(key: Key, owner: Owner)],
        recorded: [(key: Key, owner: Owner)], living: Set<String>
    ) {
        for (key, owner) in kept where holders[key] == nil { holders[key] = owner }
        let recordedOwners = Dictionary(recorded.map { ($0.key, $0.owner) }, uniquingKeysWith: { first, _ in first })
        for (key, rules) in Dictionary(grouping: wanted, by: \.key) where holders[key] == nil {
            let recorded = recordedOwners[key]
            let rank: (DesiredRule) -> Int = { rule in
                guard let recorded else { return 2 }
                if rule.owner.uid == recorded.uid { return 0 }
                let isSuccessor = (rule.owner.namespace, rule.owner.name) == (recorded.namespace, recorded.name)
                return isSuccessor && !living.contains(recorded.uid) ? 1 : 2
            }
            let first = rules.map(\.rule).min { left, right in
                (rank(left), left.createdAt, left.owner.uid) < (rank(right), right.createdAt, right.owner.uid)
            }
            holders[key] = first?.owner
        }
    }

    /// Who has the place; nil when nobody wants it.
    func holder(of key: Key) -> Owner? {
        holders[key]
    }
}

/// The resources of one profile that must wait for a name that another one has; sorted by owner.
///
/// The same decision as in a plan, by the names of segments, so that it can be told before the VCO is read.
package func claims(_ desired: [DesiredRule], recorded: [OwnedRule]) -> [Refusal] {
    struct Key: Hashable {
        var segment: String
        var name: String
    }
    // The Global Segment may bear another name on this VCO; the ledger remembers which.
    let globalNames = Set(recorded.filter { $0.place.segmentID == 0 }.map(\.segmentName))
    func key(_ segment: String, _ name: String) -> Key {
        Key(segment: globalNames.contains(segment) ? DesiredRule.globalSegment : segment, name: name)
    }
    let held = Set(desired.filter { $0.want == .hold }.map(\.owner.uid))
    let records = recorded.sorted { $0.owner < $1.owner }
    func keyed(_ records: [OwnedRule]) -> [(key: Key, owner: Owner)] {
        records.map { (key($0.segmentName, $0.place.name), $0.owner) }
    }
    let wanted = desired.filter { $0.want != .hold }.map { (key: key($0.segment, $0.name), rule: $0) }
    let claims = Claims(
        wanted: wanted, kept: keyed(records.filter { held.contains($0.owner.uid) }),
        recorded: keyed(records.filter { !held.contains($0.owner.uid) }), living: Set(desired.map(\.owner.uid)))
    return wanted.compactMap { wish in
        guard let holder = claims.holder(of: wish.key), holder.uid != wish.rule.owner.uid else { return nil }
        return Refusal(owner: wish.rule.owner, cause: .nameConflict(holder: holder))
    }.sorted { $0.owner < $1.owner }
}

/// Whether, as far as the ledger knows, everything wanted is in place and nothing else is: then a module whose version
/// has not moved need not be read.
///
/// Resources that were refused at this very version are the caller's to leave out.
package func isSettled(desired: [DesiredRule], recorded: [OwnedRule]) -> Bool {
    let records = Dictionary(grouping: recorded, by: \.owner.uid)
    for rule in desired {
        guard case .rule(let settings, _) = rule.want else { continue }
        guard let mine = records[rule.owner.uid], mine.count == 1, let record = mine.first else { return false }
        let isGlobal = rule.segment == DesiredRule.globalSegment && record.place.segmentID == 0
        guard record.owner == rule.owner, record.segmentName == rule.segment || isGlobal,
            record.place.name == rule.name, record.wanted == settings, record.order == rule.order,
            record.intent == nil, !record.isOwnerAbsent
        else { return false }
    }
    let living = Set(desired.map(\.owner.uid))
    return recorded.allSatisfy { living.contains($0.owner.uid) }
}
