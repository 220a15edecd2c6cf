import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes

/// The informers' caches and the work queues behind one lock, so that a change and the keys it touches are one step.
package final class ResourceCache: Sendable {
    /// What the lock guards.
    package struct State: Sendable {
        var resources: Informer<VelocloudBP>
        var limits: Informer<VelocloudLimit>
        /// The profiles to reconcile.
        var queue: WorkQueue<String>
        /// The namespaces whose limits are to have their statuses looked at.
        var reports: WorkQueue<String>
    }

    /// A key of which something fails again and again is looked at at least this often: others wait for it.
    private static let failureDelayMax = Duration.seconds(30)
    /// A burst of changes on one profile lands together.
    static let debounce = Duration.milliseconds(50)

    /// Rung whenever there may be something to take from a queue.
    package let bell = Bell()
    let state: Locked<State>

    package init(random: SeededRandom, notOlderThan: String?) {
        // Of its own, or both watches would end together.
        var drawn = random
        let randomOfLimits = SeededRandom(seed: drawn.next())
        let backoff = Backoff(base: .seconds(1), factor: 2, max: Self.failureDelayMax, jitter: 0.2)
        state = Locked(
            State(
                resources: Informer(random: random, notOlderThan: notOlderThan, index: { $0.indexValues }),
                limits: Informer(random: randomOfLimits, index: { [$0.owner.namespace] }),
                queue: WorkQueue(backoff: backoff, random: random),
                reports: WorkQueue(backoff: backoff, random: randomOfLimits)))
    }

    func next<Object: WatchedResource>(_: Object.Type, now: Instant) -> Informer<Object>.Request {
        state.withLock { $0[keyPath: Object.informer].next(now: now) }
    }

    /// Takes in a reply and enqueues the keys concerned; true when the cluster's state is known from now on.
    @discardableResult
    func receive<Object: WatchedResource>(_ reply: Informer<Object>.Reply, now: Instant) -> Bool {
        let isNewlySynced = state.withLock { state in
            let wasSynced = state.isSynced
            let isFirstList = !wasSynced && !state[keyPath: Object.informer].isSynced
            let changes = state[keyPath: Object.informer].receive(reply, now: now)
            Object.enqueue(changes, isFirstList: isFirstList, in: &state, now: now)
            return !wasSynced && state.isSynced
        }
        bell.ring()
        return isNewlySynced
    }

    /// Takes in what one of our own patches came back with, so that the next look does not see the world before it.
    func acknowledge<Object: WatchedResource>(_ written: Object, replacing resourceVersion: String) {
        state.withLock { state in
            _ = state[keyPath: Object.informer].acknowledge(written, replacing: resourceVersion)
        }
    }

    /// Something that the informer of one kind knows.
    func informer<Object: WatchedResource, Value>(_ property: KeyPath<Informer<Object>, Value>) -> Value {
        state.withLock { $0[keyPath: Object.informer][keyPath: property] }
    }

    func enqueue(_ keys: some Sequence<String>, priority: WorkPriority, now: Instant) {
        state.withLock { state in
            for key in keys { state.queue.add(key, notBefore: now, priority: priority, now: now) }
        }
        bell.ring()
    }

    /// Every wait ends: the VCO is back.
    func release(now: Instant) {
        state.withLock { $0.queue.release(now: now) }
        bell.ring()
    }

    func take(now: Instant) -> WorkQueue<String>.Take {
        state.withLock { $0.queue.take(now: now) }
    }

    func finish(_ key: String, _ outcome: WorkQueue<String>.Outcome, now: Instant) {
        state.withLock { $0.queue.finish(key, outcome, now: now) }
        bell.ring()
    }

    /// The version of the resources; limits have none that would be kept.
    package var resourceVersion: String? { informer(\Informer<VelocloudBP>.resourceVersion) }
    package var queueStatistics: WorkQueue<String>.Statistics { state.withLock { $0.queue.statistics } }

    /// How many resources there are.
    package var count: Int { snapshot?.count ?? 0 }
    /// Every resource; nil until the first list is complete.
    var snapshot: [VelocloudBP]? { informer(\Informer<VelocloudBP>.snapshot) }
    /// Every profile that a resource names.
    var keys: [String] { informer(\Informer<VelocloudBP>.indexValues).compactMap(\.profile) }

    func resources(of key: String) -> [VelocloudBP] {
        state.withLock { $0.resources.objects(indexedBy: .profile(key)) }
    }

    func resources(in namespace: String) -> [VelocloudBP] {
        state.withLock { $0.resources.objects(indexedBy: .namespace(namespace)) }
    }

    /// The resource as the cache has it now, where only its status or version moved: to write on top of that. One that
    /// changed otherwise stays as it was seen, so that a write for what it was is refused.
    func current(_ seen: VelocloudBP) -> VelocloudBP {
        guard let newest = resource(seen.owner), newest.uid == seen.uid, !newest.differsForReconcile(from: seen) else {
            return seen
        }
        return newest
    }

    func resource(_ owner: Owner) -> VelocloudBP? {
        state.withLock { $0.resources.object("\(owner.namespace)/\(owner.name)") }
    }
}

