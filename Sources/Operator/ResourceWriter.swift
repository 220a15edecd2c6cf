import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Logging
import Orchestrator

/// Our writes to the API server: side by side, a bounded number in flight, each guarded by uid and resourceVersion.
final class ResourceWriter: Sendable {
    /// How one write to a VelocloudBP ended.
    typealias Outcome = WriteOutcome<VelocloudBP>

    /// How one write ended.
    enum WriteOutcome<Resource: Sendable>: Sendable {
        /// As the API server holds it now; the cache knows it too.
        case written(Resource)
        /// The resource is not as we saw it any more.
        case conflict
        /// It is not there any more.
        case gone
        case failed(KubernetesError)
    }

    enum Presence: Sendable {
        /// The API server says of this very name that nothing, or something else, bears it.
        case absent
        case present
        case unknown
    }

    /// What the cache has of a resource, held against the API server.
    enum Freshness: Sendable {
        case fresh
        case outdated
        case unknown(KubernetesError)
    }

    let client: KubernetesClient
    private let cache: ResourceCache
    private let time: Time
    let log: Logger
    private let metrics: MetricsRegistry
    private let leadership: Leadership?
    private let recorder = Locked(EventRecorder())
    /// What was told once.
    private let told = Locked<Set<String>>([])

    /// Kubernetes writes in flight at once, over all workers.
    package static let writesInFlightMax = 32
    /// Calls of one batch in flight at once.
    private let batchWidth: Int
    private let turn = CallLimiter(callsMax: writesInFlightMax)

    init(
        client: KubernetesClient, cache: ResourceCache, time: Time, log: Logger, metrics: MetricsRegistry,
        leadership: Leadership?, batchWidth: Int
    ) {
        self.batchWidth = batchWidth
        self.leadership = leadership
        self.client = client
        self.cache = cache
        self.time = time
        self.log = log
        self.metrics = metrics
    }

