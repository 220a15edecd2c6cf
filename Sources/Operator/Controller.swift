import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging
import Orchestrator

/// The controller: informers, resync and workers round one cache, one ledger and one VCO.
package final class Controller: Sendable {
    /// What the controller is made of.
    package struct Parts: Sendable {
        package var kubernetes: KubernetesClient
        package var orchestrator: OrchestratorClient
        package var ledger: Ledger
        package var time: Time
        package var log: Logger
        package var metrics: MetricsRegistry
        package var seed: UInt64
        /// Nil without an election: then this process always leads.
        package var leadership: Leadership?
        /// Calls to the API server that one pass makes side by side; with 1 a run can be repeated exactly.
        package var batchWidth: Int

        package init(
            kubernetes: KubernetesClient, orchestrator: OrchestratorClient, ledger: Ledger, time: Time, log: Logger,
            metrics: MetricsRegistry, seed: UInt64, leadership: Leadership? = nil,
            batchWidth: Int = ResourceWriter.writesInFlightMax
        ) {
            self.kubernetes = kubernetes
            self.orchestrator = orchestrator
            self.ledger = ledger
            self.time = time
            self.log = log
            self.metrics = metrics
            self.seed = seed
            self.leadership = leadership
            self.batchWidth = batchWidth
        }
    }

    /// How often credential files are looked at, and what hangs on nothing else is refreshed.
    private static let tick = Duration.seconds(5)

    package let cache: ResourceCache
    /// Nil without an election.
    package let leadership: Leadership?
    private let reconciler: Reconciler
    private let session: OrchestratorSession
    private let informer: InformerService<VelocloudBP>
    private let limitInformer: InformerService<VelocloudLimit>
    private let limitReporter: LimitReporter
    private let ledger: Ledger
    private let time: Time
    private let log: Logger
    private let metrics: MetricsRegistry
    private let resync: Duration
    private let workers: Int
    private let random: Locked<SeededRandom>
    /// When the next resync is due; nil before the first.
    private let resyncDue = Locked<Instant?>(nil)
    /// Rung when the first lists are complete, and when this process begins to lead.
    private let synced = Bell()
    /// Takes part in the election.
    private let isCandidate = Locked(false)
    /// Has begun to lead.
    private let hasLed = Locked(false)

    /// `notOlderThan` is the last resourceVersion that an earlier run saw: the first list must not go back before it.
    package init(
        _ parts: Parts, namespace: String?, notOlderThan: String?, policy: ReconcilePolicy, resync: Duration,
        workers: Int
    ) {
        let random = SeededRandom(seed: parts.seed)
        let cache = ResourceCache(random: random, notOlderThan: notOlderThan)
        let time = parts.time
        let session = OrchestratorSession(
            client: parts.orchestrator, gate: OutageGate(resync: resync, random: random), time: time,
            onRelease: { cache.release(now: time.now()) })
        let cluster = ResourceWriter(
            client: parts.kubernetes, cache: cache, time: time, log: parts.log, metrics: parts.metrics,
            leadership: parts.leadership, batchWidth: parts.batchWidth)
        self.cache = cache
        leadership = parts.leadership
        self.session = session
        self.ledger = parts.ledger
        self.time = time
        self.log = parts.log
        self.metrics = parts.metrics
        self.resync = resync
        self.workers = workers
        parts.metrics.update { $0.workersMax = workers }
        self.random = Locked(random)
        reconciler = Reconciler(
            cache: cache, ledger: parts.ledger, session: session, cluster: cluster, leadership: parts.leadership,
            policy: policy, time: time, log: parts.log, metrics: parts.metrics)
        let onSynced: @Sendable () -> Void = { [synced] in synced.ring() }
        informer = InformerService(
            client: parts.kubernetes, cache: cache, namespace: namespace, time: time, log: parts.log,
            onSynced: onSynced)
        limitReporter = LimitReporter(
            cache: cache, ledger: parts.ledger, cluster: cluster, time: time, log: parts.log, policy: policy)
        limitInformer = InformerService(
            client: parts.kubernetes, cache: cache, namespace: namespace, time: time, log: parts.log,
            onSynced: onSynced)
    }

    /// Runs until the task is cancelled, or until leadership is lost, which `leadership` then tells. `isStopping` says
    /// that no new key is to be taken; keys in hand are finished first, then the Lease is given back, and then this
    /// returns.
    package func run(isStopping: StopSignal) async {
        await withTaskGroup { group in
            group.addTask { await self.loop(self.synced, { false }, self.informerStep) }
            group.addTask { await self.loop(self.synced, { false }, self.limitInformerStep) }
            group.addTask { await self.loop(self.cache.bell, { false }, self.reportStep) }
            group.addTask { await self.loop(self.synced, { false }, self.resyncStep) }
            group.addTask { await self.loop(self.synced, { false }, self.tickStep) }
            group.addTask { await self.loop(self.synced, { self.leadership?.ending != nil }, self.electionStep) }
            group.addTask {
                await withTaskGroup { keys in
                    for _ in 0..<self.workers {
                        keys.addTask { await self.loop(self.cache.bell, { isStopping.isSet }, self.workerStep) }
                    }
                }
            }
            // Only two of them end by themselves: the workers when told to stop, the election when it is lost.
            await group.next()
            group.cancelAll()
        }
        await leadership?.resign()
    }

    private func loop(_ bell: Bell, _ isOver: @Sendable () -> Bool, _ step: @Sendable () async -> Wake) async {
        while !Task.isCancelled, !isOver() {
            let heard = bell.count
            switch await step() {
            case .again: continue
            case .at(let deadline): await bell.wait(since: heard, until: deadline, time: time)
            case .whenRung: await bell.wait(since: heard, until: nil, time: time)
            }
        }
    }

    /// Lists resources, or watches until the stream ends.
    package func informerStep() async -> Wake {
        await informer.step()
    }

    /// Lists limits, or watches until the stream ends.
    package func limitInformerStep() async -> Wake {
        await limitInformer.step()
    }

    /// Takes part in the election, from the first complete lists on: who cannot see the resources must not lead.
    package func electionStep() async -> Wake {
        guard let leadership, cache.isSynced || isCandidate.withLock({ $0 }) else { return .whenRung }
        isCandidate.withLock { $0 = true }
        let wake = await leadership.step()
        let isLeading = leadership.isLeading
        let begins = hasLed.withLock { hasLed in
            defer { hasLed = hasLed || isLeading }
            return isLeading && !hasLed
        }
        if begins { cache.bell.ring() }
        // Whoever waits looks up when it begins and when it is over.
        if begins || leadership.ending != nil { synced.ring() }
        return wake
    }

    /// Whether this process may write now.
    package var isLeading: Bool { leadership?.isLeading ?? true }

    /// Takes one key and reconciles it.
    package func workerStep() async -> Wake {
        guard cache.isSynced, isLeading else { return .whenRung }
        switch cache.take(now: time.now()) {
        case .key(let key):
            let outcome = await reconciler.reconcile(key)
            cache.finish(key, outcome, now: time.now())
            return .again
        case .wait(let until):
            return .at(until)
        case .idle, .shutDown:
            return .whenRung
        }
    }

    /// Takes one namespace and tells its limits who is outside them.
    package func reportStep() async -> Wake {
        guard cache.isSynced, isLeading else { return .whenRung }
        switch cache.takeReport(now: time.now()) {
        case .key(let namespace):
            let outcome = await limitReporter.report(on: namespace)
            cache.finishReport(namespace, outcome, now: time.now())
            return .again
        case .wait(let until):
            return .at(until)
        case .idle, .shutDown:
            return .whenRung
        }
    }

    /// Looks at the credential files, and tells those who wait long that they do.
    package func tickStep() async -> Wake {
        session.checkCredentials()
        let next = time.now() + Self.tick
        return .at(min(next, await reconciler.noticeDelays() ?? next))
    }

    /// Once the first lists are there, and then every resync, every profile is looked at.
    package func resyncStep() async -> Wake {
        let due = resyncDue.withLock { $0 }
        if let due, time.now() < due { return .at(due) }
        guard due != nil || cache.isSynced, isLeading else { return .whenRung }
        await enqueueEverything(isFirst: due == nil)
        let share = random.withLock { Double.random(in: 0.9...1.1, using: &$0) }
        let next = time.now() + resync * share
        resyncDue.withLock { $0 = next }
        return .at(next)
    }

    private func enqueueEverything(isFirst: Bool) async {
        if !isFirst { reconciler.memory.withLock { $0.startEpoch() } }
        let epoch = reconciler.memory.withLock { $0.epoch }
        // Without a list the keys run all the same: what needs no VCO goes on, and the rest says why it waits.
        // Who leaves the rules asks nothing of the VCO.
        let directory =
            reconciler.policy.uninstall?.leavesRules == true ? nil : try? await session.directory(epoch: epoch)
        let rules = await ledger.allRules()
        let recorded = Dictionary(
            rules.map { ($0.place.profileID, $0.profileName) }, uniquingKeysWith: { first, _ in first })
        let names = recorded.flatMap { id, name in [name] + (directory?.with(id: id).map { [$0.name] } ?? []) }
        cache.enqueue(Set(cache.keys + names).sorted(), priority: .background, now: time.now())
        cache.enqueueReports(now: time.now())
        if let version = cache.resourceVersion {
            do {
                try await ledger.commit(LedgerBatch(watchVersion: version))
                metrics.update { $0.observeCommit(succeeded: true) }
            } catch {
                metrics.update { $0.observeCommit(succeeded: false) }
                log.event(.warning, "The ledger cannot be written", [.error: "\(error)"])
            }
        }
    }
}

/// Says once and for all that the process is stopping.
package final class StopSignal: Sendable {
    private let state = Locked(false)
    private let bell: Bell

    /// `bell` is rung when the signal is set, so that whoever waits looks up.
    package init(bell: Bell) {
        self.bell = bell
    }

    package var isSet: Bool { state.withLock { $0 } }

    package func set() {
        state.withLock { $0 = true }
        bell.ring()
    }
}
