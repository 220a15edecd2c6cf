/// What is to be done to one profile, complete and sorted: execution makes no choice.
package struct Plan: Hashable, Sendable {
    /// Sorted by segment, name, owner.
    package var changes: [Change]
    /// Resources that get no rule, and why. Sorted by owner.
    package var refusals: [Refusal]
    /// The new sequence of each segment whose rules change, by segmentId.
    package var layouts: [Int: [Slot]]
    /// The names of our rules in the order they are to stand in, by segmentId; for the verification of what was
    /// written.
    var sequences: [Int: [String]] = [:]

    package init(changes: [Change] = [], refusals: [Refusal] = [], layouts: [Int: [Slot]] = [:]) {
        self.changes = changes
        self.refusals = refusals
        self.layouts = layouts
    }

    /// True when the document on the VCO must be written.
    package var needsWrite: Bool { !layouts.isEmpty }

    /// What stands at one position of a segment's rules.
    package enum Slot: Hashable, Sendable {
        /// The element that was at this index, byte for byte.
        case kept(Int)
        /// A rule that is made or rewritten.
        case rule(JSON)
    }
}

/// One step of a plan: what happens to one rule, for whom and why. A plan has at most one for each place.
package struct Change: Hashable, Sendable {
    package var kind: Kind
    package var place: RulePlace
    package var owner: Owner
    /// The record as it is to stand in the ledger once the change has been read back; nil when the rule goes.
    package var record: OwnedRule?
    /// In words, for events and logs: what differed, or why it goes.
    package var reason: String
    /// Whether the rule's content on the VCO is changed; adoptions and transfers of a rule that honours do not.
    package internal(set) var isRewrite = false
    /// The rule as it was found; nil for one that is made.
    package var found: JSON?
    /// The record that goes, for `delete` and `restore`.
    var leaving: OwnedRule?
    /// Rules of the same name that stay beside one that goes.
    var namesakes = 0
    /// What is put back, for `restore`.
    var restored: JSON?

    /// What the ledger is to note before the document is written; nil for a change that leaves the rule's content
    /// alone.
    ///
    /// A foreign rule that is being replaced counts as a create: until the write is known to have happened, it is ours
    /// only if it honours what was intended.
    package var intent: OwnedRule.Intent? {
        switch kind {
        case .create: .create
        case .adopt: isRewrite ? .create : nil
        case .update, .heal, .transfer: isRewrite ? .update : nil
        case .delete: .delete
        case .restore: isRewrite ? .delete : nil
        case .move, .forget, .record: nil
        }
    }

    /// The record as the ledger is to note it before the document is written, with the intent; nil when there is none.
    ///
    /// It remembers the rule as it was found, so that after a lost reply ours can be told from a namesake.
    package var noted: OwnedRule? {
        guard let intent, var noted = record ?? leaving else { return nil }
        noted.intent = intent
        noted.readBack = found ?? noted.readBack
        return noted
    }

    /// What happens to the rule or its record.
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
        /// The ledger's record changes; the document is as it should be.
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

    /// What keeps the resource from its rule.
    package enum Cause: Hashable, Sendable {
        /// Another resource holds the name in this profile and segment.
        case nameConflict(holder: Owner)
        /// A rule that velokube did not make has the name. `differences` says in words what it has otherwise, for the
        /// operator's log alone: a developer must not read a rule of the WAN team there. Empty when it satisfies the
        /// settings.
        case foreignRule(RulePlace, differences: [String])
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
