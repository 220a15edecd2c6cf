import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Logging
import Orchestrator

/// The part of a pass that speaks to the VCO.
extension Reconciler {
    /// Brings the profile of the pass to what is wanted, as far as the VCO lets it.
    func converge(_ pass: Pass) async -> Pass {
        var pass = pass
        noteOtherPlaces(&pass)
        do throws(SessionError) {
            if let profile = try await locate(&pass) {
                pass.profileID = profile.id
                try await settleAlone(profile, &pass)
            }
        } catch {
            log.event(
                error.isRepeated ? .debug : .warning, "VCO call failed",
                [.profile: .string(pass.key), .error: "\(error.error)"])
            pass.fail(error)
        }
        return pass
    }

    /// Finds the profile by name; nil when there is none to work on, which the pass then says.
    private func locate(_ pass: inout Pass) async throws(SessionError) -> ProfileSummary? {
        var directory = try await session.directory(epoch: pass.epoch)
        if directory.named(pass.key).isEmpty {
            // It may have been made since the list was read; who asks for a look knows of a reason.
            let isAsked = pass.subjects.contains { $0.resource.hasOpenRequest }
            directory = try await session.directory(
                epoch: pass.epoch,
                notOlderThan: isAsked ? pass.startedAt : time.now() - Self.directoryTrustedFor)
        }
        let found = directory.named(pass.key)
        if found.count == 1 {
            memory.withLock { $0.missing[pass.key] = nil }
            await forgetStrikes(of: found[0].id, &pass)
            try await lookAfterOldPlaces(&pass, directory)
            return found[0]
        }
        if found.count > 1 {
            let known = Set(pass.recorded.map(\.place.profileID))
            if let ours = found.first(where: { known.contains($0.id) }) { return ours }
            pass.waitAll(
                .profileNotFound,
                "\(found.count) profiles are named \"\(pass.key)\"; rename all but one in the orchestrator.")
            return nil
        }
        try await profileMissing(&pass, directory)
        return nil
    }

    /// A list of profiles younger than this is believed when it lacks one.
    private static let directoryTrustedFor = Duration.seconds(5)

    /// What one profile is asked for, and what is recorded on it.
    struct Assignment: Sendable {
        var profile: ProfileSummary
        var desired: [DesiredRule]
        var recorded: [OwnedRule]
        /// Owners that are proven absent, by uid.
        var absent: Set<String>
        /// Resources whose status names a rule here that the ledger does not know: it was lost.
        var rebuildable: [VelocloudBP]
        /// Somebody asked for a look, or an absent owner was newly proven.
        var isUrgent: Bool
    }

    /// A profile that is renamed while a pass is at it has a second key for that time; one profile is never worked on
    /// twice at once.
    private func settleAlone(_ profile: ProfileSummary, _ pass: inout Pass) async throws(SessionError) {
        guard memory.withLock({ $0.busyProfiles.insert(profile.id).inserted }) else {
            pass.lookAgain(at: time.now() + Self.writeSpacing)
            return
        }
        defer { memory.withLock { _ = $0.busyProfiles.remove(profile.id) } }
        try await settle(profile, &pass)
    }

    private func settle(_ profile: ProfileSummary, _ pass: inout Pass) async throws(SessionError) {
        await releaseOrphans(&pass)
        let assignment = await assign(profile, &pass)
        if try await isQuiet(assignment, &pass) { return }
        let lastWrite = memory.withLock { $0.profiles[profile.id]?.lastWrite }
        if let lastWrite, time.now() < lastWrite + Self.writeSpacing {
            pass.lookAgain(at: lastWrite + Self.writeSpacing)
            return
        }
        try await drive(assignment, &pass)
    }

