import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Logging
import Orchestrator

/// Attempt after attempt until the profile is settled, or somebody is found who stands in the way.
extension Reconciler {
    /// Attempts at most this often in one pass; a pass always ends.
    private static let attemptsMax = 6
    /// The module changed between read and write this often in a row: step back instead of fighting.
    private static let collisionsMax = 3

    func drive(_ assignment: Assignment, _ pass: inout Pass) async throws(SessionError) {
        var assignment = assignment
        var rewrites = 0
        var collisions = 0
        for round in 0..<Self.attemptsMax {
            if round > 0 { await waitForSpacing(assignment.profile.id) }
            switch try await attempt(assignment, &pass) {
            case .settled, .stopped:
                return
            case .unusable(let reason, let message):
                pass.waitAll(reason, message)
                return
            case .changedUnderneath:
                collisions += 1
                metrics.update { $0.foreignVersionChanges += 1 }
                if collisions == Self.collisionsMax { return stepBack(&pass) }
            case .unverified(let failed):
                rewrites += 1
                if rewrites > 1, !giveUp(on: failed, &assignment, &pass) { return }
            case .rejected(let message, let candidates):
                log.event(
                    .warning, "VCO rejected the document", [.profile: .string(pass.key), .error: .string(message)])
                try await isolate(assignment, message, candidates, &pass)
                return
            }
        }
        stepBack(&pass)
    }

    private func stepBack(_ pass: inout Pass) {
        log.event(.warning, "The module keeps changing under us", [.profile: .string(pass.key)])
        pass.hasFailed = true
        pass.delay(
            .pending, "The profile keeps being changed by somebody else between read and write; velokube tries again.")
    }

    /// The VCO takes our writes but shows something else: hold those rules until they are edited. False when only a
    /// deletion failed, which is tried again later instead.
    private func giveUp(on failed: [Unverified], _ assignment: inout Assignment, _ pass: inout Pass) -> Bool {
        var isHolding = false
        for item in failed {
            let differences = item.differences.joined(separator: "; ")
            guard item.change.record != nil else {
                pass.hasFailed = true
                log.event(
                    .warning,
                    "The VCO still shows a deleted rule",
                    [.profile: .string(pass.key), .rule: .string(item.change.place.name), .error: .string(differences)])
                continue
            }
            quarantine(
                item.change.owner, "The orchestrator took the rule but shows it otherwise: \(differences).", &pass)
            assignment.hold(item.change.owner)
            isHolding = true
        }
        return isHolding
    }

    /// Marks a generation as refused by the VCO: its rule is left alone until it is edited.
    private func quarantine(_ owner: Owner, _ message: String, _ pass: inout Pass) {
        for index in pass.subjects.indices where pass.subjects[index].resource.owner == owner {
            let resource = pass.subjects[index].resource
            guard case .wants(let spec) = pass.subjects[index].stance else { continue }
            memory.withLock {
                $0.quarantine[resource.uid] = Quarantine(generation: resource.generation, message: message)
            }
            pass.subjects[index].stance = .waits(spec, .rejectedByOrchestrator, message: message)
            metrics.update { $0.terminalErrors += 1 }
            log.event(
                .warning,
                "Resource held until it is edited",
                [.profile: .string(pass.key), .resource: .string(owner.label), .error: .string(message)])
        }
    }

    func waitForSpacing(_ profileID: Int) async {
        guard let lastWrite = memory.withLock({ $0.profiles[profileID]?.lastWrite }) else { return }
        // Cancelled: the next call to the VCO says so.
        try? await time.sleep(lastWrite + Self.writeSpacing)
    }

