/// Where a rule lives. Held by the ids of profile and segment, so that a renamed profile does not orphan its rules.
package struct RulePlace: Hashable, Sendable {
    /// `id` of the profile (configuration) on the VCO.
    package var profileID: Int
    /// `segmentId` inside the QOS document; 0 is the Global Segment.
    package var segmentID: Int
    /// The rule's own name.
    package var name: String

    package init(profileID: Int, segmentID: Int, name: String) {
        self.profileID = profileID
        self.segmentID = segmentID
        self.name = name
    }
}

/// A rule that velokube answers for, as the ledger records it.
package struct OwnedRule: Hashable, Sendable {
    package var place: RulePlace
    package var owner: Owner
    /// The names that people know the place by, as last seen.
    package var profileName: String
    package var segmentName: String
    /// What was wanted when the rule was last written; nil when ownership was rebuilt from `status.rule` alone.
    package var wanted: RuleSettings?
    /// Place among our rules, 0...10000, lower first.
    package var order: Int
    /// The rule that the sent one was composed from; it stays with the rule until the spec changes.
    package var template: JSON?
    /// What was sent in the last write of this rule.
    package var sent: JSON?
    /// What the VCO showed of it afterwards: the baseline. `ruleLogicalId` inside is a hint to tell duplicates apart.
    package var readBack: JSON?
    /// The rule as it was found when it was adopted; put back when the resource goes. `.null` says that there was one
    /// but it is not known any more (the ledger was lost, `status.rule` says adopted): then the rule is left as it
    /// is.
    package var original: JSON?
    /// A write whose outcome is not yet known.
    package var intent: Intent?
    /// Set once the owner is proven absent: it vanished without its finalizer having run.
    package var isOwnerAbsent: Bool

    /// What a write was about to do when it was noted.
    package enum Intent: String, Sendable {
        /// The rule may or may not be there; it is ours only if it honours what was intended.
        case create
        /// The rule is there, as it was or as it was to be.
        case update
        /// The rule may be gone; what bears its name is ours only if it is what was to go.
        case delete
    }

    package init(
        place: RulePlace, owner: Owner, profileName: String, segmentName: String, wanted: RuleSettings?, order: Int,
        template: JSON? = nil, sent: JSON? = nil, readBack: JSON? = nil, original: JSON? = nil, intent: Intent? = nil,
        isOwnerAbsent: Bool = false
    ) {
        self.place = place
        self.owner = owner
        self.profileName = profileName
        self.segmentName = segmentName
        self.wanted = wanted
        self.order = order
        self.template = template
        self.sent = sent
        self.readBack = readBack
        self.original = original
        self.intent = intent
        self.isOwnerAbsent = isOwnerAbsent
    }
}