    /// Gathers what the profile is to hold, with absences proven and everything doubtful on hold.
    func assign(_ profile: ProfileSummary, _ pass: inout Pass) async -> Assignment {
        var desired = pass.subjects.compactMap { $0.stance.desired(for: $0.resource, allowed: policy.allowed) }
        var recorded = pass.recorded.filter { $0.place.profileID == profile.id }
        let here = Set(pass.subjects.map(\.resource.uid))
        var lost: [OwnedRule] = []
        for rule in recorded where !here.contains(rule.owner.uid) {
            let resource = cache.resource(rule.owner)
            // Held resources keep their rule wherever it is, also that of a predecessor under another uid; others have
            // moved on, and the plan takes the rule away.
            if let resource, isHeld(resource, &pass) {
                desired.append(.hold(for: rule.owner))
            } else if resource?.uid != rule.owner.uid {
                lost.append(rule)
            }
        }
        let absence = await proveAbsence(of: lost, among: pass.recorded)
        for index in recorded.indices where absence.proven.contains(recorded[index].owner.uid) {
            recorded[index].isOwnerAbsent = true
        }
        desired += absence.doubtful.map { .hold(for: $0) }
        if !absence.doubtful.isEmpty { pass.lookAgain(at: time.now() + .seconds(30)) }
        let cleared = memory.withLock { $0.cleared }.filter { $0.value.contains(pass.key) }
        // Also not by a profile that has taken over the name of the one that the ledger knows.
        let known = Set(pass.recorded.filter { $0.profileName == pass.key }.map(\.owner.uid))
            .union(recorded.map(\.owner.uid)).union(cleared.keys)
        let rebuildable = (pass.subjects.map(\.resource) + pass.visitors).filter {
            $0.status.rule?.profile == pass.key && !known.contains($0.uid)
        }
        for resource in rebuildable where !here.contains(resource.uid) && isHeld(resource, &pass) {
            desired.append(.hold(for: resource.owner))
        }
        return Assignment(
            profile: profile, desired: desired.sorted { $0.owner < $1.owner }, recorded: recorded,
            absent: absence.proven, rebuildable: rebuildable,
            isUrgent: !absence.proven.isEmpty || pass.subjects.contains { $0.resource.hasOpenRequest })
    }

    /// Whether a resource's rules stay as they are, as far as its own wishes go.
    private func isHeld(_ resource: VelocloudBP, _ pass: inout Pass) -> Bool {
        if pass.skipped.contains(resource.uid) { return true }
        let isHere = resource.profile == pass.key
        switch stance(of: resource, quarantine: memory.withLock { $0.quarantine[resource.uid] }, &pass) {
        case .held: return true
        case .waits: return isHere
        case .wants, .barred, .leaving: return false
        }
    }

    /// Whether the profile needs no plan: nothing wanted has changed, and the VCO's version has not moved either.
    private func isQuiet(_ assignment: Assignment, _ pass: inout Pass) async throws(SessionError) -> Bool {
        let id = assignment.profile.id
        let known = memory.withLock { $0.profiles[id] ?? Memory.ProfileMemory() }
        guard !assignment.isUrgent, assignment.recorded.allSatisfy({ $0.intent == nil }) else { return false }
        let held = Set(assignment.desired.filter { $0.want == .hold }.map(\.owner.uid))
        // A place that a status names is looked at until the rule there is known, or known to be gone.
        guard assignment.rebuildable.allSatisfy({ held.contains($0.uid) }) else { return false }
        let settled = known.settled.flatMap { $0.desired == assignment.desired ? $0 : nil }
        guard
            settled != nil
                || (assignment.rebuildable.isEmpty
                    && isSettled(desired: assignment.desired, recorded: assignment.recorded))
        else { return false }
        let isKnownByName = assignment.recorded.allSatisfy {
            $0.profileName == assignment.profile.name || held.contains($0.owner.uid)
        }
        guard isKnownByName else { return false }
        let recordedVersion = await ledger.profiles().first { $0.id == id }?.settledVersion
        guard let version = settled?.version ?? recordedVersion else { return false }
        let refusals = settled?.refusals ?? []
        if known.checkedEpoch < pass.epoch || pass.hasNews(besides: refusals) {
            if !known.missingSegments.isEmpty { return false }
            if known.fullReadEpoch > 0, pass.epoch - known.fullReadEpoch >= Self.resyncsPerFullRead { return false }
            let summary = try await session.call { client throws(OrchestratorError) in
                try await client.moduleSummary(profileID: id)
            }
            guard summary?.version == version else { return false }
            memory.withLock { memory in
                memory.profiles[id, default: .init()].checkedEpoch = pass.epoch
                // A restart that found everything in place counts as a look at the whole.
                if known.fullReadEpoch == 0 { memory.profiles[id, default: .init()].fullReadEpoch = pass.epoch }
            }
        }
        pass.moduleVersion = version
        note(refusals, unsettled: [], &pass)
        return true
    }

