import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Logging
import Orchestrator

/// One attempt: read the module, plan, intend, write once, read back, settle.
extension Reconciler {
    /// How an attempt ended; a call that failed is thrown instead.
    enum AttemptResult: Sendable {
        /// The VCO holds what the plan said, and the ledger says so.
        case settled
        /// The VCO refused the document; these owners' rules were new in it.
        case rejected(message: String, candidates: [Owner])
        /// Somebody wrote the module between our read and our write; nothing was written.
        case changedUnderneath
        /// Written, but the read-back does not honour these.
        case unverified([Unverified])
        /// There is nothing here that can be edited.
        case unusable(Verdict.WaitReason, message: String)
        /// The pass already says why it goes no further.
        case stopped
    }

    struct Unverified: Sendable {
        var change: Change
        var differences: [String]
    }

    /// What was read, and what is to be done about it.
    struct Draft: Sendable {
        var assignment: Assignment
        var module: QOSModule
        var document: PolicyDocument
        var desired: [DesiredRule]
        var recorded: [OwnedRule]
        /// Those of them that the ledger has lost, and that resources' statuses tell of.
        var rebuilt: [OwnedRule]
        var plan: Plan
        /// When the document was asked for: what is edited while the answer is on its way is not in it.
        var askedAt: Instant

