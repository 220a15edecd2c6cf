import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging
import Orchestrator

/// Makes one profile as its resources want it.
///
/// A key says which profile, never why: each call looks at the whole desired state, at what is recorded and at what is
/// there, and closes the gap. The order of the steps is what makes a crash at any of them harmless: finalizer before
/// the first write, intention before the write, record after the read-back, status last.
final class Reconciler: Sendable {
    let cache: ResourceCache
    let ledger: Ledger
    let session: OrchestratorSession
    let cluster: ResourceWriter
    private let leadership: Leadership?
    let policy: ReconcilePolicy
    let time: Time
    let log: Logger
    let metrics: MetricsRegistry
    let memory = Locked(Memory())
    private let passes = Locked(0)
    /// Passes that speak to the VCO now and whose resources have not been told so, by key.
    private let converging = Locked<[String: (pass: Pass, noticeAt: Instant)]>([:])

    /// The whole module is read every so many resyncs, whatever its `version` says: that it moves is not documented.
    static let resyncsPerFullRead = 12
    /// Two writes to one profile start at least this far apart.
    static let writeSpacing = Duration.milliseconds(500)
    /// A resource that has had no result for this long is told so.
    static let pendingAfter = Duration.seconds(5)
    /// The version is looked at once more when the document was asked for longer ago than this.
    static let readTrustedFor = Duration.milliseconds(200)

    init(
        cache: ResourceCache, ledger: Ledger, session: OrchestratorSession, cluster: ResourceWriter,
        leadership: Leadership?, policy: ReconcilePolicy, time: Time, log: Logger, metrics: MetricsRegistry
    ) {
        self.cache = cache
        self.ledger = ledger
        self.session = session
        self.cluster = cluster
        self.leadership = leadership
        self.policy = policy
        self.time = time
        self.log = log
        self.metrics = metrics
    }

    /// Reconciles one profile, named as resources name it; the empty key gathers resources that name none.
    func reconcile(_ key: String) async -> WorkQueue<String>.Outcome {
        let number = passes.withLock { passes in
            passes += 1
            return passes
        }
        let scope = PassScope(number: number, startedAt: time.now())
        return await PassScope.$current.withValue(scope) { await pass(over: key, started: scope.startedAt) }
    }

    private func pass(over key: String, started: Instant) async -> WorkQueue<String>.Outcome {
        guard cache.isSynced else { return .again(at: started + .seconds(1)) }
        var pass = await look(at: key, now: started)
        await turnAwayNewcomers(&pass)
        await putFinalizers(&pass)
        if policy.uninstall?.leavesRules == true {
            await releaseOrphans(&pass)
        } else if pass.needsOrchestrator {
            pass = await convergeWithNotice(pass)
        }
        await conclude(&pass)
        cache.enqueue(pass.otherKeys.subtracting([key]).sorted(), priority: .user, now: time.now())
        let duration = time.now().since(started)
        let result = duration < PassScope.orchestratorTimeMax ? pass.metric : .timedOut
        metrics.update { $0.observeReconcile(result, duration: duration) }
        return pass.outcome
    }

    /// Replaces a module's document, unless another process may lead by then: every write to the VCO passes here.
    func update(moduleID: Int, data: [UInt8]) async throws(SessionError) {
        var permit: OrchestratorClient.WritePermit?
        if let leadership { permit = { leadership.exclusiveFor } }
        try await session.call { [permit] client throws(OrchestratorError) in
            try await client.update(moduleID: moduleID, data: data, permit: permit)
        }
    }

    /// After a failed call to the API server.
    static let failureDelay = Duration.seconds(5)
    private static let forbiddenDelay = Duration.seconds(60)

    /// How long to let the API server be after a call to it failed.
    static func delay(after error: KubernetesError) -> Duration {
        error.isForbidden ? forbiddenDelay : failureDelay
    }

    /// Gathers what is known without asking anybody.
    private func look(at key: String, now: Instant) async -> Pass {
        let recorded = await ledger.allRules()
        let (quarantine, epoch) = memory.withLock { ($0.quarantine, $0.epoch) }
        let resources = cache.resources(of: key).filter { !$0.isLetGo }
        var pass = Pass(
            key: key, startedAt: now, epoch: epoch, subjects: [],
            visitors: resources.filter { ($0.profile ?? "") != key }, recorded: recorded,
            firstRecord: Dictionary(recorded.map { ($0.owner.uid, $0) }, uniquingKeysWith: { first, _ in first }),
            knownIDs: session.lastKnownIDs(of: key))
        for resource in resources where (resource.profile ?? "") == key {
            let stance = stance(of: resource, quarantine: quarantine[resource.uid], &pass)
            pass.subjects.append(Pass.Subject(resource: resource, stance: stance))
        }
        noteFirstSeen(pass)
        return pass
    }

