import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes

extension VelocloudLimit: WatchedResource {
    package var uid: String { owner.uid }
    package static var resourceKind: ResourceKind { .velocloudLimit }
    package static var absence: StaticString? {
        """
        VelocloudLimit is not installed: limits per namespace are not enforced until manifests/crd is applied \
        (those that were known before stay in force)
        """
    }
    package static var informer: WritableKeyPath<ResourceCache.State, Informer<VelocloudLimit>> { \.limits }

    /// A changed limit concerns every resource of its namespace. Our own status writes change no generation, or the
    /// loop would feed itself.
    package static func enqueue(
        _ changes: [Informer<VelocloudLimit>.Affected], isFirstList: Bool, in state: inout ResourceCache.State,
        now: Instant
    ) {
        let namespaces = changes.compactMap { change -> String? in
            if let old = change.old, let new = change.new, old.uid == new.uid, old.generation == new.generation {
                return nil
            }
            return (change.new ?? change.old)?.owner.namespace
        }
        for namespace in Set(namespaces).sorted() {
            state.enqueueProfiles(of: namespace, priority: isFirstList ? .background : .user, now: now)
            state.enqueueReport(on: namespace, priority: .user, now: now)
        }
    }
}

extension ResourceCache.State {
    /// What follows for a namespace from a change of one of its resources: its limits count anew, and where they have
    /// a quota there may be room for another resource, on whatever profile.
    mutating func enqueueLimited(_ namespace: String, priority: WorkPriority, now: Instant) {
        let limits = limits.objects(indexedBy: namespace)
        guard !limits.isEmpty else { return }
        enqueueReport(on: namespace, priority: .user, now: now)
        guard limits.contains(where: \.spec.hasQuota) else { return }
        enqueueProfiles(of: namespace, priority: priority, now: now)
    }

    fileprivate mutating func enqueueProfiles(of namespace: String, priority: WorkPriority, now: Instant) {
        for key in resources.indexValues(beside: .namespace(namespace)).compactMap(\.profile) {
            enqueue(key, priority: priority, now: now)
        }
    }

    fileprivate mutating func enqueueReport(on namespace: String, priority: WorkPriority, now: Instant) {
        reports.add(namespace, notBefore: now + ResourceCache.reportDebounce, priority: priority, now: now)
    }
}

/// What the cache knows of limits, and the queue of namespaces whose limits are to be reported on.
extension ResourceCache {
    /// The counts in a limit's status may come a little late: a burst of changes is to cost few writes.
    static let reportDebounce = Duration.milliseconds(500)

    /// The limits of a namespace, sorted by name.
    func limits(in namespace: String) -> [VelocloudLimit] {
        state.withLock { $0.limits.objects(indexedBy: namespace) }
    }

    var namespacesWithLimits: [String] { informer(\Informer<VelocloudLimit>.indexValues) }

    /// How many resources are refused for a limit, by their status; of every namespace that has limits.
    var outOfLimits: [String: Int] {
        let reason = Verdict.RefusalReason.outOfLimits.rawValue
        return Dictionary(
            namespacesWithLimits.map { namespace in
                (namespace, resources(in: namespace).count { $0.status.condition(.accepted)?.reason == reason })
            }, uniquingKeysWith: +)
    }

    /// Rules came or went in these namespaces: among resources of one age a quota lets in first who has one.
    func noteRules(in namespaces: Set<String>, now: Instant) {
        guard !namespaces.isEmpty else { return }
        state.withLock { state in
            for namespace in namespaces.sorted() { state.enqueueLimited(namespace, priority: .user, now: now) }
        }
        bell.ring()
    }

    /// Asks for a look at every limit's status, as somebody may have changed it.
    func enqueueReports(now: Instant) {
        state.withLock { state in
            for namespace in state.limits.indexValues {
                state.reports.add(namespace, notBefore: now, priority: .background, now: now)
            }
        }
        bell.ring()
    }

    func takeReport(now: Instant) -> WorkQueue<String>.Take {
        state.withLock { $0.reports.take(now: now) }
    }

    func finishReport(_ namespace: String, _ outcome: WorkQueue<String>.Outcome, now: Instant) {
        state.withLock { $0.reports.finish(namespace, outcome, now: now) }
        bell.ring()
    }

    package var reportStatistics: WorkQueue<String>.Statistics { state.withLock { $0.reports.statistics } }
}
