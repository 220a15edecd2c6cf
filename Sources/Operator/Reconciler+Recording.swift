import BusinessPolicy
import Ledger
import Orchestrator

// What an attempt writes into the ledger: before the write, after it, and when it was refused.

extension Reconciler.Draft {
    /// Everything the write is about to do, for the ledger.
    func intention(at wall: Int64) -> LedgerBatch {
        LedgerBatch(
            upserts: plan.changes.compactMap(\.noted),
            firstTouch: ModuleCopy(moduleID: module.id, at: wall, version: module.version, bytes: module.data))
    }

    /// Puts the ledger back as it was: the VCO refused the document, so nothing of it happened. What came of an earlier
    /// write, whose reply was lost, the document has shown by now: until the resource is edited nobody looks again.
    var reversal: LedgerBatch {
        let before = recordedByPlace
        var batch = LedgerBatch()
        for change in plan.changes {
            guard var record = before[change.place], change.kind != .forget else {
                batch.removals.append(change.place)
                continue
            }
            if let found = change.found, record.intent == .create || record.intent == .delete {
                record.intent = nil
                record.readBack = found
            }
            batch.upserts.append(record)
        }
        return batch
    }

    /// What is recorded once these changes are seen to be so.
    func settlement(of changes: [Change], version: String, at wall: Int64) -> LedgerBatch {
        let before = rulesByPlace
        let touched = Set(plan.changes.map(\.place))
        var batch = LedgerBatch()
        // What a held resource has is recorded too: its status alone is soon overwritten.
        batch.upserts = rebuilt.filter { !touched.contains($0.place) }
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
                id: assignment.profile.id, name: assignment.profile.name, moduleID: module.id,
                settledVersion: hasHeldRules ? nil : version, missingStrikes: 0)
        ]
        return batch
    }

    /// Whether rules on hold were left as they are: then the version tells nothing of how they stand.
    private var hasHeldRules: Bool {
        let held = Set(desired.filter { $0.want == .hold }.map(\.owner.uid))
        return recorded.contains { held.contains($0.owner.uid) }
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

    /// Rules that somebody changed or removed in the portal, and how.
    var drift: [RulePlace: String] {
        let before = recordedByPlace
        let drifted = plan.changes.filter {
            $0.kind != .move && $0.isDrift(before: before[$0.place], areWishesNew: false)
        }
        return Dictionary(drifted.map { ($0.place, $0.reason) }, uniquingKeysWith: { first, _ in first })
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
