import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging
import Orchestrator

/// The controller: informer, resync and workers round one cache, one ledger and one VCO.
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

        package init(
            kubernetes: KubernetesClient, orchestrator: OrchestratorClient, ledger: Ledger, time: Time, log: Logger,
            metrics: MetricsRegistry, seed: UInt64
        ) {
            self.kubernetes = kubernetes
            self.orchestrator = orchestrator
            self.ledger = ledger
            self.time = time
            self.log = log
            self.metrics = metrics
            self.seed = seed
        }
    }

    /// How often credential files are looked at, and what hangs on nothing else is refreshed.
    private static let tick = Duration.seconds(5)

    package let cache: ResourceCache
    private let reconciler: Reconciler
    private let session: OrchestratorSession
    private let informer: InformerService
    private let ledger: Ledger
    private let time: Time
    private let log: Logger
    private let metrics: MetricsRegistry
    private let resync: Duration
    private let workers: Int
    private let random: Locked<SeededRandom>
    private let synced = Bell()

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
            client: parts.kubernetes, cache: cache, time: time, log: parts.log, metrics: parts.metrics)
        self.cache = cache
        self.session = session
        self.ledger = parts.ledger
        self.time = time
        self.log = parts.log
        self.metrics = parts.metrics
        self.resync = resync
        self.workers = workers
        self.random = Locked(random)
        reconciler = Reconciler(
            cache: cache, ledger: parts.ledger, session: session, cluster: cluster, policy: policy, time: time,
            log: parts.log, metrics: parts.metrics)
        informer = InformerService(
            client: parts.kubernetes, cache: cache, namespace: namespace, time: time, log: parts.log,
            onSynced: { [synced] in synced.ring() })
    }

    /// Runs until the task is cancelled. `isStopping` says that no new key is to be taken; keys in hand are finished
    /// first, and then this returns.
    package func run(isStopping: StopSignal) async {
        await withTaskGroup { group in
            group.addTask { await self.loop { await self.informer.step() } }
            group.addTask { await self.resyncLoop() }
            group.addTask {
                await self.loop {
                    self.session.checkCredentials()
                    try? await self.time.sleep(self.time.now() + Self.tick)  // Cancelled: the loop ends.
                }
            }
            await withTaskGroup { keys in
                for _ in 0..<workers { keys.addTask { await self.workerLoop(isStopping) } }
            }
            group.cancelAll()
        }
    }

    private func loop(_ step: @Sendable () async -> Void) async {
        while !Task.isCancelled { await step() }
    }

    /// Takes keys and reconciles them, until told to stop or cancelled.
    private func workerLoop(_ isStopping: StopSignal) async {
        while !Task.isCancelled, !isStopping.isSet {
            let heard = cache.bell.count
            guard cache.isSynced else {
                await wait(since: heard, until: nil, isStopping)
                continue
            }
            switch cache.take(now: time.now()) {
            case .key(let key):
                let outcome = await reconciler.reconcile(key)
                cache.finish(key, outcome, now: time.now())
            case .wait(let until):
                await wait(since: heard, until: until, isStopping)
            case .idle:
                await wait(since: heard, until: nil, isStopping)
            case .shutDown:
                return
            }
        }
    }

    private func wait(since heard: UInt64, until deadline: Instant?, _ isStopping: StopSignal) async {
        if isStopping.isSet { return }
        await cache.bell.wait(since: heard, until: deadline, time: time)
    }

    /// Once the first list is there, and then every resync, every profile is looked at.
    private func resyncLoop() async {
        let heard = synced.count
        if !cache.isSynced { await synced.wait(since: heard, until: nil, time: time) }
        var isFirst = true
        while !Task.isCancelled {
            await enqueueEverything(isFirst: isFirst)
            isFirst = false
            let share = random.withLock { Double.random(in: 0.9...1.1, using: &$0) }
            do {
                try await time.sleep(time.now() + resync * share)
            } catch {
                return
            }
        }
    }

    private func enqueueEverything(isFirst: Bool) async {
        if !isFirst { reconciler.memory.withLock { $0.startEpoch() } }
        let epoch = reconciler.memory.withLock { $0.epoch }
        // Without a list the keys run all the same: what needs no VCO goes on, and the rest says why it waits.
        let directory = try? await session.directory(epoch: epoch)
        let rules = await ledger.allRules()
        let recorded = Dictionary(
            rules.map { ($0.place.profileID, $0.profileName) }, uniquingKeysWith: { first, _ in first })
        let names = recorded.flatMap { id, name in [name] + (directory?.with(id: id).map { [$0.name] } ?? []) }
        cache.enqueue(Set(cache.keys + names).sorted(), now: time.now())
        if let version = cache.resourceVersion {
            do {
                try await ledger.commit(LedgerBatch(watchVersion: version))
            } catch {
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
