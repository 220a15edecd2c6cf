/// What is to be done to one profile, complete and sorted: execution makes no choice.
package struct Plan: Hashable, Sendable {
    /// Sorted by segment, name, owner.
    package var changes: [Change]
    /// Resources that get no rule, and why. Sorted by owner.
    package var refusals: [Refusal]
    /// The new sequence of each segment whose rules change, by segmentId.
    package var layouts: [Int: [Slot]]

    package init(changes: [Change] = [], refusals: [Refusal] = [], layouts: [Int: [Slot]] = [:]) {
        self.changes = changes
        self.refusals = refusals
        self.layouts = layouts
    }

    /// True when the document on the VCO must be written.
    package var needsWrite: Bool { !layouts.isEmpty }

    package enum Slot: Hashable, Sendable {
        /// The element that was at this index, byte for byte.
        case kept(Int)
        case rule(JSON)
    }
}

/// One step of a plan: what happens to one rule, for whom and why.
package struct Change: Hashable, Sendable {
    package var kind: Kind
    package var place: RulePlace
    package var owner: Owner
    /// The record as it is to stand in the ledger once the change has been read back; nil when the rule goes.
    package var record: OwnedRule?
    /// In words, for events and logs: what differed, or why it goes.
    package var reason: String

    package enum Kind: String, Hashable, Sendable {
        /// The rule is not there and is made.
        case create
        /// The rule is there and differs: rewritten (a changed spec).
        case update
        /// The rule differs from what we wrote though the spec did not change: put back (an edit in the portal).
        case heal
        /// The rule stands out of our order and is moved.
        case move
        /// The rule goes.
        case delete
        /// An adopted rule's original is put back, and the record goes.
        case restore
        /// A rule that was not ours becomes ours; rewritten when it does not honour the settings.
        case adopt
        /// A resource recreated under a new uid takes over the rule of its predecessor.
        case transfer
        /// The record goes; the document is not touched.
        case forget
        case record
    }

    package init(kind: Kind, place: RulePlace, owner: Owner, record: OwnedRule?, reason: String) {
        self.kind = kind
        self.place = place
        self.owner = owner
        self.record = record
        self.reason = reason
    }
}

/// Why a resource gets no rule.
package struct Refusal: Hashable, Sendable {
    package var owner: Owner
    package var cause: Cause

    package enum Cause: Hashable, Sendable {
        /// Another resource holds the name in this profile and segment.
        case nameConflict(holder: Owner)
        /// A rule made by somebody else bears the name; in words, how it differs.
        case foreignRule(String)
        /// Several rules in the portal bear the name and none can be told to be ours.
        case duplicateName(count: Int)
        /// The document has no such segment; the names it has.
        case segmentNotFound(known: [String])
    }

    package init(owner: Owner, cause: Cause) {
        self.owner = owner
        self.cause = cause
    }
}

/// Where the first of our rules goes in a segment that has none yet.
package enum Placement: String, CaseIterable, Sendable { case top, bottom }

/// Everything a plan is made from.
package struct PlanInput: Sendable {
    package var profileID: Int
    package var profileName: String
    package var desired: [DesiredRule]
    package var actual: PolicyDocument
    /// Every rule recorded on this profile.
    package var recorded: [OwnedRule]
    package var placement: Placement

    package init(
        profileID: Int, profileName: String, desired: [DesiredRule], actual: PolicyDocument, recorded: [OwnedRule],
        placement: Placement = .top
    ) {
        self.profileID = profileID
        self.profileName = profileName
        self.desired = desired
        self.actual = actual
        self.recorded = recorded
        self.placement = placement
    }
}

/// Compares what is wanted, what is there and what is recorded, and says what is to be done.
package func plan(_ input: PlanInput) -> Plan {
    Plan()
}
