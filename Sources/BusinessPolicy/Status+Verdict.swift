extension Status {
    /// Longest message of a condition; kubectl prints it on one line.
    package static let messageLengthMax = 1024

    /// The status that follows from a verdict, keeping transition times, `programmedAt` and what is unchanged.
    ///
    /// Equal to the old one when the verdict says nothing new, so that the caller can tell by `==` whether to write. In
    /// particular a module version that moved by somebody else's edit is nothing new.
    package func updated(
        by verdict: Verdict, generation: Int, handledReconcileAt: String?, now: String
    ) -> Status {
        var accepted = accepted(verdict.acceptance)
        accepted.observedGeneration = generation
        let programmed = programmed(verdict, generation: generation)
        let ready = Self.ready(accepted, programmed, verdict.acceptance, generation: generation)
        var conditions = [accepted, programmed, ready]
        if !ready.isTrue, Self.stallingReasons.contains(ready.reason) {
            var stalled = ready
            stalled.type = .stalled
            stalled.isTrue = true
            conditions.append(stalled)
        }
        for index in conditions.indices {
            let old = condition(conditions[index].type)
            conditions[index].message = Self.capped(conditions[index].message)
            conditions[index].lastTransitionTime =
                old?.isTrue == conditions[index].isTrue ? old?.lastTransitionTime ?? now : now
        }
        return Status(
            observedGeneration: generation,
            rule: rule(after: verdict.programming, generation: generation, now: now),
            conditions: conditions,
            lastHandledReconcileAt: handledReconcileAt ?? lastHandledReconcileAt)
    }

    private func accepted(_ acceptance: Verdict.Acceptance) -> Condition {
        switch acceptance {
        case .accepted(let warnings):
            Condition(
                .accepted, true, "Accepted",
                (["The spec is valid."] + warnings.map(Self.warning)).joined(separator: " "))
        case .refused(let reason, let message):
            Condition(.accepted, false, reason.rawValue, message)
        }
    }

    private func programmed(_ verdict: Verdict, generation: Int) -> Condition {
        var condition: Condition
        switch (verdict.programming, verdict.acceptance) {
        case (.programmed(let rule), _):
            condition = Condition(.programmed, true, "Programmed", Self.whereabouts(rule))
        case (.unchanged, _) where self.condition(.programmed) != nil:
            return self.condition(.programmed) ?? Condition(.programmed, false, "Pending", "")
        case (.waiting(let reason, let message, _), _) where !message.isEmpty:
            condition = Condition(.programmed, false, reason.rawValue, message)
        case (.waiting(let reason, _, _), .accepted):
            condition = Condition(.programmed, false, reason.rawValue, Self.notYet)
        case (.unchanged, .accepted):
            condition = Condition(.programmed, false, "Pending", Self.notYet)
        case (.waiting, .refused(_, let message)), (.unchanged, .refused(_, let message)):
            condition = Condition(.programmed, false, "Pending", "Waits for Accepted: \(message)")
        }
        condition.observedGeneration = generation
        return condition
    }

    private static func ready(
        _ accepted: Condition, _ programmed: Condition, _ acceptance: Verdict.Acceptance, generation: Int
    ) -> Condition {
        var condition: Condition
        if !accepted.isTrue {
            condition = Condition(.ready, false, accepted.reason, accepted.message)
        } else if programmed.observedGeneration != generation {
            // What the condition says was said of another spec: neither its success nor its failure is this one's.
            condition = Condition(.ready, false, "Pending", notYet)
        } else if !programmed.isTrue {
            condition = Condition(.ready, false, programmed.reason, programmed.message)
        } else {
            var message = [programmed.message]
            if case .accepted(let warnings) = acceptance { message += warnings.map(warning) }
            condition = Condition(.ready, true, "Ready", message.joined(separator: " "))
        }
        condition.observedGeneration = generation
        return condition
    }

    /// The rule's reference after a verdict. `programmedAt` and `moduleVersion` tell when this generation was first
    /// read back; they are known only while the reference stays in its place and its generation.
    private func rule(after programming: Verdict.Programming, generation: Int, now: String) -> RuleReference? {
        switch programming {
        case .unchanged(let reference):
            guard let reference else { return nil }
            return rule?.isSamePlace(as: reference) == true ? rule : reference
        case .waiting(_, _, let reference):
            return reference.map { keepingProgrammed($0, generation: generation) }
        case .programmed(let reference):
            var reference = keepingProgrammed(reference, generation: generation)
            reference.programmedAt = reference.programmedAt ?? now
            return reference
        }
    }

    private func keepingProgrammed(_ reference: RuleReference, generation: Int) -> RuleReference {
        guard let rule, let programmedAt = rule.programmedAt, rule.isSamePlace(as: reference),
            condition(.programmed)?.observedGeneration == generation
        else { return reference }
        var kept = reference
        kept.programmedAt = programmedAt
        kept.moduleVersion = rule.moduleVersion ?? reference.moduleVersion
        return kept
    }

    private static let notYet = "The orchestrator has not been read back holding the rule of this generation."

    /// The reasons that only a human can remove.
    private static let stallingReasons: Set<String> = [
        Verdict.RefusalReason.invalidSpec.rawValue, Verdict.RefusalReason.outOfLimits.rawValue,
        Verdict.RefusalReason.nameConflict.rawValue, Verdict.RefusalReason.foreignRule.rawValue,
        Verdict.WaitReason.profileNotFound.rawValue, Verdict.WaitReason.segmentNotFound.rawValue,
        Verdict.WaitReason.rejectedByOrchestrator.rawValue, Verdict.WaitReason.authFailed.rawValue,
    ]

    private static func whereabouts(_ rule: RuleReference) -> String {
        "Rule \"\(rule.name)\" is in segment \"\(rule.segment)\" of profile \"\(rule.profile)\"."
    }

    private static func warning(_ warning: String) -> String {
        "Warning: \(warning)."
    }

    static func capped(_ message: String) -> String {
        guard message.unicodeScalars.count > messageLengthMax else { return message }
        var cut = String.UnicodeScalarView()
        cut.append(contentsOf: message.unicodeScalars.prefix(messageLengthMax - 1))
        return String(cut) + "…"
    }
}

extension Status.Condition {
    /// A condition whose generation and time are filled in later.
    fileprivate init(_ type: Status.ConditionType, _ isTrue: Bool, _ reason: String, _ message: String) {
        self.init(
            type: type, isTrue: isTrue, reason: reason, message: message, observedGeneration: 0,
            lastTransitionTime: "")
    }
}
