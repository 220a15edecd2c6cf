import BusinessPolicy

/// The recorded rules in memory, so that a read costs no SQL; written through by each commit.
struct RuleMirror {
    /// A rule in its short form, and the document that holds its template.
    struct Entry {
        var rule: OwnedRule
        var templateID: Int?
    }

    private var profiles: [Int: [RulePlace: Entry]] = [:]
    private var owners: [String: [RulePlace]] = [:]

    subscript(place: RulePlace) -> Entry? { profiles[place.profileID]?[place] }

    /// Puts the entry in its place, in lieu of what is there.
    mutating func set(_ entry: Entry) {
        let place = entry.rule.place
        remove(place)
        profiles[place.profileID, default: [:]][place] = entry
        owners[entry.rule.owner.uid, default: []].append(place)
    }

    mutating func remove(_ place: RulePlace) {
        guard let old = profiles[place.profileID]?.removeValue(forKey: place) else { return }
        if profiles[place.profileID]?.isEmpty == true { profiles[place.profileID] = nil }
        let uid = old.rule.owner.uid
        owners[uid]?.removeAll { $0 == place }
        if owners[uid]?.isEmpty == true { owners[uid] = nil }
    }

    /// Sorted by segment and name.
    func rules(onProfile id: Int) -> [OwnedRule] {
        Self.sorted(profiles[id].map { $0.values.map(\.rule) } ?? [])
    }

    /// Sorted by profile, segment and name.
    func rules(ownedBy uid: String) -> [OwnedRule] {
        Self.sorted((owners[uid] ?? []).compactMap { self[$0]?.rule })
    }

    /// Sorted by profile, segment and name.
    var all: [OwnedRule] {
        profiles.keys.sorted().flatMap { rules(onProfile: $0) }
    }

    private static func sorted(_ rules: [OwnedRule]) -> [OwnedRule] {
        rules.sorted { left, right in
            (left.place.profileID, left.place.segmentID, left.place.name)
                < (right.place.profileID, right.place.segmentID, right.place.name)
        }
    }
}

extension OwnedRule {
    /// The rule as it stays in memory: of `sent` nothing, of `readBack` only the `ruleLogicalId`.
    ///
    /// That is all that a plan reads of them, and ten thousand rules in full would be a hundred megabytes. A deletion
    /// whose outcome is not known is the exception: whether the rule is still ours is told by what it was.
    var short: OwnedRule {
        var short = self
        short.sent = nil
        if intent != .delete { short.readBack = readBack.map(\.hint) }
        return short
    }
}

extension JSON {
    /// An object with this object's `ruleLogicalId`, if it has one, and nothing else.
    fileprivate var hint: JSON {
        guard case .object(let members) = self else { return .object([]) }
        return .object(members.last { $0.name == "ruleLogicalId" }.map { [$0] } ?? [])
    }
}
