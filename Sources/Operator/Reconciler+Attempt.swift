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
        var plan: Plan
        var readAt: Instant

        var recordedByPlace: [RulePlace: OwnedRule] {
            Dictionary(recorded.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Makes one attempt, with the rules of `held` owners left as they are.
    func attempt(
        _ assignment: Assignment, holding held: Set<String> = [], _ pass: inout Pass
    ) async throws(SessionError) -> AttemptResult {
        let id = assignment.profile.id
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
        let draft = await draft(assignment, held, module, document, &pass)
        pass.moduleVersion = module.version
        memory.withLock { $0.profiles[id, default: .init()].fullReadEpoch = pass.epoch }
        if policy.isDryRun {
            report(draft.plan, pass)
            note(draft.plan.refusals, settledOthers: false, &pass)
            return .stopped
        }
        guard draft.plan.needsWrite else {
            return await settleRecords(draft, held, &pass) ? .settled : .stopped
        }
        return try await write(draft, held, &pass)
    }

    private func draft(
        _ assignment: Assignment, _ held: Set<String>, _ module: QOSModule, _ document: PolicyDocument,
        _ pass: inout Pass
    ) async -> Draft {
        let readAt = time.now()
        var recorded = withoutMissingSegments(
            await ledger.rules(onProfile: assignment.profile.id), in: document, profileID: assignment.profile.id,
            epoch: pass.epoch)
        for index in recorded.indices where assignment.absent.contains(recorded[index].owner.uid) {
            recorded[index].isOwnerAbsent = true
        }
        let known = Set(recorded.map(\.owner.uid))
        let taken = Set(recorded.map(\.place))
        recorded += assignment.rebuildable.filter { !known.contains($0.uid) }
            .compactMap { $0.rebuiltRecord(in: document, profile: assignment.profile) }
            .filter { !taken.contains($0.place) }
        let desired = assignment.desired.map { rule in
            var rule = rule
            if held.contains(rule.owner.uid) { rule.want = .hold }
            return rule
        }
        let plan = plan(
            PlanInput(
                profileID: assignment.profile.id, profileName: assignment.profile.name, desired: desired,
                actual: document, recorded: recorded, placement: policy.placement))
        return Draft(
            assignment: assignment, module: module, document: document, desired: desired, recorded: recorded,
            plan: plan, readAt: readAt)
    }

    /// Settles a plan that does not touch the document: adoptions, transfers and records that only the ledger holds.
    private func settleRecords(_ draft: Draft, _ held: Set<String>, _ pass: inout Pass) async -> Bool {
        let changes = settled(draft.plan, readBack: draft.document).settled
        let batch = draft.settlement(of: changes, version: draft.module.version, at: time.wallMilliseconds())
        let known = await ledger.profiles().first { $0.id == draft.assignment.profile.id }
        if !changes.isEmpty || batch.profiles.first != known {
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
        guard await commit(draft.intention(at: time.wallMilliseconds()), &pass) else { return .stopped }
        if time.now().since(draft.readAt) > Self.readTrustedFor {
            let summary = try await session.call { client throws(OrchestratorError) in
                try await client.moduleSummary(profileID: id)
            }
            guard summary?.version == draft.module.version else { return .changedUnderneath }
        }
        pass.drifted = draft.driftedOwners
        let document = draft.document.applying(draft.plan)
        memory.withLock { [now = time.now()] in $0.profiles[id, default: .init()].lastWrite = now }
        do {
            let moduleID = draft.module.id
            try await session.call { client throws(OrchestratorError) in
                try await client.update(moduleID: moduleID, data: document.bytes)
            }
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
        note(refusals.filter { !held.contains($0.owner.uid) }, settledOthers: held.isEmpty, &pass)
        guard held.isEmpty else { return }
        memory.withLock { memory in
            var profile = memory.profiles[draft.assignment.profile.id] ?? .init()
            profile.settled = .init(version: version, desired: draft.desired, refusals: refusals)
            profile.checkedEpoch = pass.epoch
            memory.profiles[draft.assignment.profile.id] = profile
        }
        // A status that names a rule here is right, or the rule is gone by now.
        let kept = Set(draft.recorded.map(\.owner.uid))
        for resource in draft.assignment.rebuildable where !kept.contains(resource.uid) {
            clear(resource, &pass)
        }
    }
}

extension Reconciler.Draft {
    /// Everything the write is about to do, for the ledger.
    func intention(at wall: Int64) -> LedgerBatch {
        LedgerBatch(
            upserts: plan.changes.compactMap(\.noted),
            firstTouch: ModuleCopy(moduleID: module.id, at: wall, version: module.version, bytes: module.data))
    }

    /// Puts the ledger back as it was: the VCO refused the document, so nothing of it happened.
    var reversal: LedgerBatch {
        let before = recordedByPlace
        var batch = LedgerBatch()
        for change in plan.changes {
            if let record = before[change.place] {
                batch.upserts.append(record)
            } else {
                batch.removals.append(change.place)
            }
        }
        return batch
    }

    /// What is recorded once these changes are seen to be so.
    func settlement(of changes: [Change], version: String, at wall: Int64) -> LedgerBatch {
        let before = rulesByPlace
        var batch = LedgerBatch()
        for change in changes {
            if let record = change.record { batch.upserts.append(record) } else { batch.removals.append(change.place) }
            batch.journal.append(
                JournalEntry(
                    at: wall, place: change.place, profileName: assignment.profile.name, owner: change.owner,
                    kind: change.kind, reason: change.reason, before: before[change.place],
                    after: change.record?.readBack))
        }
        batch.profiles = [
            ProfileRecord(
                id: assignment.profile.id, name: assignment.profile.name, moduleID: module.id, settledVersion: version,
                missingStrikes: 0)
        ]
        return batch
    }

    /// What the document held in each place before.
    private var rulesByPlace: [RulePlace: JSON] {
        var rules: [RulePlace: JSON] = [:]
        for segment in document.segments {
            for rule in segment.rules {
                guard let name = rule.name else { continue }
                rules[RulePlace(profileID: assignment.profile.id, segmentID: segment.id, name: name)] = rule.value
            }
        }
        return rules
    }

    /// Who has a rule that somebody changed or removed in the portal.
    var driftedOwners: Set<String> {
        let before = recordedByPlace
        return Set(
            plan.changes.filter { $0.kind != .move && $0.isDrift(before: before[$0.place], areWishesNew: false) }
                .map(\.owner.uid))
    }

    /// The owners whose rules the document has and the VCO did not: one of them is at fault when it is refused.
    var candidates: [Owner] {
        var seen: Set<Owner> = []
        return plan.changes.filter { change in
            switch change.kind {
            case .create, .update, .heal, .move, .adopt, .transfer: seen.insert(change.owner).inserted
            case .delete, .restore, .forget, .record: false
            }
        }.map(\.owner)
    }
}

extension Change {
    /// The record of a change that was written and does not honour the settings, if a rule stands in its place.
    func presentRecord(in document: PolicyDocument) -> OwnedRule? {
        guard var record,
            let rule = document.segments.first(where: { $0.id == place.segmentID })?.rules.first(where: {
                $0.name == place.name
            })
        else { return nil }
        record.readBack = rule.value
        record.intent = nil
        return record
    }
}

extension VelocloudBP {
    /// Ownership as the status tells it, for a resource that the ledger does not know.
    func rebuiltRecord(in document: PolicyDocument, profile: ProfileSummary) -> OwnedRule? {
        guard let rule = status.rule,
            let segment = document.segments.first(where: { $0.name == rule.segment })
                ?? document.segments.first(where: { $0.id == 0 && rule.segment == DesiredRule.globalSegment }),
            let actual = segment.rules.first(where: { $0.name == rule.name })
        else { return nil }
        let order = (try? spec.get())?.order ?? DesiredRule.defaultOrder
        return OwnedRule(
            place: RulePlace(profileID: profile.id, segmentID: segment.id, name: rule.name), owner: owner,
            profileName: profile.name, segmentName: segment.name, wanted: nil, order: order, readBack: actual.value,
            original: rule.isAdopted ? actual.value : nil)
    }
}
