import HTTPTransport

/// Both simulated servers behind the operator's own network seam, chosen by the host of the URL.
///
/// Nothing waits: a fault's latency goes to the `sleep` it was given, so that a test's clock can be turned by hand.
package final class SimulatedTransport: HTTPTransport, Sendable {
    package let orchestrator: OrchestratorSimulator
    package let apiServer: SimulatedAPIServer
    private let hosts: Hosts
    private let wallMilliseconds: @Sendable () -> Int64
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state = Locked(State())

    /// Which host is which server; any port will do. Other hosts cannot be reached.
    package struct Hosts: Sendable {
        package var orchestrator = "vco.example.test"
        package var apiServer = "kubernetes.example.test"

        package init() {}
    }

    /// What the network does to one request.
    package enum Fault: Hashable, Sendable {
        /// No connection.
        case connect
        /// The TLS handshake fails.
        case security
        /// The connection breaks, and the server never saw the request.
        case brokenBefore
        /// The connection breaks after the server did its work.
        case brokenAfter
        /// No answer in time, and the server never saw the request.
        case timeoutBefore
        /// No answer in time, after the server did its work.
        case timeoutAfter
        /// The answer takes that long, and then is what it is.
        case latency(Duration)
        /// Somebody on the way answers in the server's place.
        case reply(SimulatedReply)
    }

    private struct State: Sendable {
        var onRequest: (@Sendable (HTTPRequest) -> Fault?)?
        var afterEffect: (@Sendable (HTTPRequest) -> Void)?
        var requests: [Request] = []
    }

    /// A request as it was sent, without its body and headers.
    package struct Request: Hashable, Sendable {
        package var method: String
        package var url: String
        package var usesFreshConnection: Bool
    }

    package init(
        orchestrator: OrchestratorSimulator, apiServer: SimulatedAPIServer, hosts: Hosts = Hosts(),
        wallMilliseconds: @escaping @Sendable () -> Int64,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in }
    ) {
        self.orchestrator = orchestrator
        self.apiServer = apiServer
        self.hosts = hosts
        self.wallMilliseconds = wallMilliseconds
        self.sleep = sleep
    }

    /// Called before a request has its effect; what it returns befalls the request. The world may be changed in it.
    package func onRequest(_ hook: (@Sendable (HTTPRequest) -> Fault?)?) {
        state.withLock { $0.onRequest = hook }
    }

    /// Called when a request has had its effect and its answer is still on the way.
    package func afterEffect(_ hook: (@Sendable (HTTPRequest) -> Void)?) {
        state.withLock { $0.afterEffect = hook }
    }

    /// Every request so far, in order.
    package var requests: [Request] {
        state.withLock { $0.requests }
    }

    package func clearRequests() {
        state.withLock { $0.requests = [] }
    }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard !Task.isCancelled else { throw .cancelled }
        let hook = state.withLock { state in
            state.requests.append(
                Request(
                    method: request.method.rawValue, url: request.url,
                    usesFreshConnection: request.usesFreshConnection))
            return state.onRequest
        }
        let fault = hook?(request)
        switch fault {
        case .connect: throw .connect("connection refused")
        case .security: throw .security("the certificate is not trusted")
        case .brokenBefore: throw .broken("connection reset by peer")
        case .timeoutBefore: throw .timeout("no first byte in time")
        case .latency(let duration): try await wait(duration)
        case .reply(let reply): return try Self.response(reply, to: request)
        case nil, .brokenAfter, .timeoutAfter: break
        }
        let response = try await route(request)
        state.withLock { $0.afterEffect }?(request)
        switch fault {
        case .brokenAfter: throw .broken("connection reset by peer")
        case .timeoutAfter: throw .timeout("no first byte in time")
        case nil, .connect, .security, .brokenBefore, .timeoutBefore, .latency, .reply: return response
        }
    }

    private func wait(_ duration: Duration) async throws(TransportError) {
        guard duration > .zero else { return }
        do {
            try await sleep(duration)
        } catch {
            throw .cancelled
        }
    }

    private func route(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard let (host, target) = Self.parts(of: request.url) else { throw .request("not an absolute URL") }
        let simulated = SimulatedRequest(
            request.method.rawValue, target, headers: request.headers, body: request.body ?? [])
        if host == hosts.apiServer {
            switch apiServer.handle(simulated) {
            case .reply(let reply): return try Self.response(reply, to: request)
            case .stream(let body):
                return HTTPResponse(status: 200, headers: [HTTPHeader("Content-Type", "application/json")], body: body)
            }
        }
        guard host == hosts.orchestrator else { throw .connect("could not resolve host \(host)") }
        let ticket = orchestrator.begin(simulated, now: wallMilliseconds())
        do throws(TransportError) {
            try await wait(ticket.latency)
        } catch {
            // The caller has gone; the server does its work all the same.
            _ = orchestrator.finish(ticket, now: wallMilliseconds())
            throw error
        }
        switch orchestrator.finish(ticket, now: wallMilliseconds()) {
        case .reply(let reply): return try Self.response(reply, to: request)
        case .drop: throw .broken("empty reply from server")
        }
    }

    private static func response(
        _ reply: SimulatedReply, to request: HTTPRequest
    ) throws(TransportError) -> HTTPResponse {
        if let limit = request.bodyBytesMax, reply.body.count > limit { throw .bodyTooLarge(limit: limit) }
        let rest = Locked(reply.body.isEmpty ? nil : Optional(reply.body))
        let body = HTTPBody { () async throws(TransportError) in
            rest.withLock { rest in
                defer { rest = nil }
                return rest
            }
        }
        return HTTPResponse(status: reply.status, headers: reply.headers, body: body)
    }

    /// Host without port, and path with query.
    private static func parts(of url: String) -> (host: String, target: String)? {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest.dropFirst(authority.count)
        let host = authority.split(separator: "@").last?.prefix { $0 != ":" } ?? ""
        return (String(host), target.isEmpty ? "/" : String(target))
    }
}
