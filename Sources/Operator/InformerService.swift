import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Logging

/// Carries out what the informer asks for: one list page, one watch, or one wait at a time.
package final class InformerService: Sendable {
    private let client: KubernetesClient
    private let cache: ResourceCache
    private let namespace: String?
    private let time: Time
    private let log: Logger
    /// Called once, when the first list is complete.
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

    /// One step of the informer. Every failure goes back into it; it decides what comes next.
    package func step() async -> Wake {
        switch cache.next(now: time.now()) {
        case .list(let request): await list(request)
        case .watch(let request): await watch(request)
        case .wait(let until): return .at(until)
        }
        return .again
    }

    private func list(_ request: Informer<VelocloudBP>.ListRequest) async {
        do {
            let page = try await client.list(
                .velocloudBP, namespace: namespace, resourceVersion: request.resourceVersion, limit: request.limit,
                continueToken: request.continueToken, read)
            give(
                .page(items: page.items, resourceVersion: page.resourceVersion, continueToken: page.continueToken))
        } catch {
            fail(error, "list")
        }
    }

    private func watch(_ request: Informer<VelocloudBP>.WatchRequest) async {
        do {
            let stream = try await client.watch(
                .velocloudBP, namespace: namespace, from: request.from, sendsInitialEvents: request.sendsInitialEvents,
                timeoutSeconds: request.timeoutSeconds, idle: request.idle)
            give(.opened)
            var told = time.now()
            while cache.wantsEvents, let event = try await stream.next() {
                noteLateList(&told)
                switch event {
                case .added(let json): give(event: json, Informer.Event.added)
                case .modified(let json): give(event: json, Informer.Event.modified)
                case .deleted(let json): give(event: json, Informer.Event.deleted)
                case .bookmark(let version, let isEnd):
                    give(.event(.bookmark(resourceVersion: version, endsInitialEvents: isEnd)))
                case .unreadable(let words): give(.event(.unreadable(words)))
                case .error(let status):
                    fail(.status(status), "watch")
                    return
                }
            }
            if cache.wantsEvents { give(.closed) }
        } catch {
            fail(error, request.sendsInitialEvents ? "watch with initial events" : "watch")
        }
    }

    /// Says again and again that a list over a watch is still coming: until it is complete nothing else happens.
    private func noteLateList(_ told: inout Instant) {
        guard let since = cache.streamingSince, time.now().since(told) >= Self.listLateAfter else { return }
        told = time.now()
        log.event(
            .warning, "The list is still coming",
            [.method: "watch with initial events", .duration: "\(told.since(since))"])
    }

    /// A list over a watch that takes longer is told of, each time that it has taken so long again.
    private static let listLateAfter = Duration.seconds(10)

    private func give(event json: JSON, _ make: (VelocloudBP) -> Informer<VelocloudBP>.Event) {
        guard let resource = read(json) else {
            give(.event(.unreadable("an object without usable metadata")))
            return
        }
        give(.event(make(resource)))
    }

    private func give(_ reply: Informer<VelocloudBP>.Reply) {
        if cache.receive(reply, now: time.now()) { onSynced() }
    }

    private func fail(_ error: KubernetesError, _ verb: String) {
        if Task.isCancelled { return }
        let failure = error.informerFailure
        switch failure {
        case .invalid where cache.isStreaming:
            log.event(.debug, "The API server lists in pages only", [.method: .string(verb), .error: "\(error)"])
        case .idle where cache.isStreaming:
            log.event(.warning, "The list does not come over a watch", [.method: .string(verb), .error: "\(error)"])
        case .gone, .expired, .idle, .resourceVersionTooLarge:
            log.event(.debug, "The watch starts anew", [.method: .string(verb), .error: "\(error)"])
        default:
            log.event(.warning, "The API server cannot be read", [.method: .string(verb), .error: "\(error)"])
        }
        give(.failed(failure))
    }

    private func read(_ json: JSON) -> VelocloudBP? {
        do {
            return try VelocloudBP(json: json)
        } catch {
            log.event(.warning, "An object from the API server cannot be read", [.error: .string(error.problem)])
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
