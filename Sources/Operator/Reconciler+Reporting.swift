import BusinessPolicy
import ControlLoop
import HTTPTransport
import Logging

/// What people are told: logs, events and counters, never decisions.
extension Reconciler {
    /// Tells what was done, once it was seen to be so.
    func announce(_ changes: [Change], _ draft: Draft, _ pass: inout Pass) {
        let before = draft.recordedByPlace
        let areWishesNew = !isSettled(desired: draft.desired, recorded: draft.recorded)
        for change in changes { noteCleared(change, before[change.place], &pass) }
        let holders = changes.compactMap(\.record?.owner.uid)
        // Last, as who left a place here for another on the same profile has a rule here all the same.
        memory.withLock { [key = pass.key] memory in
            for uid in holders { memory.cleared[uid]?.remove(key) }
        }
        for var change in changes {
            let drift = memory.withLock { $0.drift.removeValue(forKey: change.place) }
            let isDrift =
                change.isDrift(before: before[change.place], areWishesNew: areWishesNew)
                || drift != nil && change.record != nil
            change.reason = drift ?? change.reason
            log.event(
                .info,
                change.sentence(isDrift: isDrift),
                [
                    .profile: .string(pass.key), .rule: .string(change.place.name),
                    .resource: .string(change.owner.label),
                    .reason: .string(change.reason),
                ])
            if isDrift { metrics.update { $0.driftCorrections += 1 } }
            guard let reason = change.eventReason(isDrift: isDrift), cache.resource(change.owner) != nil else {
                continue
            }
            pass.events.append(
                Pass.Happening(
                    owner: change.owner, isWarning: isDrift, reason: reason,
                    message: change.message(profile: pass.key, isDrift: isDrift)))
        }
    }

    /// A resource of another profile, or one being deleted, has lost its rule here, to nobody or to another resource;
    /// or the rule is known by the profile's new name now. Its own key goes on from there.
    private func noteCleared(_ change: Change, _ before: OwnedRule?, _ pass: inout Pass) {
        if let record = change.record {
            guard let before, before.owner.uid != record.owner.uid || before.profileName != record.profileName else {
                return
            }
        }
        let owner = change.record == nil ? change.owner : before?.owner ?? change.owner
        guard let resource = cache.resource(owner), resource.uid == owner.uid else { return }
        if let before, before.profileName != pass.key { clear(resource, of: before.profileName, &pass) }
        if change.record?.owner.uid != owner.uid { clear(resource, of: pass.key, &pass) }
    }

    /// Notes that a place which a resource's status may name holds no rule of it any more.
    func clear(_ resource: VelocloudBP, of profile: String, _ pass: inout Pass) {
        // Told once: a status that cannot be written must not keep two keys calling one another.
        guard memory.withLock({ $0.cleared[resource.uid, default: []].insert(profile).inserted }) else { return }
        pass.otherKeys.insert(resource.profile ?? "")
    }

    /// What a dry run would have done.
    func report(_ plan: Plan, _ pass: Pass) {
        for change in plan.changes {
            log.event(
                .info,
                "Dry run: would change a rule",
                [
                    .profile: .string(pass.key), .change: .string(change.kind.rawValue),
                    .rule: .string(change.place.name),
                    .resource: .string(change.owner.label), .reason: .string(change.reason),
                ])
        }
        for refusal in plan.refusals {
            log.event(
                .info,
                "Dry run: would refuse a resource",
                [.profile: .string(pass.key), .resource: .string(refusal.owner.label), .reason: "\(refusal.cause)"])
        }
    }

    /// The content of a rule of the WAN team goes to the operator's log, never to a status that developers read.
    func logForeignRule(_ refusal: Refusal, _ pass: Pass) {
        guard case .foreignRule(let place, let differences) = refusal.cause else { return }
        log.event(
            .info,
            "A rule of the wanted name exists that velokube did not create",
            [
                .profile: .string(pass.key), .rule: .string(place.name), .resource: .string(refusal.owner.label),
                .reason: .string(
                    differences.isEmpty ? "it satisfies the spec" : differences.joined(separator: "; ")),
            ])
    }

    /// An Event when a resource stops being ready, or is not ready for another reason than before.
    func noteTransition(of resource: VelocloudBP, to status: Status, _ pass: inout Pass) {
        guard let ready = status.condition(.ready) else { return }
        let before = resource.status.condition(.ready)
        guard ready.isTrue != before?.isTrue || ready.reason != before?.reason else { return }
        log.event(
            .info,
            "Status changed",
            [
                .resource: .string(resource.owner.label), .status: .string(ready.isTrue ? "ready" : "not ready"),
                .reason: .string(ready.reason),
                .message: .string(ready.message),
            ])
        guard !ready.isTrue, ready.reason != Verdict.WaitReason.pending.rawValue else { return }
        var reason = ready.reason
        if reason == Verdict.WaitReason.unreachable.rawValue { reason = "OrchestratorUnreachable" }
        if reason == Verdict.RefusalReason.outOfLimits.rawValue {
            reason = Self.limitExceeded
            noteViolations(by: resource, &pass)
        }
        pass.events.append(
            Pass.Happening(
                owner: resource.owner, isWarning: ready.reason != Verdict.RefusalReason.paused.rawValue,
                reason: reason, message: ready.message))
    }
}

extension Change {
    /// Whether the change undoes what somebody did to the rule in the portal.
    func isDrift(before: OwnedRule?, areWishesNew: Bool) -> Bool {
        guard let before, before.intent == nil else { return false }
        switch kind {
        case .heal: return true
        case .create: return before.wanted != nil
        case .move: return !areWishesNew
        case .update, .delete, .restore, .adopt, .transfer, .forget, .record: return false
        }
    }

    func eventReason(isDrift: Bool) -> String? {
        if isDrift { return "DriftCorrected" }
        switch kind {
        case .create: return "RuleAdded"
        case .adopt: return record?.sent == nil ? nil : "RuleAdded"
        case .update, .heal, .transfer: return "RuleUpdated"
        case .delete, .restore: return "RuleDeleted"
        case .move, .forget, .record: return nil
        }
    }

    /// What an Event says.
    func message(profile: String, isDrift: Bool) -> String {
        let rule = "rule \"\(place.name)\""
        if isDrift { return "Put \(rule) back on profile \"\(profile)\": \(reason)" }
        switch kind {
        case .create: return "Added \(rule) to profile \"\(profile)\""
        case .delete, .restore: return "Took \(rule) off profile \"\(profile)\": \(reason)"
        case .update, .heal, .move, .adopt, .transfer, .forget, .record:
            return "Changed \(rule) on profile \"\(profile)\": \(reason)"
        }
    }

    func sentence(isDrift: Bool) -> StaticString {
        if isDrift { return "Drift corrected" }
        switch kind {
        case .create: return "Rule added"
        case .update, .heal: return "Rule updated"
        case .move: return "Rule moved"
        case .delete: return "Rule deleted"
        case .restore: return "Adopted rule put back as it was"
        case .adopt: return "Rule adopted"
        case .transfer: return "Rule taken over from a predecessor"
        case .forget: return "Rule forgotten"
        case .record: return "Rule recorded"
        }
    }
}