    /// Turns what a plan refused into results, and everything else that wants a rule into a success, but for those who
    /// were left out of the plan.
    func note(_ refusals: [Refusal], unsettled: Set<String>, _ pass: inout Pass) {
        let causes = Dictionary(refusals.map { ($0.owner.uid, $0.cause) }, uniquingKeysWith: { first, _ in first })
        for subject in pass.subjects {
            let uid = subject.resource.uid
            if let cause = causes[uid] {
                pass.results[uid] = cause.result
            } else if !unsettled.contains(uid), case .wants = subject.stance {
                pass.results[uid] = .programmed
            }
        }
    }

    /// Lets the profiles look again where resources of this one still have a rule, by ledger or by status.
    private func noteOtherPlaces(_ pass: inout Pass) {
        let records = Dictionary(grouping: pass.recorded, by: \.owner.uid)
        for subject in pass.subjects {
            if case .held = subject.stance { continue }
            let uid = subject.resource.uid
            var places = Set((records[uid] ?? []).map(\.profileName))
            if let stated = subject.resource.status.rule?.profile { places.insert(stated) }
            for place in places where place != pass.key {
                hint(at: place, for: "\(uid)/\(subject.resource.generation)", &pass)
            }
        }
    }

    /// Lets another profile look again, once in a resync for each reason: two keys must not keep calling one another.
    func hint(at key: String, for reason: String, _ pass: inout Pass) {
        if memory.withLock({ $0.hints.insert("\(pass.key)\n\(key)\n\(reason)").inserted }) {
            pass.otherKeys.insert(key)
        }
    }

    /// Forgets the rules of resources that leave them behind: from here on they belong to the WAN team.
    func releaseOrphans(_ pass: inout Pass) async {
        guard !policy.isDryRun else { return }
        let leaving = pass.subjects.filter { $0.stance == .leaving(isOrphaning: true) }.map(\.resource)
        for resource in leaving {
            clear(resource, of: pass.key, &pass)
            if let stated = resource.status.rule?.profile { clear(resource, of: stated, &pass) }
        }
        let uids = Set(leaving.map(\.uid))
        // When all are left behind, those of resources that have vanished are, too.
        let leavesAll = policy.uninstall?.leavesRules == true
        let orphans = pass.recorded.filter {
            uids.contains($0.owner.uid) || leavesAll && $0.profileName == pass.key
        }
        guard !orphans.isEmpty else { return }
        guard await commit(LedgerBatch(removals: orphans.map(\.place)), &pass) else { return }
        for rule in orphans {
            log.event(
                .notice,
                "Rule left behind as asked",
                [.profile: .string(pass.key), .rule: .string(rule.place.name), .resource: .string(rule.owner.label)])
        }
        let places = Set(orphans.map(\.place))
        pass.recorded.removeAll { places.contains($0.place) }
    }

    /// Writes to the ledger; without its record nothing may go on, so a failure ends the pass with words.
    func commit(_ batch: LedgerBatch, _ pass: inout Pass) async -> Bool {
        do {
            try await ledger.commit(batch)
            if !batch.isEmpty { metrics.update { $0.observeCommit(succeeded: true) } }
            return true
        } catch {
            metrics.update { $0.observeCommit(succeeded: false) }
            log.event(.error, "The ledger cannot be written", [.profile: .string(pass.key), .error: "\(error)"])
            pass.hasFailed = true
            pass.delay(
                .pending,
                "velokube cannot write its ledger and so changes nothing on the orchestrator; tell those who run it.")
            return false
        }
    }
}
