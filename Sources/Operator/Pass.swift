import BusinessPolicy
import ControlLoop
import Orchestrator

/// One look at one profile: what was seen, and what came of it.
struct Pass: Sendable {
    /// The profile's name, as resources spell it; empty for resources that name none.
    let key: String
    let startedAt: Instant
    /// The resync that was current when the pass began.
    let epoch: Int
    /// The resources that name the profile: theirs are the statuses and finalizers that this pass may write.
    var subjects: [Subject]
    /// Resources whose status says that their rule is here, though they name another profile now.
    var visitors: [VelocloudBP]
    /// Every rule that the ledger records, on all profiles.
    var recorded: [OwnedRule]
    /// Of each owner among them when the pass began, by uid, one rule.
    let firstRecord: [String: OwnedRule]
    /// The ids of the profiles that bore the name when they were last listed: a renamed one is recorded under another.
    let knownIDs: Set<Int>
    /// What the limits of a namespace say of its resources, by namespace, as far as it was asked for.
    var judgements: [String: LimitJudgement] = [:]
    /// Profiles where rules were seen gone, as known when statuses are made, by uid.
    var cleared: [String: Set<String>] = [:]
    /// Owners of rules that were found changed on the VCO and are not back in order yet, by uid.
    var drifted: Set<String> = []
    /// Subjects that this pass must leave alone, by uid: they changed under it.
    var skipped: Set<String> = []
    /// What there is to say of a resource, by uid; nothing means that nothing new is known.
    var results: [String: Result] = [:]
    /// Profiles that have something to do because of this pass.
    var otherKeys: Set<String> = []
    /// When to look again, if not only when something changes.
    var nextAt: Instant?
    /// Something failed that only this key is to back off for.
    var hasFailed = false
    /// The VCO's document was written and read back.
    var hasWritten = false
    /// What happened, for people.
    var events: [Happening] = []
    /// The profile's id and the module's version, once read.
    var profileID: Int?
    var moduleVersion: String?

    struct Subject: Sendable {
        var resource: VelocloudBP
        var stance: Stance
    }

    enum Result: Sendable, Equatable {
        case programmed
        case refused(Verdict.RefusalReason, message: String)
        case waiting(Verdict.WaitReason, message: String)
    }

    /// Something worth an Event on a resource.
    struct Happening: Sendable {
        var owner: Owner
        var kind = "VelocloudBP"
        var isWarning: Bool
        var reason: String
        var message: String
    }

    /// Whether a resource's rule was seen gone from the place that its status names.
    func isClear(_ place: Status.RuleReference, of uid: String) -> Bool {
        cleared[uid]?.contains(place.profile) ?? false
    }

    /// Asks for another look at the latest by `instant`.
    mutating func lookAgain(at instant: Instant) {
        nextAt = min(nextAt ?? instant, instant)
    }

    var outcome: WorkQueue<String>.Outcome {
        if hasFailed { return .failed }
        return nextAt.map { .again(at: $0) } ?? .done
    }

    var metric: Metrics.ReconcileResult {
        hasFailed ? .failed : nextAt != nil ? .deferred : hasWritten ? .written : .unchanged
    }

    /// Whether the ledger knew the owner when the pass began.
    func hadRecord(_ uid: String) -> Bool { firstRecord[uid] != nil }

    /// Whether the resource had a rule when the pass began, by ledger or by status.
    func hasRule(_ resource: VelocloudBP) -> Bool {
        resource.status.rule != nil || hadRecord(resource.uid)
    }

    /// Whether a resource is to be told now that it is ready: one that comes back from a pause, for instance.
    func hasNews(besides refusals: [Refusal]) -> Bool {
        let refused = Set(refusals.map(\.owner.uid))
        return subjects.contains { subject in
            guard case .wants = subject.stance, !refused.contains(subject.resource.uid) else { return false }
            return subject.resource.status.condition(.ready)?.isTrue != true
        }
    }

    /// Whether the VCO has anything to do with this pass.
    var needsOrchestrator: Bool {
        !visitors.isEmpty
            || recorded.contains { $0.profileName == key || knownIDs.contains($0.place.profileID) }
            || subjects.contains { subject in
                switch subject.stance {
                case .wants, .waits: true
                case .held, .barred, .leaving: hasRule(subject.resource)
                }
            }
    }

    /// A call to the VCO failed: says so, and when to go on.
    mutating func fail(_ error: SessionError) {
        let (reason, message) = error.error.waitReason
        delay(reason, message)
        if let retryAt = error.retryAt { lookAgain(at: retryAt) } else { hasFailed = true }
    }

    /// Tells everyone who waits for the VCO why it takes longer. Who has a rule for this generation keeps that word.
    mutating func delay(_ reason: Verdict.WaitReason, _ message: String) {
        for subject in subjects {
            let uid = subject.resource.uid
            switch subject.stance {
            case .wants where drifted.contains(uid):
                results[uid] = .waiting(
                    .drifted, message: "The rule was changed on the orchestrator and is not put back yet. \(message)")
            case .wants where !subject.resource.isProgrammed && results[uid] == nil, .leaving:
                results[uid] = .waiting(reason, message: message)
            case .barred where hasRule(subject.resource):
                results[uid] = .waiting(reason, message: message)
            case .wants, .held, .barred, .waits:
                break
            }
        }
    }

    /// Says the same of every resource that waits for the VCO: for a rule, or for its rule to go.
    mutating func waitAll(_ reason: Verdict.WaitReason, _ message: String) {
        for subject in subjects {
            switch subject.stance {
            case .wants, .leaving: results[subject.resource.uid] = .waiting(reason, message: message)
            case .held, .barred, .waits: break
            }
        }
    }

    /// Leaves a subject, and whatever rule it has, as they are until the next pass.
    mutating func skip(_ index: Int) {
        subjects[index].stance = .held(.paused, message: "")
        skipped.insert(subjects[index].resource.uid)
    }
}

extension VelocloudBP {
    /// True when the status says that the VCO holds a rule for this very generation.
    var isProgrammed: Bool {
        guard let condition = status.condition(.programmed) else { return false }
        return condition.isTrue && condition.observedGeneration == generation
    }

    /// True once our finalizer is off a resource that is being deleted: what keeps it is the business of others, and
    /// its status claims nothing any more.
    var isLetGo: Bool { deletedAt != nil && !hasFinalizer }

    /// True when somebody asked for a reconcile that has not been answered.
    var hasOpenRequest: Bool {
        reconcileRequestedAt != nil && reconcileRequestedAt != status.lastHandledReconcileAt
    }
}