    /// Adds our finalizer; the result by uid.
    func putFinalizer(on resources: [VelocloudBP]) async -> [String: Outcome] {
        let outcomes = await sideBySide(resources) { resource in
            // Never under a deletionTimestamp: the API server would refuse it, and the guard below makes it a conflict.
            await self.patch(
                resource, kind: .finalizer, subresource: nil,
                change: [
                    .init(
                        "metadata",
                        resource.guarded(with: [
                            .init(
                                "finalizers",
                                .array((resource.finalizers + [VelocloudBP.finalizer]).map { .string($0) }))
                        ]))
                ])
        }
        return Dictionary(outcomes.map { ($0.0.uid, $0.1) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes our finalizer off, and leaves those of others.
    func removeFinalizer(from resources: [VelocloudBP]) async -> [(VelocloudBP, Outcome)] {
        await sideBySide(resources) { resource in
            let others = resource.finalizers.filter { $0 != VelocloudBP.finalizer }
            return await self.patch(
                resource, kind: .finalizer, subresource: nil,
                change: [
                    .init(
                        "metadata",
                        resource.guarded(with: [
                            .init("finalizers", .array(others.map { .string($0) }))
                        ]))
                ])
        }
    }

    func writeStatus(_ statuses: [(VelocloudBP, Status)]) async -> [(VelocloudBP, Outcome)] {
        await writeStatus(statuses.map { ($0.0, $0.1.json) })
    }

    /// Leaves the resources without a status, as they were before anybody had looked at them.
    func clearStatus<Resource: WatchedResource>(
        of resources: [Resource]
    ) async -> [(Resource, WriteOutcome<Resource>)] {
        await writeStatus(resources.map { ($0, JSON.null) })
    }

    func writeStatus(_ statuses: [(VelocloudLimit, LimitStatus)]) async -> [(
        VelocloudLimit, WriteOutcome<VelocloudLimit>
    )] {
        await writeStatus(statuses.map { ($0.0, $0.1.json) })
    }

    private func writeStatus<Resource: WatchedResource>(
        _ statuses: [(Resource, JSON)]
    ) async -> [(Resource, WriteOutcome<Resource>)] {
        let byUID = Dictionary(statuses.map { ($0.0.uid, $0.1) }, uniquingKeysWith: { first, _ in first })
        return await sideBySide(statuses.map(\.0)) { resource in
            await self.patch(
                resource, kind: .status, subresource: "status",
                change: [
                    .init("metadata", resource.guarded(with: [])), .init("status", byUID[resource.uid] ?? .null),
                ])
        }
    }

    /// Asks the API server of each owner by name.
    func presence(of owners: [Owner]) async -> [(Owner, Presence)] {
        await sideBySide(owners) { owner in
            do throws(KubernetesError) {
                if self.isOutOfTime { throw Self.outOfTime }
                let found = try await self.client.get(.velocloudBP, namespace: owner.namespace, name: owner.name)
                guard let uid = found["metadata"]?["uid"]?.string else { return .unknown }
                return uid == owner.uid ? .present : .absent
            } catch {
                if case .status(let status) = error, status.provesAbsence(of: owner.name, kind: .velocloudBP) {
                    return .absent
                }
                self.log.event(
                    .warning,
                    "Whether a resource is gone cannot be told; its rule is kept",
                    [.resource: .string(owner.label), .error: "\(error)"])
                return .unknown
            }
        }
    }

    /// Asks the API server of each resource whether it is as the cache has it.
    func freshness(of resources: [VelocloudBP]) async -> [(VelocloudBP, Freshness)] {
        await sideBySide(resources) { resource in
            do throws(KubernetesError) {
                if self.isOutOfTime { throw Self.outOfTime }
                let found = try await self.client.get(
                    .velocloudBP, namespace: resource.owner.namespace, name: resource.owner.name)
                return found["metadata"]?["resourceVersion"]?.string == resource.resourceVersion ? .fresh : .outdated
            } catch {
                if case .status(let status) = error, status.isNotFound { return .outdated }
                self.log.event(
                    .warning, "Whether a resource is as the watch shows it cannot be told; it takes over no rule yet",
                    [.resource: .string(resource.owner.label), .error: "\(error)"])
                return .unknown(error)
            }
        }
    }

    private func patch<Resource: WatchedResource>(
        _ resource: Resource, kind: Metrics.KubernetesWrite, subresource: String?, change: [JSON.Member]
    ) async -> WriteOutcome<Resource> {
        if isOutOfTime { return .failed(Self.outOfTime) }
        // Another may lead, and have changed what we saw.
        guard leadership?.isLeading ?? true else { return .conflict }
        metrics.update { $0.kubernetesWrites[kind, default: 0] += 1 }
        do {
            let reply = try await client.patch(
                Resource.resourceKind, namespace: resource.owner.namespace, name: resource.owner.name,
                subresource: subresource,
                body: .object(change))
            let written = try Resource(json: reply)
            cache.acknowledge(written, replacing: resource.resourceVersion)
            return .written(written)
        } catch let error as KubernetesError {
            guard case .status(let status) = error else { return .failed(error) }
            if status.isConflict { return .conflict }
            if status.isNotFound { return .gone }
            return .failed(error)
        } catch {
            return .failed(
                .unreadable(
                    "the reply to a patch of \(resource.owner.label) is none of \(Resource.resourceKind.plural)"))
        }
    }

    /// Records what happened as Events. They help people and nothing depends on them: a failure is logged, no more.
    func post(_ happenings: [Pass.Happening]) async {
        guard !happenings.isEmpty else { return }
        let wall = time.wallMilliseconds()
        let occurrences = EventRecorder.fold(happenings.map(\.occurrence))
        let writes = recorder.withLock { recorder in occurrences.compactMap { recorder.record($0, now: wall) } }
        _ = await sideBySide(writes) { write in
            do throws(KubernetesError) {
                try await self.post(write)
            } catch {
                // A namespace that is being deleted takes none either, and says 403, too.
                if error.lacksRight {
                    self.tellOnce(
                        "The service account may not write Events: what happens is told here and in statuses alone",
                        error)
                } else {
                    self.log.event(.debug, "An event cannot be recorded", [.error: "\(error)"])
                }
            }
        }
    }

    /// Tells of a missing right without which all goes on, and does so once.
    func tellOnce(_ sentence: StaticString, _ error: KubernetesError) {
        guard told.withLock({ $0.insert("\(sentence)").inserted }) else { return }
        log.event(.warning, sentence, [.error: "\(error)"])
    }

    /// Whether the pass that runs has had its time, so that no further call may be begun.
    var isOutOfTime: Bool { PassScope.isOver(after: PassScope.timeMax, now: time.now()) }

    static let outOfTime = KubernetesError.transport(
        .timeout("the pass has taken \(PassScope.timeMax), and nothing more is begun in it"))

    private func post(_ write: EventWrite) async throws(KubernetesError) {
        if isOutOfTime { throw Self.outOfTime }
        guard leadership?.isLeading ?? true else { return }
        metrics.update { $0.kubernetesWrites[.event, default: 0] += 1 }
        if case .patch(let name, let body) = write.action {
            do {
                _ = try await client.patch(
                    .event, namespace: write.namespace, name: name, subresource: nil, body: body)
                return
            } catch {
                guard case .status(let status) = error, status.isNotFound else { throw error }
                // The server drops Events after an hour: make it anew.
            }
        }
        _ = try await client.create(.event, namespace: write.namespace, body: write.event)
    }

    func sideBySide<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async -> Value
    ) async -> [(Item, Value)] {
        await withTaskGroup(of: (Int, Value).self) { group in
            var results: [Value?] = Array(repeating: nil, count: items.count)
            var started = 0
            for (index, item) in items.enumerated() {
                if started >= batchWidth, let (done, value) = await group.next() { results[done] = value }
                started += 1
                group.addTask {
                    let isMine = await self.turn.acquire()
                    defer { if isMine { self.turn.release() } }
                    return (index, await body(item))
                }
            }
            for await (done, value) in group { results[done] = value }
            return zip(items, results).compactMap { item, value in value.map { (item, $0) } }
        }
    }
}

extension WatchedResource {
    /// `metadata` for a patch that only succeeds while the resource is as we saw it.
    func guarded(with members: [JSON.Member]) -> JSON {
        .object([.init("uid", .string(uid)), .init("resourceVersion", .string(resourceVersion))] + members)
    }
}

extension Pass.Happening {
    var occurrence: EventOccurrence {
        EventOccurrence(
            subject: EventSubject(owner, kind: kind), severity: isWarning ? .warning : .normal, reason: reason,
            message: message)
    }
}
