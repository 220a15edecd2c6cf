import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging
import Orchestrator
import ServiceLifecycle

/// The operator as one service: finds out which cluster it is, opens the ledger, runs the controller, closes up.
struct OperatorService: Service {
    /// How long the keys in hand may take after the signal; the kubelet kills after 30 s.
    static let drainMax = Duration.seconds(20)

    let configuration: RunConfiguration
    let kubernetes: KubernetesClient
    let orchestrator: OrchestratorClient
    let orchestratorName: String
    /// Where the Lease is, if there is an election.
    let leaseNamespace: String
    let time: Time
    let log: Logger
    let metrics: MetricsRegistry
    private let controller = Locked<Controller?>(nil)
    private let ledgerWatch = Locked<FileWatch?>(nil)

    init(
        configuration: RunConfiguration, kubernetes: KubernetesClient, orchestrator: OrchestratorClient,
        orchestratorName: String, leaseNamespace: String, time: Time, log: Logger, metrics: MetricsRegistry
    ) {
        self.configuration = configuration
        self.kubernetes = kubernetes
        self.orchestrator = orchestrator
        self.orchestratorName = orchestratorName
        self.leaseNamespace = leaseNamespace
        self.time = time
        self.log = log
        self.metrics = metrics
    }

    /// Throws `LeadershipLost` when another process may lead: the kubelet then starts this one anew.
    func run() async throws {
        let uninstall = configuration.uninstall
        let deadline = uninstall.map { time.now() + $0.limit }
        guard let clusterID = await identifyCluster(before: deadline) else {
            // Who uninstalls goes on to delete the rest, and so must not take this for an end.
            if uninstall != nil { throw UninstallIncomplete(remains: nil) }
            return
        }
        let ledger = try await openLedger(clusterID.uid)
        if let deadline { try await makeSureNobodyRuns(ledgerID: ledger.id, before: deadline) }
        let controller = Controller(
            Controller.Parts(
                kubernetes: kubernetes, orchestrator: orchestrator, ledger: ledger, time: time, log: log,
                metrics: metrics, seed: UInt64.random(in: .min ... .max), leadership: await leadership(ledger)),
            namespace: configuration.namespace, notOlderThan: await ledger.watchVersion,
            policy: ReconcilePolicy(
                placement: configuration.placement, allowed: configuration.allowances,
                deletesMax: configuration.deletesMax, isDryRun: configuration.isDryRun, uninstall: uninstall),
            resync: uninstall == nil ? configuration.resync : Uninstall.resync, workers: configuration.workers)
        self.controller.withLock { $0 = controller }
        let watch = await ledger.watch
        ledgerWatch.withLock { $0 = watch }
        let stop = StopSignal(bell: controller.cache.bell)
        let uninstallation = deadline.map {
            Uninstallation(deadline: $0, controller: controller, ledger: ledger, time: time, log: log)
        }
        await withGracefulShutdownHandler {
            await withTaskGroup { group in
                group.addTask { await controller.run(isStopping: stop) }
                guard let uninstallation else { return }
                await uninstallation.wait(isStopping: stop)
                stop.set()
            }
        } onGracefulShutdown: {
            log.event(.info, "velokube stops: no new work is taken, the write in hand is finished")
            stop.set()
        }
        let remains = await uninstallation?.remains()
        await ledger.close()
        if uninstall != nil, remains?.isEmpty != true { throw UninstallIncomplete(remains: remains) }
        if case .lost(let loss) = controller.leadership?.ending { throw LeadershipLost(loss: loss) }
    }

    private func leadership(_ ledger: Ledger) async -> Leadership? {
        guard configuration.electsLeader, !configuration.isDryRun else { return nil }
        return Leadership(
            client: kubernetes, ledger: ledger, ledgerID: await ledger.id, namespace: leaseNamespace, time: time,
            log: log, seed: UInt64.random(in: .min ... .max))
    }

    /// What only a restart mends, so that the kubelet restarts the process for it.
    var health: [HealthCheck] {
        [.ping, HealthCheck("ledger") { ledgerProblem }]
    }

    /// What is wrong with the file of the ledger, in words; nil while it is in its place.
    var ledgerProblem: String? { ledgerWatch.withLock { $0 }?.problem }

    /// What must be well before the process counts as ready. The VCO has no say in it.
    var readiness: [HealthCheck] {
        [
            .ping,
            HealthCheck("informer-sync") {
                guard let controller = controller.withLock({ $0 }) else {
                    return "starting: the API server has not answered yet"
                }
                return controller.cache.unsyncedBecause
            },
        ]
    }

    var renderedMetrics: String {
        let now = time.now()
        guard let controller = controller.withLock({ $0 }) else {
            metrics.update { $0.isLeader = !configuration.electsLeader || configuration.isDryRun }
            return metrics.render(profiles: .empty, limits: .empty, now: now)
        }
        let resources = controller.cache.snapshot ?? []
        let counts = ResourceCounts(resources, wallMilliseconds: time.wallMilliseconds())
        let isLedgerInPlace = ledgerProblem == nil
        metrics.update { metrics in
            metrics.resources = counts
            metrics.isLedgerInPlace = isLedgerInPlace
            metrics.resourcesOutOfLimits = controller.cache.outOfLimits
            metrics.isLeader = controller.isLeading
            if let contact = controller.cache.lastContact { metrics.watchLastContact = contact }
        }
        let cache = controller.cache
        return metrics.render(profiles: cache.queueStatistics, limits: cache.reportStatistics, now: now)
    }

