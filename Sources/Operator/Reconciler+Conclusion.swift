import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging

/// The part of a pass that speaks to the API server: finalizers before, statuses after.
extension Reconciler {
    /// Puts the finalizer on every resource that is to get a rule. Who cannot have it now gets no rule in this pass.
    func putFinalizers(_ pass: inout Pass) async {
        guard !policy.isDryRun else { return }
        let candidates = pass.subjects.compactMap { $0.stance.desired(for: $0.resource, allowed: policy.allowed) }
        let stated = pass.subjects.map(\.resource).filter { !pass.hadRecord($0.uid) }
            .compactMap { $0.statedRecord(profile: pass.key) }
        let losers = claims(candidates, recorded: pass.recorded.filter { $0.profileName == pass.key } + stated)
        let conflicts = Set(losers.map(\.owner.uid))
        for refusal in losers { pass.results[refusal.owner.uid] = refusal.cause.result }
        let bare = pass.subjects.filter { subject in
            guard case .wants = subject.stance else { return false }
            return !subject.resource.hasFinalizer && !conflicts.contains(subject.resource.uid)
        }.map(\.resource)
        let outcomes = await cluster.putFinalizer(on: bare)
        for index in pass.subjects.indices {
            guard let outcome = outcomes[pass.subjects[index].resource.uid] else { continue }
            take(outcome, &pass, index)
        }
    }

    private func take(_ outcome: ResourceWriter.Outcome, _ pass: inout Pass, _ index: Int) {
        switch outcome {
        case .written(let written):
            pass.subjects[index].resource = written
        case .gone, .conflict, .failed:
            noteUnwritten(outcome, "The finalizer cannot be put on", pass.subjects[index].resource, &pass)
            // Who has a rule for this generation keeps that word.
            guard case .failed(let error) = outcome, case .wants(let spec) = pass.subjects[index].stance,
                !pass.subjects[index].resource.isProgrammed
            else {
                pass.skip(index)
                return
            }
            // The right to write the status is another one, and is mostly still there.
            pass.subjects[index].stance = .waits(
                spec, .pending,
                message: "velokube cannot put its finalizer on this resource, and makes no rule without: \(error).")
        }
    }

    /// A write to one resource did not come about: the others go on, and this one is looked at again when it helps.
    private func noteUnwritten(
        _ outcome: ResourceWriter.Outcome, _ sentence: StaticString, _ resource: VelocloudBP, _ pass: inout Pass
    ) {
        switch outcome {
        case .written, .gone:
            break  // Of one that is gone the watch tells, and the next pass proves it.
        case .conflict:
            // It changed meanwhile: look again rather than act on what it was.
            pass.lookAgain(at: time.now() + Self.conflictDelay)
        case .failed(let error):
            log.event(.warning, sentence, [.resource: .string(resource.owner.label), .error: "\(error)"])
            // What the API server refuses for what it says, it refuses until somebody changes something. Of a right
            // that is given back no event tells.
            if !error.isRefusal || error.isForbidden { pass.lookAgain(at: time.now() + Self.delay(after: error)) }
        }
    }

    /// After a conflict the watch brings the newer resource within this time, or we look anyway.
    private static let conflictDelay = Duration.milliseconds(500)
    /// Writes what the pass found out: statuses that differ, finalizers that are done, events.
    func conclude(_ pass: inout Pass) async {
        pass.recorded = await ledger.allRules()
        pass.cleared = memory.withLock { $0.cleared }
        metrics.update { [count = pass.recorded.count] in $0.rulesManaged = count }
        guard !policy.isDryRun else { return }
        let records = Dictionary(grouping: pass.recorded, by: \.owner.uid)
        var statuses: [(VelocloudBP, Status)] = []
        var (released, bare): ([VelocloudBP], [VelocloudBP]) = ([], [])
        for var subject in pass.subjects where !pass.skipped.contains(subject.resource.uid) {
            subject.resource = cache.current(subject.resource)
            let resource = subject.resource
            let owned = records[resource.uid] ?? []
            if isReleased(subject, owned, pass) {
                if resource.hasFinalizer { released.append(resource) } else { bare.append(resource) }
                continue
            }
            guard let verdict = verdict(on: subject, owned, pass) else { continue }
            let updated = resource.status.updated(
                by: verdict, generation: resource.generation,
                handledReconcileAt: isAnswered(subject, pass)
                    ? resource.reconcileRequestedAt : resource.status.lastHandledReconcileAt,
                now: timestamp(milliseconds: time.wallMilliseconds()))
            if updated != resource.status {
                statuses.append((resource, updated))
            }
        }
        await finish(statuses, released, &pass, bare)
    }