    /// Converges, known to `noticeDelays` meanwhile.
    private func convergeWithNotice(_ pass: Pass) async -> Pass {
        let noticeAt = time.now() + Self.pendingAfter
        converging.withLock { $0[pass.key] = (pass, noticeAt) }
        defer { converging.withLock { $0[pass.key] = nil } }
        return await converge(pass)
    }

    /// Tells those who wait longer than `pendingAfter` for the VCO that they do; returns when the next are to be told.
    func noticeDelays() async -> Instant? {
        let now = time.now()
        let due = converging.withLock { converging in
            let due = converging.filter { $0.value.noticeAt <= now }
            for key in due.keys { converging[key] = nil }
            return due.values.map(\.pass).sorted { $0.key < $1.key }
        }
        for pass in due { await writePending(pass) }
        return converging.withLock { $0.values.map(\.noticeAt).min() }
    }

    private func noteFirstSeen(_ pass: Pass) {
        memory.withLock { memory in
            for subject in pass.subjects where !subject.resource.isProgrammed {
                guard case .wants = subject.stance else { continue }
                let uid = subject.resource.uid
                if memory.firstSeen[uid]?.generation != subject.resource.generation {
                    memory.firstSeen[uid] = (subject.resource.generation, pass.startedAt)
                }
            }
        }
    }
}

/// What the WAN team has set for all resources.
package struct ReconcilePolicy: Sendable {
    /// Where the first rule of a segment goes.
    package var placement: Placement
    /// What annotations may do.
    package var allowed: Set<Allowance>
    /// More absent rules than this, and more than half of all, are not deleted.
    package var deletesMax: Int
    /// Decide and log only.
    package var isDryRun: Bool
    /// Take all that is velokube's out, whatever the resources want; nil in everyday life.
    package var uninstall: Uninstall?

    package init(
        placement: Placement = .top, allowed: Set<Allowance> = [], deletesMax: Int = 25, isDryRun: Bool = false,
        uninstall: Uninstall? = nil
    ) {
        self.placement = placement
        self.allowed = allowed
        self.deletesMax = deletesMax
        self.isDryRun = isDryRun
        self.uninstall = uninstall
    }
}

/// What is remembered between reconciles of one process; losing it costs calls, never rules.
struct Memory: Sendable {
    /// The current resync; profiles start at 0, so that none counts as checked.
    var epoch = 1
    /// By the VCO's id.
    var profiles: [Int: ProfileMemory] = [:]
    /// Those that a pass is at now, by the VCO's id.
    var busyProfiles: Set<Int> = []
    /// By uid.
    var quarantine: [String: Quarantine] = [:]
    /// When a generation was first seen waiting for its rule, by uid: for the spec-to-programmed histogram.
    var firstSeen: [String: (generation: Int, at: Instant)] = [:]
    /// Profiles, by name, where a resource's rule was seen gone, by uid, until one is recorded there again: a status
    /// that names such a place is out of date.
    var cleared: [String: Set<String>] = [:]
    /// Why rules of ours that were changed on the VCO are to be put back, until they are.
    var drift: [RulePlace: String] = [:]
    /// What other keys were told in this resync, so that they are told once.
    var hints: Set<String> = []
    /// Profiles that are not there, by name: in how many resyncs in a row, and in which last.
    var missing: [String: Strikes] = [:]

    /// In how many resyncs in a row something was not there.
    struct Strikes: Sendable {
        private var count = 0
        private var lastEpoch = 0

        /// Counts a resync, each but once; true when it is believed to be gone: from the second on.
        mutating func strike(epoch: Int) -> Bool {
            if lastEpoch < epoch { count += 1 }
            lastEpoch = epoch
            return count >= 2
        }
    }

    /// A new resync begins.
    mutating func startEpoch() {
        epoch += 1
        hints = []
    }

    /// Forgets a resource that is gone.
    mutating func forget(_ uid: String) {
        cleared[uid] = nil
        quarantine[uid] = nil
        firstSeen[uid] = nil
    }

    struct ProfileMemory: Sendable {
        /// When the last write began.
        var lastWrite: Instant?
        /// The resync for which the VCO was last asked.
        var checkedEpoch = 0
        /// The resync for which the module was last read in whole.
        var fullReadEpoch = 0
        /// Segments that hold rules of ours by record and are not in the document, by segmentId.
        var missingSegments: [Int: Strikes] = [:]
        /// The last plan that left nothing to do: for these wishes, at this version, these were refused.
        var settled: Settled?
    }

    struct Settled: Sendable {
        var version: String
        var desired: [DesiredRule]
        var refusals: [Refusal]
    }
}