    private struct ClusterIdentity {
        /// nil where we may not read it; then the ledger does not compare it.
        var uid: String?
    }

    /// Tells this cluster from others by the uid of a namespace that lives as long as it does; nil when stopped, or at
    /// the deadline.
    private func identifyCluster(before deadline: Instant?) async -> ClusterIdentity? {
        let name = configuration.namespace ?? "kube-system"
        return await answer(
            before: deadline, refused: ClusterIdentity(uid: nil),
            "The cluster cannot be told from another: the ledger is not checked against it"
        ) { () async throws(KubernetesError) in
            let namespace = try await kubernetes.get(.namespace, namespace: nil, name: name)
            return ClusterIdentity(uid: namespace["metadata"]?["uid"]?.string)
        }
    }

    /// Throws while an operator is at work that would make anew what is taken out. Whether a Lease is renewed is found
    /// out by looking at it for as long as it lasts: the clocks of two machines do not agree.
    private func makeSureNobodyRuns(ledgerID: String, before deadline: Instant) async throws {
        guard let first = try await readLease(before: deadline) else { return }
        // Of our own ledger the last user is gone: it is locked.
        guard !first.holder.isEmpty, first.lastLedgerID != ledgerID else { return }
        let runsOutAt = time.now() + (first.duration ?? LeaderElection.Timing().leaseDuration)
        while time.now() < runsOutAt {
            try? await time.sleep(time.now() + .seconds(1))  // Cancelled: the next read says so.
            guard let now = try await readLease(before: deadline), !now.holder.isEmpty else { return }
            guard now.isSameRenewal(as: first) else {
                throw StillRunning(holder: now.holder, namespace: leaseNamespace)
            }
        }
    }

    /// Nil when there is none, or none that we may read, which a warning says: then only the ledger shows an operator.
    private func readLease(before deadline: Instant) async throws -> LeaderElection.Lease? {
        let answer = await answer(
            before: deadline, refused: LeaderElection.Lease?.none,
            "The Lease cannot be read, which would tell whether velokube is running: make sure that it is not"
        ) { () async throws(KubernetesError) in
            let lease = try await kubernetes.lease(
                namespace: leaseNamespace, name: Leadership.leaseName,
                limits: KubernetesClient.CallLimits(whole: .seconds(10)))
            if lease == nil {
                log.event(
                    .warning,
                    "There is no Lease, which would tell whether velokube is running: make sure that it is not",
                    [.lease: .string("\(leaseNamespace)/\(Leadership.leaseName)")])
            }
            return lease.map { LeaderElection.Lease($0) }
        }
        guard let lease = answer else { throw UninstallIncomplete(remains: nil) }
        return lease
    }

    /// Asks the API server until it answers; `refused` and a warning when it will not tell us. Nil when stopped, or at
    /// the deadline.
    private func answer<Answer: Sendable>(
        before deadline: Instant?, refused: Answer, _ warning: StaticString,
        to question: @escaping @Sendable () async throws(KubernetesError) -> Answer
    ) async -> Answer? {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff(base: .seconds(1), factor: 2, max: .seconds(30), jitter: 0.2)
            var random = SeededRandom(seed: UInt64.random(in: .min ... .max))
            while !Task.isCancelled, deadline.map({ time.now() < $0 }) ?? true {
                do throws(KubernetesError) {
                    return try await question()
                } catch {
                    if case .status(let status) = error, status.code == 403 || status.code == 404 {
                        log.event(.warning, warning, [.error: "\(error)"])
                        return refused
                    }
                    log.event(.warning, "The API server cannot be reached", [.error: "\(error)"])
                }
                let next = time.now() + backoff.next(random: &random)
                try? await time.sleep(deadline.map { min($0, next) } ?? next)  // Cancelled: the loop ends.
            }
            return nil
        }
    }

    private func openLedger(_ clusterID: String?) async throws -> Ledger {
        let ledger: Ledger
        do throws(LedgerError) {
            ledger = try await Ledger.open(
                path: configuration.statePath,
                binding: LedgerBinding(
                    clusterID: clusterID, orchestrator: orchestratorName, scope: configuration.namespace ?? "*"),
                now: time.wallMilliseconds())
        } catch {
            guard case .locked = error, configuration.uninstall != nil else { throw error }
            throw StillRunning(ledgerPath: configuration.statePath, namespace: leaseNamespace)
        }
        switch await ledger.opening {
        case .existing: break
        case .created:
            log.event(.notice, "A new ledger was made", [.path: .string(configuration.statePath)])
        case .rebuiltAfter(let setAside):
            metrics.update { $0.ledgerRebuilds += 1 }
            log.event(
                .error, "The ledger was damaged and is set aside; it is rebuilt from the cluster and the VCO",
                [.path: .string(setAside)])
        }
        return ledger
    }
}

extension WorkQueue<String>.Statistics {
    /// The statistics of a queue that nothing was added to.
    static var empty: Self {
        WorkQueue(
            backoff: Backoff(base: .seconds(1), factor: 2, max: .seconds(1), jitter: 0), random: SeededRandom(seed: 0)
        )
        .statistics
    }
}