    private func finish(
        _ statuses: [(VelocloudBP, Status)], _ released: [VelocloudBP], _ pass: inout Pass, _ bare: [VelocloudBP]
    ) async {
        var conditions: [ConditionRecord] = []
        var shifted: Set<String> = []
        for (resource, outcome) in await cluster.writeStatus(statuses) {
            noteUnwritten(outcome, "The status cannot be written", resource, &pass)
            guard case .written(let written) = outcome else { continue }
            if (resource.status.rule == nil) != (written.status.rule == nil) {
                shifted.insert(resource.owner.namespace)
            }
            noteTransition(of: resource, to: written.status, &pass)
            conditions.append(ConditionRecord(uid: written.uid, json: written.status.json["conditions"]))
            observeProgrammed(written)
        }
        cache.noteRules(in: shifted, now: time.now())
        var bare = bare
        for (resource, outcome) in await cluster.removeFinalizer(from: released) {
            noteUnwritten(outcome, "The finalizer cannot be taken off", resource, &pass)
            if case .written(let written) = outcome { bare.append(written) }
            switch outcome {
            case .written, .gone:
                conditions.append(ConditionRecord(uid: resource.uid, json: nil))
                memory.withLock { $0.forget(resource.uid) }
            case .conflict, .failed: break
            }
        }
        if policy.uninstall != nil { await clearStatuses(of: bare, &pass) }
        _ = await commit(LedgerBatch(conditions: conditions), &pass)
        await cluster.post(pass.events)
    }

    /// Nobody keeps a status true any more.
    private func clearStatuses(of resources: [VelocloudBP], _ pass: inout Pass) async {
        for (resource, outcome) in await cluster.clearStatus(of: resources.filter { $0.status != Status() }) {
            noteUnwritten(outcome, "The status cannot be taken off", resource, &pass)
        }
    }

    /// Whether the pass did for a resource what can be done: then a request for a reconcile is answered.
    private func isAnswered(_ subject: Pass.Subject, _ pass: Pass) -> Bool {
        switch subject.stance {
        // Not tried: the request stands until it can be.
        case .waits(_, .pending, _): false
        case .held, .waits: true
        case .wants, .barred, .leaving:
            switch pass.results[subject.resource.uid] {
            case .waiting(.unreachable, _), .waiting(.rateLimited, _), .waiting(.authFailed, _),
                .waiting(.pending, _):
                false  // Not tried either.
            case .programmed, .refused, .waiting: true
            case nil: subject.isBarred || !pass.needsOrchestrator
            }
        }
    }

    /// A resource may go once no rule and no open intention stands under its uid, by ledger and by status.
    private func isReleased(_ subject: Pass.Subject, _ owned: [OwnedRule], _ pass: Pass) -> Bool {
        guard case .leaving = subject.stance, owned.isEmpty else { return false }
        let uid = subject.resource.uid
        // A status that names a rule which the ledger never knew must first be looked for on the VCO; a rule on
        // another profile is the business of that profile's key.
        guard let old = subject.resource.status.rule, !pass.isClear(old, of: uid) else { return true }
        return old.profile == pass.key && pass.hadRecord(uid)
    }

    /// What there is to say of a resource; nil when nothing new is known.
    private func verdict(on subject: Pass.Subject, _ owned: [OwnedRule], _ pass: Pass) -> Verdict? {
        let resource = subject.resource
        let result = pass.results[resource.uid]
        switch subject.stance {
        case .held(let reason, let message):
            return unchanged(resource, reason, message, owned, pass)
        case .barred(let refusal, let message):
            var programming = Verdict.Programming.waiting(.pending, message: "", rule: place(of: resource, owned, pass))
            if case .waiting(let reason, let words) = result {
                // Its rule is still there, and this is what keeps it.
                programming = .waiting(reason, message: words, rule: place(of: resource, owned, pass))
            }
            return Verdict(acceptance: .refused(refusal, message: message), programming: programming)
        case .waits(let spec, let reason, let message):
            return Verdict(
                acceptance: .accepted(warnings: spec.warnings),
                programming: .waiting(reason, message: message, rule: place(of: resource, owned, pass)))
        case .wants(let spec):
            return wanting(resource, spec, result, owned, pass)
        case .leaving:
            switch result {
            case .waiting(let reason, let message):
                return Verdict(
                    acceptance: .accepted(warnings: []),
                    programming: .waiting(reason, message: message, rule: place(of: resource, owned, pass)))
            case .refused(let reason, let message):
                // Its rule cannot be told from others of the name: a human must say which is to go.
                return unchanged(resource, reason, message, owned, pass)
            case .programmed, nil:
                return nil
            }
        }
    }

