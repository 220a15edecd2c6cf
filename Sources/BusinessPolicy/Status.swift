/// The `status` of a VelocloudBP.
package struct Status: Hashable, Sendable {
    package var observedGeneration: Int?
    /// The rule on the VCO; the copy of ownership that survives the loss of the ledger.
    package var rule: RuleReference?
    package var conditions: [Condition]
    /// Echo of `vcn.cloud/reconcile-requested-at`.
    package var lastHandledReconcileAt: String?

    package init(
        observedGeneration: Int? = nil, rule: RuleReference? = nil, conditions: [Condition] = [],
        lastHandledReconcileAt: String? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.rule = rule
        self.conditions = conditions
        self.lastHandledReconcileAt = lastHandledReconcileAt
    }

    /// Names the rule on the VCO for people and, should the ledger be lost, for velokube itself.
    package struct RuleReference: Hashable, Sendable {
        package var profile: String
        package var segment: String
        package var name: String
        /// `version` of the QOS module in which the rule was read back.
        package var moduleVersion: String?
        /// RFC 3339: when the VCO was first read back holding this rule for this generation.
        package var programmedAt: String?
        /// True for a rule that was there before velokube: it is put back, never deleted.
        package var isAdopted: Bool

        package init(
            profile: String, segment: String, name: String, moduleVersion: String? = nil, programmedAt: String? = nil,
            isAdopted: Bool = false
        ) {
            self.profile = profile
            self.segment = segment
            self.name = name
            self.moduleVersion = moduleVersion
            self.programmedAt = programmedAt
            self.isAdopted = isAdopted
        }
    }

    /// One condition, in the form that `kubectl wait` reads.
    package struct Condition: Hashable, Sendable {
        package var type: ConditionType
        package var isTrue: Bool
        package var reason: String
        package var message: String
        package var observedGeneration: Int
        /// RFC 3339; moves only when `isTrue` moves.
        package var lastTransitionTime: String

        package init(
            type: ConditionType, isTrue: Bool, reason: String, message: String, observedGeneration: Int,
            lastTransitionTime: String
        ) {
            self.type = type
            self.isTrue = isTrue
            self.reason = reason
            self.message = message
            self.observedGeneration = observedGeneration
            self.lastTransitionTime = lastTransitionTime
        }
    }

    /// The conditions that velokube writes, in the order it writes them.
    package enum ConditionType: String, CaseIterable, Sendable {
        case accepted = "Accepted"
        case programmed = "Programmed"
        case ready = "Ready"
        /// Present only while a human must act.
        case stalled = "Stalled"
    }

    /// The condition of a type, if it is present.
    package func condition(_ type: ConditionType) -> Condition? {
        conditions.first { $0.type == type }
    }
}

/// What the operator has to say about one resource, before it is turned into conditions.
package struct Verdict: Hashable, Sendable {
    package var acceptance: Acceptance
    package var programming: Programming

    /// Whether we act on the resource at all.
    package enum Acceptance: Hashable, Sendable {
        /// We act on it; warnings go into the message.
        case accepted(warnings: [String])
        case refused(RefusalReason, message: String)
    }

    /// Why we do not act: the reasons of a false `Accepted`.
    package enum RefusalReason: String, CaseIterable, Sendable {
        case invalidSpec = "InvalidSpec"
        case outOfLimits = "OutOfLimits"
        case nameConflict = "NameConflict"
        case foreignRule = "ForeignRule"
        case paused = "Paused"
    }

    /// What the VCO says of the rule.
    package enum Programming: Hashable, Sendable {
        /// Read back on the VCO, honouring the spec.
        case programmed(Status.RuleReference)
        /// Not (yet) so; the reference names a rule of ours that is still there under an older spec or place.
        case waiting(WaitReason, message: String, rule: Status.RuleReference?)
        /// Nothing new is known: the condition stays as it was (a paused resource). The reference names the rule that
        /// the resource has all the same.
        case unchanged(rule: Status.RuleReference?)
    }

    /// Why the VCO does not (yet) hold the rule: the reasons of a false `Programmed`.
    package enum WaitReason: String, CaseIterable, Sendable {
        case pending = "Pending"
        case profileNotFound = "ProfileNotFound"
        case segmentNotFound = "SegmentNotFound"
        case rejectedByOrchestrator = "RejectedByOrchestrator"
        case unreachable = "Unreachable"
        case authFailed = "AuthFailed"
        case rateLimited = "RateLimited"
        case drifted = "Drifted"
    }

    package init(acceptance: Acceptance, programming: Programming) {
        self.acceptance = acceptance
        self.programming = programming
    }
}
