import HTTPTransport

import enum BusinessPolicy.JSON

/// A Kubernetes API server in memory: VelocloudBPs and VelocloudLimits without a schema, events and namespaces.
///
/// It follows a real server in what a controller's safety hangs on: versions, paged lists, watches, 410, optimistic
/// locking, generation, finalizers. One contract suite runs against both.
package final class SimulatedAPIServer: Sendable {
    private let core: Locked<APIServerCore>
    private let wallMilliseconds: @Sendable () -> Int64

    /// A server with the namespaces `kube-system` and `default`; the clock gives `creationTimestamp`.
    package init(wallMilliseconds: @escaping @Sendable () -> Int64) {
        self.wallMilliseconds = wallMilliseconds
        core = Locked(APIServerCore())
        for name in ["kube-system", "default"] { createNamespace(name) }
    }

    /// A fresh cluster, which serves the kinds that are built in and those whose definitions are applied, to those who
    /// have the right: to the bearer of the token or of no token as administrator. Tokens and uids come from the seed.
    package init(
        administratorToken: String, seed: UInt64, wallMilliseconds: @escaping @Sendable () -> Int64
    ) {
        self.wallMilliseconds = wallMilliseconds
        core = Locked(
            .cluster(administratorToken: administratorToken, seed: seed, wallMilliseconds: wallMilliseconds()))
    }

    /// How a request is answered.
    package enum Answer: Sendable {
        case reply(SimulatedReply)
        /// A watch: 200, and a body that goes on.
        case stream(HTTPBody)
    }

    /// Carries out a request.
    package func handle(_ request: SimulatedRequest) -> Answer {
        let now = wallMilliseconds()
        let outcome = core.withLock { $0.handle(request, wallMilliseconds: now) }
        for waking in outcome.wakings { waking() }
        if let watch = outcome.watch {
            let lease = WatchLease(watch.stream) { [weak self] in self?.forget(watch: watch.id) }
            return .stream(HTTPBody { () async throws(TransportError) in try await lease.next() })
        }
        return .reply(outcome.reply ?? APIServerCore.pageNotFound)
    }

    private func forget(watch id: Int) {
        core.withLock { core in _ = core.watches.removeValue(forKey: id) }
    }

    private func change<Failure: Error>(
        _ body: (inout APIServerCore) throws(Failure) -> [WatchStream.Waking]
    ) throws(Failure) {
        let now = wallMilliseconds()
        let wakings = try core.withLock { (core) throws(Failure) in
            core.wallMilliseconds = now
            return try body(&core)
        }
        for waking in wakings { waking() }
    }
}

/// The reader's end of a watch; with it goes the watch.
private final class WatchLease: Sendable {
    private let stream: WatchStream
    private let onEnd: @Sendable () -> Void

    init(_ stream: WatchStream, onEnd: @escaping @Sendable () -> Void) {
        self.stream = stream
        self.onEnd = onEnd
    }

    func next() async throws(TransportError) -> [UInt8]? {
        try await stream.next()
    }

    deinit {
        onEnd()
    }
}

/// What a user with `kubectl` does.
extension SimulatedAPIServer {
    /// Makes a resource, or replaces the spec of the one that is there; returns it as it is now.
    @discardableResult
    package func apply(
        _ name: String, namespace: String = "default", kind: SimulatedKind = .velocloudBP, spec: JSON,
        annotations: [String: String] = [:]
    ) -> JSON {
        let key = ResourceKey(kind: kind, namespace: namespace, name: name)
        var metadata = JSON.record(["name": .string(name)])
        if !annotations.isEmpty {
            let members = annotations.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
            metadata = metadata.setting(["annotations"], to: .object(members))
        }
        let body = JSON.record(["metadata": metadata, "spec": spec])
        change { core in
            guard let old = core.store.resource(key) else {
                return core.create(body, kind, namespace: namespace)
            }
            let replaced = old.json.setting(["spec"], to: spec)
            let merged = annotations.isEmpty ? replaced : replaced.merging(.record(["metadata": metadata]))
            return core.replace(key, with: merged)
        }
        return object(name, namespace: namespace, kind: kind) ?? .null
    }

    /// Asks for a resource's deletion: gone at once, or marked while finalizers hold it.
    package func delete(_ name: String, namespace: String = "default", kind: SimulatedKind = .velocloudBP) {
        let now = wallMilliseconds()
        change { core in
            let key = ResourceKey(kind: kind, namespace: namespace, name: name)
            let deleted = try? core.store.delete(key, wallMilliseconds: now)
            return deleted.flatMap { $0 }.map { core.deliver([$0]) } ?? []
        }
    }