    /// A resource that is not acted on. Its status still has to name the rule that it has, and may not name it yet: it
    /// may have been paused before the first status was written.
    private func unchanged(
        _ resource: VelocloudBP, _ reason: Verdict.RefusalReason, _ message: String, _ owned: [OwnedRule], _ pass: Pass
    ) -> Verdict {
        Verdict(
            acceptance: .refused(reason, message: message),
            programming: .unchanged(rule: place(of: resource, owned, pass)))
    }

    private func wanting(
        _ resource: VelocloudBP, _ spec: VelocloudBP.Spec, _ result: Pass.Result?, _ owned: [OwnedRule], _ pass: Pass
    ) -> Verdict? {
        let accepted = Verdict.Acceptance.accepted(warnings: spec.warnings)
        switch result {
        case .programmed:
            guard var reference = place(of: resource, owned, pass) else { return nil }
            if reference.profile == pass.key {
                reference.moduleVersion = pass.moduleVersion
                reference.programmedAt = timestamp(milliseconds: time.wallMilliseconds())
            }
            return Verdict(acceptance: accepted, programming: .programmed(reference))
        case .refused(let reason, let message):
            return Verdict(
                acceptance: .refused(reason, message: message),
                programming: .waiting(
                    .pending, message: "Waits for Accepted: \(message)", rule: place(of: resource, owned, pass)))
        case .waiting(let reason, let message):
            return Verdict(
                acceptance: accepted,
                programming: .waiting(reason, message: message, rule: place(of: resource, owned, pass)))
        case nil:
            return nil
        }
    }

    /// What `status.rule` is to name: an old place until the rule there is gone, so that the loss of the ledger leaves
    /// none behind.
    private func place(of resource: VelocloudBP, _ owned: [OwnedRule], _ pass: Pass) -> Status.RuleReference? {
        // One that is known to be there before one that may be.
        let owned = owned.filter { $0.intent != .create } + owned.filter { $0.intent == .create }
        if let elsewhere = owned.first(where: { $0.place.profileID != pass.profileID }) { return elsewhere.reference }
        guard let old = resource.status.rule, !pass.isClear(old, of: resource.uid) else {
            return owned.first?.reference
        }
        // The ledger may have been lost with the record of the old place: that one's own key says when it is clear.
        if old.profile != pass.key { return old }
        if let recorded = owned.first { return recorded.reference }
        // What the ledger never knew may still stand there: only a pass that saw it gone clears it.
        return pass.hadRecord(resource.uid) ? nil : old
    }

    /// Tells those who want a rule, and have had no word for this generation, that it takes longer.
    func writePending(_ pass: Pass) async {
        guard !policy.isDryRun else { return }
        var statuses: [(VelocloudBP, Status)] = []
        for subject in pass.subjects {
            guard case .wants(let spec) = subject.stance, !subject.resource.isProgrammed,
                subject.resource.status.observedGeneration != subject.resource.generation
            else { continue }
            let verdict = Verdict(
                acceptance: .accepted(warnings: spec.warnings),
                programming: .waiting(
                    .pending, message: "velokube is writing the rule to the orchestrator.",
                    rule: subject.resource.status.rule))
            let updated = subject.resource.status.updated(
                by: verdict, generation: subject.resource.generation,
                handledReconcileAt: subject.resource.status.lastHandledReconcileAt,
                now: timestamp(milliseconds: time.wallMilliseconds()))
            if updated != subject.resource.status { statuses.append((subject.resource, updated)) }
        }
        // Whatever comes of it: the result that follows says more.
        _ = await cluster.writeStatus(statuses)
    }

    private func observeProgrammed(_ resource: VelocloudBP) {
        guard resource.isProgrammed else { return }
        let seen = memory.withLock { memory in
            memory.quarantine[resource.uid] = nil
            return memory.firstSeen.removeValue(forKey: resource.uid)
        }
        guard let seen, seen.generation == resource.generation else { return }
        metrics.update { $0.specToProgrammed.observe(time.now().since(seen.at)) }
    }
}

extension OwnedRule {
    var reference: Status.RuleReference {
        Status.RuleReference(
            profile: profileName, segment: segmentName, name: place.name, isAdopted: original != nil)
    }
}

extension VelocloudBP {
    /// Who has which name as far as the status tells, for a resource that the ledger does not know: enough for claims
    /// before the VCO has been read, and for nothing else.
    fileprivate func statedRecord(profile: String) -> OwnedRule? {
        guard let rule = status.rule, rule.profile == profile else { return nil }
        return OwnedRule(
            place: RulePlace(profileID: -1, segmentID: -1, name: rule.name), owner: owner, profileName: profile,
            segmentName: rule.segment, wanted: nil, order: DesiredRule.defaultOrder)
    }
}
