import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Logging

/// Carries out what the informer of one kind asks for: one list page, one watch, or one wait at a time.
package final class InformerService<Object: WatchedResource>: Sendable {
    private let client: KubernetesClient
    private let cache: ResourceCache
    private let namespace: String?
    private let time: Time
    private let log: Logger
    /// Called when by a reply of this kind the cluster's state is known: every kind's first list is complete then.
    private let onSynced: @Sendable () -> Void

    package init(
        client: KubernetesClient, cache: ResourceCache, namespace: String?, time: Time, log: Logger,
        onSynced: @escaping @Sendable () -> Void
    ) {
        self.client = client
        self.cache = cache
        self.namespace = namespace
        self.time = time
        self.log = log
        self.onSynced = onSynced
    }

    private static var kind: Logger.MetadataValue { .string(Object.resourceKind.plural) }
    private var wantsEvents: Bool { cache.informer(\Informer<Object>.wantsEvents) }
    private var isStreaming: Bool { cache.informer(\Informer<Object>.isStreaming) }

    /// One step of the informer. Every failure goes back into it; it decides what comes next.
    package func step() async -> Wake {
        switch cache.next(Object.self, now: time.now()) {
        case .list(let request): await list(request)
        case .watch(let request): await watch(request)
        case .wait(let until): return .at(until)
        }
        return .again
    }

    private func list(_ request: Informer<Object>.ListRequest) async {
        do {
            let page = try await client.list(
                Object.resourceKind, namespace: namespace, resourceVersion: request.resourceVersion,
                limit: request.limit, continueToken: request.continueToken, read)
            give(
                .page(items: page.items, resourceVersion: page.resourceVersion, continueToken: page.continueToken))
        } catch {
            fail(error, "list")
        }
    }

    private func watch(_ request: Informer<Object>.WatchRequest) async {
        do {
            let stream = try await client.watch(
                Object.resourceKind, namespace: namespace, from: request.from,
                sendsInitialEvents: request.sendsInitialEvents, timeoutSeconds: request.timeoutSeconds,
                idle: request.idle)
            give(.opened)
            var told = time.now()
            while wantsEvents, let event = try await stream.next() {
                noteLateList(&told)
                switch event {
                case .added(let json): give(event: json, Informer<Object>.Event.added)
                case .modified(let json): give(event: json, Informer<Object>.Event.modified)
                case .deleted(let json): give(event: json, Informer<Object>.Event.deleted)
                case .bookmark(let version, let isEnd):
                    give(.event(.bookmark(resourceVersion: version, endsInitialEvents: isEnd)))
                case .unreadable(let words): give(.event(.unreadable(words)))
                case .error(let status):
                    fail(.status(status), "watch")
                    return
                }
            }
            if wantsEvents { give(.closed) }
        } catch {
            fail(error, request.sendsInitialEvents ? "watch with initial events" : "watch")
        }
    }

    /// Says again and again that a list over a watch is still coming: until it is complete nothing else happens.
    private func noteLateList(_ told: inout Instant) {
        let since = cache.informer(\Informer<Object>.streamingSince)
        guard let since, time.now().since(told) >= Self.listLateAfter else { return }
        told = time.now()
        log.event(
            .warning, "The list is still coming",
            [.kind: Self.kind, .method: "watch with initial events", .duration: "\(told.since(since))"])
    }

    /// A list over a watch that takes longer is told of, each time that it has taken so long again.
    private static var listLateAfter: Duration { .seconds(10) }

    private func give(event json: JSON, _ make: (Object) -> Informer<Object>.Event) {
        guard let resource = read(json) else {
            give(.event(.unreadable("an object without usable metadata")))
            return
        }
        give(.event(make(resource)))
    }

    private func give(_ reply: Informer<Object>.Reply) {
        if cache.receive(reply, now: time.now()) { onSynced() }
    }

    private func fail(_ error: KubernetesError, _ verb: String) {
        if Task.isCancelled { return }
        let failure = error.informerFailure
        let details: [LogKey: Logger.MetadataValue] = [
            .kind: Self.kind, .method: .string(verb), .error: "\(error)",
        ]
        switch failure {
        case .invalid where isStreaming:
            log.event(.debug, "The API server lists in pages only", details)
        case .idle where isStreaming:
            log.event(.warning, "The list does not come over a watch", details)
        case .gone, .expired, .idle, .resourceVersionTooLarge:
            log.event(.debug, "The watch starts anew", details)
        case .notFound where Object.absence != nil:
            noteAbsence(details)
        default:
            log.event(.warning, "The API server cannot be read", details)
        }
        give(.failed(failure))
    }

    /// Says once that the kind is missing, when a list says so, and not again until it was there.
    private func noteAbsence(_ details: [LogKey: Logger.MetadataValue]) {
        let isNews = !isStreaming && cache.informer(\Informer<Object>.isBlocked) != .notFound
        if let absence = Object.absence { log.event(isNews ? .warning : .debug, absence, details) }
    }

    private func read(_ json: JSON) -> Object? {
        do {
            return try Object(json: json)
        } catch {
            log.event(
                .warning, "An object from the API server cannot be read",
                [.kind: Self.kind, .error: .string(error.problem)])
            return nil
        }
    }
}

extension KubernetesError {
    /// What the informer is to make of it.
    var informerFailure: InformerFailure {
        switch self {
        case .status(let status):
            if status.isResourceVersionTooLarge { return .resourceVersionTooLarge }
            if status.isExpired { return .expired }
            if status.isGone { return .gone }
            switch status.code {
            case 400, 422: return .invalid(status.message)
            case 401: return .unauthorized
            case 403: return .forbidden
            case 404: return .notFound
            case 429: return .tooManyRequests(retryAfter: status.retryAfter)
            case 500...: return .serverError
            default: return .other(status.message)
            }
        case .transport(.timeout): return .idle
        case .transport(let error): return error.isCertainlyUnsent ? .unreachable : .other("\(error)")
        case .unreadable(let words), .credential(let words): return .other(words)
        }
    }
}
