import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging

/// Keeps the statuses of VelocloudLimits, namespace by namespace: whom each governs, who breaks it, what is used of its
/// quotas, and whether it makes sense. Nothing is decided here; passes over profiles judge by themselves.
final class LimitReporter: Sendable {
    private let cache: ResourceCache
    private let ledger: Ledger
    private let cluster: ResourceWriter
    private let time: Time
    private let log: Logger
    private let policy: ReconcilePolicy

    init(
        cache: ResourceCache, ledger: Ledger, cluster: ResourceWriter, time: Time, log: Logger,
        policy: ReconcilePolicy
    ) {
        self.cache = cache
        self.ledger = ledger
        self.cluster = cluster
        self.time = time
        self.log = log
        self.policy = policy
    }

    /// Writes the status of each limit of a namespace where it is not what it should be: empty, when velokube is taken
    /// out and nobody keeps it true any more.
    func report(on namespace: String) async -> WorkQueue<String>.Outcome {
        let limits = cache.limits(in: namespace)
        guard !limits.isEmpty, !policy.isDryRun else { return .done }
        if policy.uninstall != nil {
            return outcome(of: await cluster.clearStatus(of: limits.filter { $0.status != LimitStatus() }))
        }
        let rules = Dictionary(
            await ledger.allRules().map { ($0.owner.uid, $0) }, uniquingKeysWith: { first, _ in first })
        let applicants = cache.resources(in: namespace).compactMap { $0.applicant(recorded: rules[$0.uid]) }
        let judgement = LimitJudgement(of: applicants, by: limits)
        let names = Dictionary(
            applicants.map { ($0.owner.uid, $0.owner.name) }, uniquingKeysWith: { first, _ in first })
        let now = timestamp(milliseconds: time.wallMilliseconds())
        let statuses = limits.map { ($0, LimitStatus.of($0, among: limits, names: names, judgement, now: now)) }
            .filter { $0.status != $1 }
        for (limit, status) in statuses { note(limit, status) }
        return outcome(of: await cluster.writeStatus(statuses))
    }

    private func outcome(
        of writes: [(VelocloudLimit, ResourceWriter.WriteOutcome<VelocloudLimit>)]
    ) -> WorkQueue<String>.Outcome {
        var outcome = WorkQueue<String>.Outcome.done
        for (limit, written) in writes {
            switch written {
            case .written, .gone: break
            // The watch brings the newer one, which is looked at then; until it does, less and less often.
            case .conflict: outcome = .failed
            case .failed(let error):
                log.event(
                    .warning, "The status of a limit cannot be written",
                    [.resource: .string(limit.owner.label), .error: "\(error)"])
                // Of a right that is given back no event tells.
                if !error.isRefusal || error.isForbidden { outcome = .failed }
            }
        }
        return outcome
    }

    /// A limit that makes no sense is the WAN team's to correct: said when it is found.
    private func note(_ limit: VelocloudLimit, _ status: LimitStatus) {
        guard let valid = status.valid, !valid.isTrue, valid.message != limit.status.valid?.message else { return }
        log.event(
            .warning, "A limit makes no sense",
            [
                .kind: .string(VelocloudLimit.resourceKind.plural), .resource: .string(limit.owner.label),
                .reason: .string(valid.reason), .message: .string(valid.message),
            ])
    }
}