extension VelocloudBP {
    /// What resources are found by.
    package enum Index: Hashable, Comparable, Sendable {
        /// A key of the queue of profiles.
        case profile(String)
        case namespace(String)

        var profile: String? {
            switch self {
            case .profile(let key): key
            case .namespace: nil
            }
        }
    }

    var indexValues: [Index] { queueKeys.map { .profile($0) } + [.namespace(owner.namespace)] }

    /// The keys of the work queue that care for this resource: the profile it names, and the one its status names.
    var queueKeys: [String] {
        guard let place = status.rule?.profile, place != profile else { return [profile ?? ""] }
        return [profile ?? "", place]
    }

    /// Whether a change calls for a reconcile. Our own status writes do not, or the loop would feed itself.
    func differsForReconcile(from other: VelocloudBP) -> Bool { !asksTheSame(as: other) }

    /// Whether it holds a wish that no status has answered: made while nobody watched, it is no less a user's.
    var hasUnansweredWish: Bool {
        deletedAt != nil || hasOpenRequest || status.observedGeneration != generation
    }
}

extension VelocloudBP: WatchedResource {
    package var uid: String { owner.uid }
    package static var resourceKind: ResourceKind { .velocloudBP }
    package static var absence: StaticString? { nil }
    package static var informer: WritableKeyPath<ResourceCache.State, Informer<VelocloudBP>> { \.resources }

    /// What the first list shows and was as we left it can wait; whatever changed while we watch is a user's.
    package static func enqueue(
        _ changes: [Informer<VelocloudBP>.Affected], isFirstList: Bool, in state: inout ResourceCache.State,
        now: Instant
    ) {
        var namespaces: Set<String> = []
        for change in changes {
            if let old = change.old, let new = change.new, old.uid == new.uid, !new.differsForReconcile(from: old) {
                continue
            }
            let isKnown = isFirstList && change.new?.hasUnansweredWish == false
            for key in Set((change.old?.queueKeys ?? []) + (change.new?.queueKeys ?? [])).sorted() {
                state.enqueue(key, priority: isKnown ? .background : .user, now: now)
            }
            if let namespace = (change.new ?? change.old)?.owner.namespace { namespaces.insert(namespace) }
        }
        for namespace in namespaces.sorted() {
            state.enqueueLimited(namespace, priority: isFirstList ? .background : .user, now: now)
        }
    }
}

extension ResourceCache.State {
    mutating func enqueue(_ key: String, priority: WorkPriority, now: Instant) {
        queue.add(key, notBefore: now + ResourceCache.debounce, priority: priority, now: now)
    }
}