    /// Takes a resource away though finalizers hold it, as a cluster restored from an old backup does.
    package func vanish(_ name: String, namespace: String = "default") {
        change { core in
            let key = ResourceKey(kind: .velocloudBP, namespace: namespace, name: name)
            guard let stored = core.store.resource(key) else { return [] }
            return core.deliver([core.store.remove(key, last: stored.json)])
        }
    }

    /// Sets an annotation, or takes it away.
    package func annotate(_ name: String, namespace: String = "default", _ annotation: String, _ value: String?) {
        let entry = JSON.Member(annotation, value.map { JSON.string($0) } ?? .null)
        merge(.record(["metadata": .record(["annotations": .object([entry])])]), name, namespace: namespace)
    }

    /// Merges a patch into a resource, or into its status. Nothing happens to one that is not there.
    package func merge(
        _ patch: JSON, _ name: String, namespace: String = "default", kind: SimulatedKind = .velocloudBP,
        isStatus: Bool = false
    ) {
        let key = ResourceKey(kind: kind, namespace: namespace, name: name)
        change { core in
            core.merge(patch, key, isStatus: isStatus)
        }
    }

    /// Makes a namespace; nothing happens to one that is there.
    package func createNamespace(_ name: String) {
        change { core in
            core.create(.record(["metadata": .record(["name": .string(name)])]), .namespace, namespace: "")
        }
    }

    /// One resource as it is; nil when it is not there.
    package func object(
        _ name: String, namespace: String = "default", kind: SimulatedKind = .velocloudBP
    ) -> JSON? {
        let key = ResourceKey(kind: kind, namespace: namespace, name: name)
        return core.withLock { $0.store.resource(key)?.json }
    }

    /// Every resource of a kind, sorted by namespace and name.
    package func objects(_ kind: SimulatedKind = .velocloudBP, namespace: String? = nil) -> [JSON] {
        core.withLock { $0.store.resources(kind, namespace: namespace).map(\.value.json) }
    }

    /// Every event, sorted by namespace and name.
    package func events(namespace: String? = nil) -> [JSON] {
        objects(.event, namespace: namespace)
    }
}

/// What a test does to the server itself.
extension SimulatedAPIServer {
    /// How it behaves.
    package var modes: APIServerModes {
        get { core.withLock { $0.modes } }
        set { core.withLock { $0.modes = newValue } }
    }

    /// The version of the last write.
    package var resourceVersion: Int {
        core.withLock { $0.store.version }
    }

    /// Lets a failure befall coming calls.
    package func inject(_ fault: APIFault) {
        core.withLock { $0.faults.append(fault) }
    }

    package func clearFaults() {
        core.withLock { $0.faults = [] }
    }

    /// Calls by verb and kind, such as `patch velocloudbps/status`, refused ones too.
    package var counts: [String: Int] {
        core.withLock { $0.counts }
    }

    /// Calls that changed something, in the same way.
    package var effects: [String: Int] {
        core.withLock { $0.effects }
    }

    /// Writes that were asked for, events aside.
    package var writes: Int {
        let verbs = ["create ", "update ", "patch ", "delete "]
        return counts.filter { title, _ in
            verbs.contains { title.hasPrefix($0) } && !title.hasSuffix(" events")
        }.values.reduce(0, +)
    }

    package func clearCounts() {
        core.withLock { core in
            core.counts = [:]
            core.effects = [:]
        }
    }

    /// Forgets the history: watches and exact lists from older versions answer 410 from now on.
    package func compact() {
        core.withLock { $0.store.compact() }
    }

    /// Moves the version as writes of other kinds do.
    package func pass(versions: Int) {
        core.withLock { $0.store.pass(versions: versions) }
    }

    /// How many watches are open.
    package var openWatches: Int {
        core.withLock { $0.watches.count }
    }

    /// Ends every watch as a server does at its time.
    package func cutWatches() {
        change { $0.endWatches(.closed) }
    }

    /// Ends every watch as a broken connection does, or one that was silent for too long.
    package func breakWatches(_ error: TransportError = .broken("connection reset by peer")) {
        change { $0.endWatches(.failed(error)) }
    }

    /// Ends the watches whose `timeoutSeconds` have passed by the injected clock.
    package func closeExpiredWatches() {
        let now = wallMilliseconds()
        change { $0.endWatches(.closed, dueAt: now) }
    }

    /// Sends a bookmark to every watch that asked for them.
    package func sendBookmarks() {
        change { $0.bookmarks() }
    }

    /// Sends one line as it is to every watch: what no server should send.
    package func send(line: String) {
        change { $0.send(line: Array(line.utf8)) }
    }

    /// Sends an `ERROR` event with this failure to every watch, and ends them.
    package func failWatches(_ failure: APIFailure) {
        let event = JSON.record(["type": .string("ERROR"), "object": failure.json])
        change { $0.send(line: event.serialized()) + $0.endWatches(.closed) }
    }
}
