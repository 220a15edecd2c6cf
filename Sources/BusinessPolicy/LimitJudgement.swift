/// A resource of a namespace, as its limits look at it.
package struct Applicant: Hashable, Sendable {
    package var owner: Owner
    /// RFC 3339, UTC, whole seconds.
    package var createdAt: String
    /// What its spec asks for; nil for a spec that cannot be understood.
    package var ask: Ask?
    /// The rule that it has on the VCO, as far as known.
    package var rule: Ask?
    /// Whether it has a rule at all.
    package var hasRule: Bool
    /// Whether its rule stays as it is, whatever it asks for: it is paused.
    package var isHeld: Bool

    package init(owner: Owner, createdAt: String, ask: Ask?, rule: Ask?, hasRule: Bool, isHeld: Bool = false) {
        self.owner = owner
        self.createdAt = createdAt
        self.ask = ask
        self.rule = rule
        self.hasRule = hasRule
        self.isHeld = isHeld
    }
}

/// What the resources of a namespace take of its quotas.
package struct LimitUsage: Hashable, Sendable {
    package var rules = 0
    /// Percent, by profile.
    package var bandwidth: [String: Int] = [:]

    package init() {}

    mutating func add(_ ask: Ask) {
        rules += 1
        bandwidth[ask.profile, default: 0] += ask.bandwidth
    }
}

/// Which resources of one namespace are within its limits, and what they use.
package struct LimitJudgement: Hashable, Sendable {
    /// By uid; who breaks nothing is not in it.
    package private(set) var violations: [String: [LimitViolation]] = [:]
    package private(set) var usage = LimitUsage()

    /// Judges all resources of a namespace that are not being deleted.
    ///
    /// Quotas let in the oldest first, so that it depends on nobody's luck who gets in, and that whoever waits gets in
    /// once there is room. Within one second who has a rule is taken for the older. A rule that a limit lets be, though
    /// its resource breaks it, takes up room all the same.
    package init(of applicants: [Applicant], by limits: [VelocloudLimit]) {
        guard !limits.isEmpty else { return }
        let limits = limits.sorted { $0.owner < $1.owner }
        let byAge = applicants.sorted { left, right in
            (left.createdAt, left.hasRule ? 0 : 1, left.owner.uid)
                < (right.createdAt, right.hasRule ? 0 : 1, right.owner.uid)
        }
        for applicant in byAge {
            // Neither a pause nor an edit that makes no sense is a way out of a limit: the rule that stays is judged.
            let kept = applicant.isHeld || applicant.ask == nil ? applicant.rule : nil
            guard let judged = kept ?? applicant.ask else { continue }
            var broken = limits.flatMap { $0.violations(of: judged) }
            if broken.isEmpty, let ask = applicant.ask, ask != judged {
                broken = limits.flatMap { $0.violations(of: ask) }
            }
            if broken.isEmpty, applicant.ask != nil {
                broken = limits.flatMap { $0.quotaViolations(of: judged, beside: usage) }
            }
            if broken.isEmpty {
                usage.add(judged)
            } else {
                violations[applicant.owner.uid] = broken
                if applicant.hasRule, !broken.contains(where: \.removesRule) { usage.add(applicant.rule ?? judged) }
            }
        }
    }
}
