import BusinessPolicy
import ControlLoop
import HTTPTransport

extension VelocloudBP: InformerObject {
    package var uid: String { owner.uid }
}

extension VelocloudBP {
    /// The keys of the work queue that care for this resource: the profile it names, and the one its status names.
    var queueKeys: [String] {
        guard let place = status.rule?.profile, place != profile else { return [profile ?? ""] }
        return [profile ?? "", place]
    }

    /// Whether a change calls for a reconcile. Our own status writes do not, or the loop would feed itself.
    func differsForReconcile(from other: VelocloudBP) -> Bool { !asksTheSame(as: other) }
}

extension VelocloudBP {
    /// Whether it holds a wish that no status has answered: made while nobody watched, it is no less a user's.
    var hasUnansweredWish: Bool {
        deletedAt != nil || hasOpenRequest || status.observedGeneration != generation
    }
}

/// The informer's cache and the work queue behind one lock, so that a change and the keys it touches are one step.
package final class ResourceCache: Sendable {
    struct State {
        var informer: Informer<VelocloudBP>
        var queue: WorkQueue<String>
    }

    /// A profile of which something fails again and again is looked at at least this often: others wait for it.
    private static let failureDelayMax = Duration.seconds(30)

    package let bell = Bell()
    private let state: Locked<State>
    /// A burst of changes on one profile lands together.
    static let debounce = Duration.milliseconds(50)

    package init(random: SeededRandom, notOlderThan: String?) {
        state = Locked(
            State(
                informer: Informer(random: random, notOlderThan: notOlderThan, index: { $0.queueKeys }),
                queue: WorkQueue(
                    backoff: Backoff(base: .seconds(1), factor: 2, max: Self.failureDelayMax, jitter: 0.2),
                    random: random)))
    }

    func next(now: Instant) -> Informer<VelocloudBP>.Request {
        state.withLock { $0.informer.next(now: now) }
    }

    /// Takes in a reply and enqueues the profiles concerned; true when this completed the first list.
    ///
    /// What the first list shows and was as we left it can wait; whatever changed while we watch is a user's.
    @discardableResult
    func receive(_ reply: Informer<VelocloudBP>.Reply, now: Instant) -> Bool {
        let isFirst = state.withLock { state in
            let wasSynced = state.informer.isSynced
            let affected = state.informer.receive(reply, now: now)
            let isFirst = !wasSynced && state.informer.isSynced
            Self.enqueue(affected, isFirstList: isFirst, in: &state.queue, now: now)
            return isFirst
        }
        bell.ring()
        return isFirst
    }

    /// Takes in what one of our own patches came back with, so that the next look does not see the world before it.
    func acknowledge(_ written: VelocloudBP, replacing resourceVersion: String) {
        state.withLock { state in
            _ = state.informer.acknowledge(written, replacing: resourceVersion)
        }
    }

    private static func enqueue(
        _ affected: [Informer<VelocloudBP>.Affected], isFirstList: Bool, in queue: inout WorkQueue<String>,
        now: Instant
    ) {
        for change in affected {
            if let old = change.old, let new = change.new, old.uid == new.uid, !new.differsForReconcile(from: old) {
                continue
            }
            let isKnown = isFirstList && change.new?.hasUnansweredWish == false
            for key in Set((change.old?.queueKeys ?? []) + (change.new?.queueKeys ?? [])).sorted() {
                queue.add(key, notBefore: now + debounce, priority: isKnown ? .background : .user, now: now)
            }
        }
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

    /// Whether the watch that is open is still of use.
    var wantsEvents: Bool { state.withLock { $0.informer.wantsEvents } }
    /// Whether a list is asked for over a watch, or coming over it.
    var isStreaming: Bool { state.withLock { $0.informer.isStreaming } }
    /// Since when a list has been coming over a watch.
    var streamingSince: Instant? { state.withLock { $0.informer.streamingSince } }

    /// True once the first list is complete, and while the resource type is there to be read.
    package var isSynced: Bool {
        state.withLock { $0.informer.isSynced && $0.informer.isBlocked != .notFound }
    }

    /// What keeps the list from being read, if anything does.
    package var blocked: InformerFailure? { state.withLock { $0.informer.isBlocked } }

    package var lastContact: Instant? { state.withLock { $0.informer.lastContact } }
    package var resourceVersion: String? { state.withLock { $0.informer.resourceVersion } }
    package var queueStatistics: WorkQueue<String>.Statistics { state.withLock { $0.queue.statistics } }

    /// How many resources there are.
    package var count: Int { snapshot?.count ?? 0 }
    /// Every resource; nil until the first list is complete.
    var snapshot: [VelocloudBP]? { state.withLock { $0.informer.snapshot } }
    /// Every profile that a resource names.
    var keys: [String] { state.withLock { $0.informer.indexValues } }

    func resources(of key: String) -> [VelocloudBP] {
        state.withLock { $0.informer.objects(indexedBy: key) }
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
        state.withLock { $0.informer.object("\(owner.namespace)/\(owner.name)") }
    }
}
