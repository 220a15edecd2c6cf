/// What one resource wants on one profile.
package struct DesiredRule: Hashable, Sendable {
    package var owner: Owner
    /// `spec.segment`: matched by name; `Global Segment` also matches segmentId 0.
    package var segment: String
    /// `spec.name`, or its default.
    package var name: String
    package var order: Int
    /// RFC 3339, UTC, whole seconds, so that it sorts as text: the older resource gets a contested name.
    package var createdAt: String
    package var want: Want

    /// What is to become of the resource's rule.
    package enum Want: Hashable, Sendable {
        /// A rule with these settings; `adoption` says what may become of a foreign rule of its name.
        case rule(RuleSettings, adoption: Adoption)
        /// Whatever rule is recorded for the owner stays untouched, with its place and its claim; none is made.
        case hold
    }

    /// The segment that every profile has, and the default of `spec.segment`.
    package static let globalSegment = "Global Segment"

    /// The default of `spec.order`.
    package static let defaultOrder = 1000

    package init(
        owner: Owner, segment: String = globalSegment, name: String, order: Int = defaultOrder, createdAt: String,
        want: Want
    ) {
        self.owner = owner
        self.segment = segment
        self.name = name
        self.order = order
        self.createdAt = createdAt
        self.want = want
    }
}

/// Which foreign rules a resource may take over.
///
/// The WAN team decides that for the whole operator (`--allow adopt`): otherwise a developer who guesses the content of
/// a rule could own it, and then edit it. A copy of the segment's default rule needs no permission: only the operator
/// of the 2020 article makes such copies.
package enum Adoption: Hashable, Sendable, CaseIterable {
    /// None: every rule of the name that velokube did not make stays as it is.
    case never
    /// A rule that already satisfies the settings.
    case satisfying
    /// Any rule of the name; one that differs is rewritten.
    case any
}