    /// Finds the rules that make the VCO refuse the document, and writes all the others.
    private func isolate(
        _ assignment: Assignment, _ message: String, _ candidates: [Owner], _ pass: inout Pass
    ) async throws(SessionError) {
        guard let isAccepted = try await acceptsUnchanged(assignment.profile) else {
            pass.hasFailed = true
            return
        }
        guard isAccepted else {
            pass.hasFailed = true
            pass.delay(
                .pending,
                "The orchestrator refuses the profile's own rules, even without velokube's changes: \(message)")
            return
        }
        var assignment = assignment
        // Who waits for a name of theirs would take it while they are held, without a finalizer and perhaps to be
        // refused as well: the next pass sees to it.
        let rivals = assignment.rivals(of: candidates)
        if !rivals.isEmpty { pass.lookAgain(at: time.now()) }
        var open = Set(candidates.map(\.uid)).union(rivals)
        // Deletions first, alone: they must not wait for a culprit.
        await waitForSpacing(assignment.profile.id)
        guard case .settled = try await attempt(assignment, holding: open, &pass) else {
            pass.hasFailed = true
            pass.delay(.pending, "The orchestrator refuses the removal of rules: \(message)")
            return
        }
        var groups = [candidates]
        while let group = groups.popLast() {
            await waitForSpacing(assignment.profile.id)
            let inside = Set(group.map(\.uid))
            switch try await attempt(assignment, holding: open.subtracting(inside), &pass) {
            case .settled:
                open.subtract(inside)
            case .rejected(let words, _) where group.count == 1:
                quarantine(group[0], "The orchestrator rejected the rule: \(words)", &pass)
                assignment.hold(group[0])
            case .rejected:
                groups.append(Array(group[(group.count / 2)...]))
                groups.append(Array(group[..<(group.count / 2)]))
            case .unverified(let failed):
                // Written, but the VCO shows some of it otherwise: those are held, the others are done.
                guard giveUp(on: failed, &assignment, &pass) else { return }
                open.subtract(inside)
            case .changedUnderneath, .unusable, .stopped:
                // The world moved: whoever is still open is looked at afresh.
                pass.hasFailed = true
                return
            }
        }
        guard case .settled = try await attempt(assignment, holding: rivals, &pass) else {
            pass.hasFailed = true
            return
        }
    }

    /// Whether the VCO takes the document as it is: if not, none of our rules is to blame. Nil when it changed before
    /// it could be sent back.
    private func acceptsUnchanged(_ profile: ProfileSummary) async throws(SessionError) -> Bool? {
        await waitForSpacing(profile.id)
        let id = profile.id
        let askedAt = time.now()
        let module = try await session.call { client throws(OrchestratorError) in try await client.module(profileID: id)
        }
        guard let module, try await isUnmoved(module, ofProfile: id, since: askedAt) else { return nil }
        memory.withLock { [now = time.now()] in $0.profiles[id, default: .init()].lastWrite = now }
        do {
            try await update(moduleID: module.id, data: module.data)
            return true
        } catch {
            guard case .rejected = error.error else { throw error }
            return false
        }
    }
}

extension Reconciler.Assignment {
    mutating func hold(_ owner: Owner) {
        for index in desired.indices where desired[index].owner == owner { desired[index].want = .hold }
    }

    /// Who else wants a name that one of these wants, by uid.
    func rivals(of owners: [Owner]) -> Set<String> {
        let uids = Set(owners.map(\.uid))
        let places = Set(desired.filter { uids.contains($0.owner.uid) }.map(\.placeName))
        let rivals = desired.filter { places.contains($0.placeName) && !uids.contains($0.owner.uid) }
        return Set(rivals.map(\.owner.uid))
    }

    /// The wishes with those of some owners on hold, by uid. What they would take over stays with whom it is with: a
    /// predecessor under another uid, or another resource that gives the name up.
    func desired(holding held: Set<String>, recorded: [OwnedRule]) -> [DesiredRule] {
        guard !held.isEmpty else { return desired }
        let wishes = desired.filter { held.contains($0.owner.uid) }
        let names = Set(wishes.map { "\($0.owner.namespace)/\($0.owner.name)" })
        let places = Set(wishes.map(\.placeName))
        let others = Set(desired.map(\.owner.uid))
        let kept = recorded.filter { rule in
            !others.contains(rule.owner.uid)
                && (names.contains(rule.owner.label) || places.contains("\(rule.segmentName)\n\(rule.place.name)"))
        }
        let stilled = desired.map { rule in
            var rule = rule
            if held.contains(rule.owner.uid) { rule.want = .hold }
            return rule
        }
        return stilled + Set(kept.map(\.owner)).sorted().map { .hold(for: $0) }
    }
}

extension DesiredRule {
    /// Its place on the profile, by names.
    fileprivate var placeName: String { "\(segment)\n\(name)" }
}
