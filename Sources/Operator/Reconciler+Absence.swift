import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Logging
import Orchestrator

/// What is not there (any more): resources that vanished, profiles that are gone.
extension Reconciler {
    /// Owners of recorded rules that the cache lacks.
    struct Absence: Sendable {
        /// The API server said so itself, of each by name.
        var proven: Set<String> = []
        /// Nobody knows: their rules are kept.
        var doubtful: [Owner] = []
    }

    /// Proves one by one that owners are gone. Too many at once are believed of nobody: that is how a wrong cluster or
    /// a broken list looks. Whoever is there under another uid is not absent, but has a successor.
    func proveAbsence(of lost: [OwnedRule], among recorded: [OwnedRule]) async -> Absence {
        var absence = Absence()
        guard !lost.isEmpty || metrics.snapshot.deletionsHeld > 0 else { return absence }
        let absentCount = recorded.count { cache.resource($0.owner) == nil }
        let isHeld = absentCount > policy.deletesMax && absentCount * 2 > recorded.count
        metrics.update { $0.deletionsHeld = isHeld ? absentCount : 0 }
        var owners = Array(Set(lost.map(\.owner))).sorted()
        if isHeld, !lost.isEmpty {
            log.event(
                .error,
                "Too many resources are absent at once; their rules are kept",
                [
                    .resources: "\(absentCount)",
                    .flag: "restart with --max-deletes \(absentCount) if they were really deleted",
                ])
            absence.doubtful = owners.filter { cache.resource($0) == nil }
            owners.removeAll { cache.resource($0) == nil }
        }
        let known = Set(lost.filter(\.isOwnerAbsent).map(\.owner))
        absence.proven = Set(owners.filter(known.contains).map(\.uid))
        for (owner, presence) in await cluster.presence(of: owners.filter { !known.contains($0) }) {
            switch presence {
            case .absent: absence.proven.insert(owner.uid)
            case .present, .unknown: absence.doubtful.append(owner)
            }
        }
        return absence
    }

    /// No profile bears the name: says so to those who name it, and looks after rules recorded under that name.
    func profileMissing(_ pass: inout Pass, _ directory: ProfileDirectory) async throws(SessionError) {
        if directory.profiles.isEmpty {
            // A list of nothing proves nothing: it is also what a token for another enterprise sees.
            pass.delay(.profileNotFound, directory.advice(for: pass.key))
        } else {
            pass.waitAll(.profileNotFound, directory.advice(for: pass.key))
        }
        try await lookAfterOldPlaces(&pass, directory)
        let isGone = strikeName(pass.key, epoch: pass.epoch, directory)
        if isGone {
            for visitor in pass.visitors { clear(visitor, of: pass.key, &pass) }
        }
        for subject in pass.subjects {
            guard case .leaving = subject.stance else { continue }
            let uid = subject.resource.uid
            if isGone {
                memory.withLock { _ = $0.cleared[uid, default: []].insert(pass.key) }
            } else {
                pass.results[uid] = .waiting(
                    .profileNotFound,
                    message: "The profile is not on the orchestrator; velokube makes sure at the next resync.")
            }
        }
    }

    /// Looks after rules recorded under the name of the pass on profiles that do not bear it: renamed, or gone.
    func lookAfterOldPlaces(_ pass: inout Pass, _ directory: ProfileDirectory) async throws(SessionError) {
        let named = Set(directory.named(pass.key).map(\.id))
        let ids = Set(pass.recorded.filter { $0.profileName == pass.key }.map(\.place.profileID)).subtracting(named)
        for id in ids.sorted() {
            if let renamed = directory.with(id: id) {
                // The same profile under another name: its own key takes our rules out.
                hint(at: renamed.name, for: "\(id)", &pass)
                await forgetStrikes(of: id, &pass)
            } else {
                try await strike(id, &pass, directory)
            }
        }
    }

    /// A profile that was missed before is there after all.
    func forgetStrikes(of id: Int, _ pass: inout Pass) async {
        guard var record = await ledger.profiles().first(where: { $0.id == id }), record.missingStrikes > 0 else {
            return
        }
        record.missingStrikes = 0
        _ = await commit(LedgerBatch(profiles: [record]), &pass)
    }

    /// Counts the resyncs in a row for which no profile had the name; true from the second on.
    private func strikeName(_ name: String, epoch: Int, _ directory: ProfileDirectory) -> Bool {
        guard !directory.profiles.isEmpty else { return false }
        return memory.withLock { $0.missing[name, default: .init()].strike(epoch: epoch) }
    }

    /// Leaves out of a plan the records in segments that are missing for the first time: a segment, too, is gone only
    /// when two resyncs in a row do not show it.
    func withoutMissingSegments(
        _ recorded: [OwnedRule], in document: PolicyDocument, profileID: Int, epoch: Int
    ) -> [OwnedRule] {
        let present = Set(document.segments.map(\.id))
        let missing = Set(recorded.map(\.place.segmentID)).subtracting(present)
        return memory.withLock { memory in
            var strikes = (memory.profiles[profileID]?.missingSegments ?? [:]).filter { missing.contains($0.key) }
            let doubtful = missing.filter { !strikes[$0, default: .init()].strike(epoch: epoch) }
            memory.profiles[profileID, default: .init()].missingSegments = strikes
            return recorded.filter { !doubtful.contains($0.place.segmentID) }
        }
    }

    /// A profile is gone once the list lacks its id and its own read says so too, on two resyncs in a row.
    private func strike(_ id: Int, _ pass: inout Pass, _ directory: ProfileDirectory) async throws(SessionError) {
        guard !directory.profiles.isEmpty, !policy.isDryRun else { return }
        let isNew = memory.withLock { memory in
            defer { memory.profiles[id, default: .init()].checkedEpoch = pass.epoch }
            return (memory.profiles[id]?.checkedEpoch ?? 0) < pass.epoch
        }
        guard isNew else { return }
        var record = await ledger.profiles().first { $0.id == id } ?? ProfileRecord(id: id, name: pass.key)
        let found = try await session.call { client throws(OrchestratorError) in try await client.profile(id: id) }
        record.missingStrikes = found == nil ? record.missingStrikes + 1 : 0
        guard record.missingStrikes >= 2 else {
            _ = await commit(LedgerBatch(profiles: [record]), &pass)
            return
        }
        let gone = pass.recorded.filter { $0.place.profileID == id }
        guard await commit(LedgerBatch(removals: gone.map(\.place), forgottenProfiles: [id]), &pass) else { return }
        log.event(
            .warning,
            "Profile is gone; its rules went with it", [.profile: .string(pass.key), .resources: "\(gone.count)"])
        pass.recorded.removeAll { $0.place.profileID == id }
        for rule in gone {
            guard let resource = cache.resource(rule.owner), resource.uid == rule.owner.uid else { continue }
            clear(resource, of: pass.key, &pass)
        }
    }
}