        var recordedByPlace: [RulePlace: OwnedRule] {
            Dictionary(recorded.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Makes one attempt, with the rules of `held` owners left as they are.
    func attempt(
        _ assignment: Assignment, holding held: Set<String> = [], _ pass: inout Pass
    ) async throws(SessionError) -> AttemptResult {
        let id = assignment.profile.id
        let askedAt = time.now()
        let module = try await session.call { client throws(OrchestratorError) in try await client.module(profileID: id)
        }
        guard let module else {
            guard assignment.recorded.isEmpty else {
                let words = "the profile \"\(pass.key)\" has rules of velokube, but no QOS module was shown"
                throw SessionError(error: .unreadable(words), retryAt: nil)
            }
            return .unusable(.segmentNotFound, message: "The profile \"\(pass.key)\" has no QOS module.")
        }
        let document: PolicyDocument
        do {
            document = try PolicyDocument(parsing: module.data)
        } catch {
            return .unusable(error.waitReason, message: error.message(profile: pass.key))
        }
        let draft = await draft(assignment, held, module, document, askedAt, &pass)
        pass.moduleVersion = module.version
        memory.withLock { $0.profiles[id, default: .init()].fullReadEpoch = pass.epoch }
        if policy.isDryRun {
            report(draft.plan, pass)
            note(draft.plan.refusals, unsettled: Set(pass.subjects.map(\.resource.uid)), &pass)
            return .stopped
        }
        let doubtful = await doubtfulAdopters(draft, &pass)
        if !doubtful.isEmpty {
            return try await attempt(assignment, holding: held.union(doubtful), &pass)
        }
        guard draft.plan.needsWrite else {
            return await settleRecords(draft, held, &pass) ? .settled : .stopped
        }
        return try await write(draft, held, &pass)
    }

    /// When the watch should have brought what a read has shown it to lack.
    private static let outdatedDelay = Duration.seconds(1)

    /// Those who would adopt a rule, or be refused one that satisfies their settings, and are not as the cache has
    /// them, by uid. The rule may be their own: their status tells so, but the cache of a process that has just come to
    /// lead, or of one whose ledger is lost, may be behind.
    private func doubtfulAdopters(_ draft: Draft, _ pass: inout Pass) async -> Set<String> {
        var adopters = Set(draft.plan.changes.filter { $0.kind == .adopt }.map(\.owner.uid))
        for refusal in draft.plan.refusals {
            guard case .foreignRule(_, differences: []) = refusal.cause else { continue }
            adopters.insert(refusal.owner.uid)
        }
        // As the pass saw them, for that is what the plan was made for.
        let seen = pass.subjects.map(\.resource).filter { adopters.contains($0.uid) }
        var doubtful: Set<String> = []
        for (resource, freshness) in await cluster.freshness(of: seen) {
            switch freshness {
            case .fresh: continue
            case .outdated: pass.lookAgain(at: time.now() + Self.outdatedDelay)
            case .unknown(let error):
                pass.lookAgain(at: time.now() + Self.delay(after: error))
                pass.results[resource.uid] = .waiting(
                    .pending,
                    message: "A rule of this name is there, and velokube cannot tell yet whose it is: \(error).")
            }
            doubtful.insert(resource.uid)
        }
        return doubtful
    }

    private func draft(
        _ assignment: Assignment, _ held: Set<String>, _ module: QOSModule, _ document: PolicyDocument,
        _ askedAt: Instant, _ pass: inout Pass
    ) async -> Draft {
        var recorded = withoutMissingSegments(
            await ledger.rules(onProfile: assignment.profile.id), in: document, profileID: assignment.profile.id,
            epoch: pass.epoch)
        for index in recorded.indices where assignment.absent.contains(recorded[index].owner.uid) {
            recorded[index].isOwnerAbsent = true
        }
        let known = Set(recorded.map(\.owner.uid))
        let taken = Set(recorded.map(\.place))
        let rebuilt = assignment.rebuildable.filter { !known.contains($0.uid) }
            .compactMap { $0.rebuiltRecord(in: document, profile: assignment.profile) }
            .filter { !taken.contains($0.place) }
        recorded += rebuilt
        let desired = assignment.desired(holding: held, recorded: recorded)
        let plan = plan(
            PlanInput(
                profileID: assignment.profile.id, profileName: assignment.profile.name, desired: desired,
                actual: document, recorded: recorded, placement: policy.placement))
        return Draft(
            assignment: assignment, module: module, document: document, desired: desired, recorded: recorded,
            rebuilt: rebuilt, plan: plan, askedAt: askedAt)
    }

    /// Settles a plan that does not touch the document: adoptions, transfers and records that only the ledger holds.
    private func settleRecords(_ draft: Draft, _ held: Set<String>, _ pass: inout Pass) async -> Bool {
        let changes = settled(draft.plan, readBack: draft.document).settled
        let batch = draft.settlement(of: changes, version: draft.module.version, at: time.wallMilliseconds())
        let known = await ledger.profiles().first { $0.id == draft.assignment.profile.id }
        if !batch.upserts.isEmpty || !batch.removals.isEmpty || batch.profiles.first != known {
            guard await commit(batch, &pass) else { return false }
        }
        announce(changes, draft, &pass)
        remember(draft, draft.plan.refusals, version: draft.module.version, held, &pass)
        return true
    }

    private func write(
        _ draft: Draft, _ held: Set<String>, _ pass: inout Pass
    ) async throws(SessionError) -> AttemptResult {
        let id = draft.assignment.profile.id
        noteDrift(draft, &pass)
        guard await commit(draft.intention(at: time.wallMilliseconds()), &pass) else { return .stopped }
        guard try await isUnmoved(draft.module, ofProfile: id, since: draft.askedAt) else { return .changedUnderneath }
        let document = draft.document.applying(draft.plan)
        memory.withLock { [now = time.now()] in
            $0.profiles[id, default: .init()].lastWrite = now
            $0.profiles[id]?.settled = nil
        }
        do {
            try await update(moduleID: draft.module.id, data: document.bytes)
        } catch {
            switch error.error {
            case .rejected(let message, let faults):
                guard await commit(draft.reversal, &pass) else { return .stopped }
                return .rejected(message: ([message] + faults).joined(separator: "; "), candidates: draft.candidates)
            default:
                // Taken or not, the next attempt finds out by reading: the intentions stand until then.
                throw error
            }
        }
        return try await verify(draft, held, &pass)
    }

    /// Whether a module still is what was read: asked again when the question for it lies too far back.
    func isUnmoved(
        _ module: QOSModule, ofProfile id: Int, since askedAt: Instant
    ) async throws(SessionError) -> Bool {
        guard time.now().since(askedAt) > Self.readTrustedFor else { return true }
        let summary = try await session.call { client throws(OrchestratorError) in
            try await client.moduleSummary(profileID: id)
        }
        return summary?.version == module.version
    }

    /// Remembers what is to be put back: once the intention is in the ledger, it looks like any other open write.
    private func noteDrift(_ draft: Draft, _ pass: inout Pass) {
        let places = memory.withLock { memory in
            memory.drift.merge(draft.drift) { _, new in new }
            return memory.drift
        }
        pass.drifted = Set(draft.plan.changes.filter { places[$0.place] != nil }.map(\.owner.uid))
    }

    /// Reads back what was written; only what the VCO shows is recorded as done.
    private func verify(
        _ draft: Draft, _ held: Set<String>, _ pass: inout Pass
    ) async throws(SessionError) -> AttemptResult {
        let id = draft.assignment.profile.id
        let module = try await session.call { client throws(OrchestratorError) in try await client.module(profileID: id)
        }
        guard let module, let readBack = try? PolicyDocument(parsing: module.data) else {
            throw SessionError(error: .unreadable("the module cannot be read back after the write"), retryAt: nil)
        }
        let outcome = settled(draft.plan, readBack: readBack)
        var batch = draft.settlement(of: outcome.settled, version: module.version, at: time.wallMilliseconds())
        if !outcome.failed.isEmpty {
            // What stands there under our name is ours all the same, though not as we want it.
            batch.upserts += outcome.failed.compactMap { $0.0.presentRecord(in: readBack) }
            batch.profiles[0].settledVersion = nil
        }
        guard await commit(batch, &pass) else { return .stopped }
        pass.hasWritten = true
        pass.moduleVersion = module.version
        announce(outcome.settled, draft, &pass)
        guard outcome.failed.isEmpty else {
            return .unverified(outcome.failed.map { Unverified(change: $0.0, differences: $0.1) })
        }
        remember(draft, draft.plan.refusals, version: module.version, held, &pass)
        return .settled
    }

    /// Notes a plan that is carried out, so that the same wishes at the same version need no other.
    private func remember(
        _ draft: Draft, _ refusals: [Refusal], version: String, _ held: Set<String>, _ pass: inout Pass
    ) {
        note(refusals.filter { !held.contains($0.owner.uid) }, unsettled: held, &pass)
        for refusal in refusals { logForeignRule(refusal, pass) }
        guard held.isEmpty else {
            memory.withLock { $0.profiles[draft.assignment.profile.id]?.settled = nil }
            return
        }
        memory.withLock { memory in
            var profile = memory.profiles[draft.assignment.profile.id] ?? .init()
            profile.settled = .init(version: version, desired: draft.desired, refusals: refusals)
            profile.checkedEpoch = pass.epoch
            memory.profiles[draft.assignment.profile.id] = profile
            memory.drift = memory.drift.filter { $0.key.profileID != draft.assignment.profile.id }
        }
        // A status that names a rule here is right, or the rule is gone by now.
        let kept = Set(draft.recorded.map(\.owner.uid))
        for resource in draft.assignment.rebuildable where !kept.contains(resource.uid) {
            clear(resource, of: pass.key, &pass)
        }
    }
}
