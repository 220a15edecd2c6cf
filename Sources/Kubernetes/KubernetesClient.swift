import BusinessPolicy
import HTTPTransport

/// The API server: list, watch, get, patch and create of any kind, as JSON.
///
/// Each call is one request, repeated once only when the server did not know our credential (401) and its file may
/// have rotated. What to do after a failure is for the caller to decide, who has the state to decide it by.
package final class KubernetesClient: Sendable {
    /// Told of each call when it is known how it went; of a list, for each page.
    package typealias CallObserver = @Sendable (KubernetesCall) -> Void

    /// Every limit of the client.
    private enum Limit {
        /// A list without pages of a very large cluster; pages stay far below.
        static let listBytes = 512 << 20
        /// One object: etcd takes 1.5 MiB, and JSON may spell that longer.
        static let objectBytes = 32 << 20
        /// One line of a watch: an object as above, with annotations at their limit and managed fields.
        static let lineBytes = 8 << 20
        /// What is read of a reply that is no success.
        static let errorBytes = 1 << 20
        static let connect = Duration.seconds(10)
        static let request = CallLimits().whole
        /// A list may be large and the way slow; it ends all the same when nothing arrives for `request`.
        static let list = Duration.seconds(300)
    }

    /// How long one call may take, and on what it goes out.
    package struct CallLimits: Hashable, Sendable {
        package var whole: Duration
        /// A connection of its own: the shared one may be dead without anybody having noticed.
        package var usesFreshConnection: Bool

        package init(whole: Duration = .seconds(30), usesFreshConnection: Bool = false) {
            self.whole = whole
            self.usesFreshConnection = usesFreshConnection
        }
    }

    /// Under this name the server records which fields we set.
    package static let fieldManager = "velokube"

    private let server: String
    private let access: Locked<ClientCredentials>
    private let now: @Sendable () -> Int64
    private let transport: any HTTPTransport
    let onCall: CallObserver
    /// Resources repeat one another; whatever call they come by, they share their texts.
    private let strings = Locked(StringPool())

    /// A client for a cluster; `now` is a monotonic time in nanoseconds, by which credential files are looked at again.
    package init(
        configuration: ClusterConfiguration, transport: any HTTPTransport, now: @escaping @Sendable () -> Int64,
        onCall: @escaping CallObserver = { _ in }
    ) {
        self.server = configuration.server
        self.access = Locked(ClientCredentials(configuration, now: now))
        self.now = now
        self.transport = transport
        self.onCall = onCall
    }

    private var credentials: ClientCredentials { access.withLock { $0 } }

    /// From the next request on, is known and trusts as `configuration` says; the server stays the same, since another
    /// may be another cluster.
    package func follow(_ configuration: ClusterConfiguration) {
        let credentials = ClientCredentials(configuration, now: now)
        access.withLock { $0 = credentials }
    }

    /// Looks at every credential file again on the next request, however young what we have is.
    package func invalidateCredentials() {
        _ = credentials.invalidate()
    }

    /// What `body` makes of the bearer token; nil where there is none.
    package func withToken<Value>(_ body: (String) -> Value?) -> Value? {
        (try? credentials.bearerToken()).flatMap { $0 }.flatMap(body)
    }

    /// One page of a list. A nil `resourceVersion` asks for the newest state (a quorum read), "0" for any cached one.
    ///
    /// `item` makes of each resource what is kept of it, or nil, while the rest of the page is still on its way.
    package func list<Item: Sendable>(
        _ kind: ResourceKind, namespace: String?, resourceVersion: String?, limit: Int?, continueToken: String?,
        _ item: (JSON) -> Item?
    ) async throws(KubernetesError) -> ListPage<Item> {
        let query = [
            ("limit", limit.map { String($0) }), ("continue", continueToken), ("resourceVersion", resourceVersion),
        ]
        var request = HTTPRequest(.get, url: url(try kind.path(namespace: namespace), query))
        request.timeouts = timeouts(whole: Limit.list)
        request.bodyBytesMax = Limit.listBytes
        return try await counted(.list, kind.plural) { () throws(KubernetesError) in
            let body = try await success(of: request).body
            var splitter = ListSplitter()
            var items: [Item] = []
            while let chunk = try await next(of: body) {
                try splitter.append(chunk) { (bytes) throws(KubernetesError) in
                    if let item = item(try parsed(bytes)) { items.append(item) }
                }
            }
            return try ListPage(items: items, envelope: try parsed(splitter.envelope[...]))
        }
    }

    /// Starts a watch after the resource version `from`; returns when the server has accepted it.
    ///
    /// The server ends it after `timeoutSeconds`; `idle` is the longest silence before it is taken for dead. With
    /// `sendsInitialEvents` it is to begin with all objects as they are at `from` or later, up to a bookmark that ends
    /// them.
    package func watch(
        _ kind: ResourceKind, namespace: String?, from: String, sendsInitialEvents: Bool = false, timeoutSeconds: Int,
        idle: Duration
    ) async throws(KubernetesError) -> WatchStream {
        let query: [(String, String?)] = [
            ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", from),
            ("sendInitialEvents", sendsInitialEvents ? "true" : nil),
            ("resourceVersionMatch", sendsInitialEvents ? "NotOlderThan" : nil),
            ("timeoutSeconds", String(timeoutSeconds)),
        ]
        var request = HTTPRequest(.get, url: url(try kind.path(namespace: namespace), query))
        request.timeouts = timeouts(whole: nil)
        request.timeouts.idle = idle
        request.bodyBytesMax = nil
        let response = try await counted(.watch, kind.plural) { () throws(KubernetesError) in
            try await success(of: request)
        }
        return WatchStream(body: response.body, lineBytesMax: Limit.lineBytes, strings: strings)
    }

    /// One resource, as it is now.
    package func get(
        _ kind: ResourceKind, namespace: String?, name: String, limits: CallLimits = CallLimits()
    ) async throws(KubernetesError) -> JSON {
        let path = try kind.path(namespace: namespace, name: name)
        return try await counted(.get, kind.plural) { () throws(KubernetesError) in
            try await object(from: HTTPRequest(.get, url: url(path, [])), limits)
        }
    }

    /// Merges `body` into a resource or its subresource; returns the resource as it then is.
    ///
    /// A body that carries `metadata.uid` and `metadata.resourceVersion` is taken only while both still hold, else the
    /// error is a conflict: this is what makes it safe to send.
    package func patch(
        _ kind: ResourceKind, namespace: String?, name: String, subresource: String?, body: JSON,
        limits: CallLimits = CallLimits()
    ) async throws(KubernetesError) -> JSON {
        let path = try kind.path(namespace: namespace, name: name, subresource: subresource)
        let resource = ([kind.plural] + [subresource].compactMap(\.self)).joined(separator: "/")
        return try await counted(.patch, resource) { () throws(KubernetesError) in
            try await object(from: writing(.patch, path, body, type: "application/merge-patch+json"), limits)
        }
    }

    /// Makes a resource; returns it as the server made it.
    package func create(
        _ kind: ResourceKind, namespace: String?, body: JSON, limits: CallLimits = CallLimits()
    ) async throws(KubernetesError) -> JSON {
        let path = try kind.path(namespace: namespace)
        return try await counted(.create, kind.plural) { () throws(KubernetesError) in
            try await object(from: writing(.post, path, body, type: "application/json"), limits)
        }
    }
}

extension KubernetesClient {
    private func url(_ path: String, _ query: [(name: String, value: String?)]) -> String {
        let parameters = query.compactMap { name, value in value.map { "\(name)=\(percentEncoded($0))" } }
        return server + path + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }

    private func writing(_ method: HTTPRequest.Method, _ path: String, _ body: JSON, type: String) -> HTTPRequest {
        HTTPRequest(
            method, url: url(path, [("fieldManager", Self.fieldManager)]),
            headers: [HTTPHeader("Content-Type", type)], body: body.serialized())
    }

    private func timeouts(whole: Duration?) -> HTTPRequest.Timeouts {
        HTTPRequest.Timeouts(connect: Limit.connect, firstByte: Limit.request, idle: Limit.request, whole: whole)
    }

    /// The object that a call about one resource returns.
    private func object(
        from request: HTTPRequest, _ limits: CallLimits
    ) async throws(KubernetesError) -> JSON {
        var request = request
        request.timeouts = timeouts(whole: limits.whole)
        request.usesFreshConnection = limits.usesFreshConnection
        request.bodyBytesMax = Limit.objectBytes
        let json = try await answer(to: request)
        guard case .object = json["metadata"] else {
            throw .unreadable("a resource was asked for, and what came has no metadata")
        }
        return json
    }

    /// The JSON of a successful reply; throws for any other.
    private func answer(to request: HTTPRequest) async throws(KubernetesError) -> JSON {
        let body = try await success(of: request).body
        var bytes: [UInt8] = []
        while let chunk = try await next(of: body) { bytes += chunk }
        return try parsed(bytes[...])
    }

    /// The reply if it is a success; throws for any other.
    private func success(of request: HTTPRequest) async throws(KubernetesError) -> HTTPResponse {
        let response = try await exchange(request)
        guard (200..<300).contains(response.status) else {
            throw .status(APIStatus(response: response, body: try await collected(response.body)))
        }
        return response
    }

    private func next(of body: HTTPBody) async throws(KubernetesError) -> [UInt8]? {
        do throws(TransportError) {
            return try await body.next()
        } catch {
            throw .transport(error)
        }
    }

    private func parsed(_ bytes: ArraySlice<UInt8>) throws(KubernetesError) -> JSON {
        do throws(JSONError) {
            return try strings.withLock { (strings) throws(JSONError) in
                try JSON.parse(bytes, sharing: &strings, leavingOut: JSON.unusedInResources)
            }
        } catch {
            let excerpt = APIStatus.excerpt(of: Array(bytes))
            throw .unreadable("no JSON (\(error.problem) at byte \(error.offset)), it begins \"\(excerpt)\"")
        }
    }

    /// Sends the request with the credential of now, and once more at once with a fresh look at it after a 401.
    ///
    /// A 401 is given before anything is done, so a write may be sent again as well.
    private func exchange(_ request: HTTPRequest) async throws(KubernetesError) -> HTTPResponse {
        let response = try await send(request)
        guard response.status == 401, credentials.invalidate() else { return response }
        // Read to its end, so that the connection can be used for the second try.
        _ = try await collected(response.body)
        return try await send(request)
    }

    private func send(_ request: HTTPRequest) async throws(KubernetesError) -> HTTPResponse {
        var request = request
        // Uncompressed: the way to the API server is short, and to pack a long list takes it longer than to make it.
        request.headers += [
            HTTPHeader("Accept", "application/json"), HTTPHeader("Accept-Encoding", "identity"),
            HTTPHeader("User-Agent", Self.fieldManager),
        ]
        try credentials.apply(to: &request)
        do throws(TransportError) {
            return try await transport.send(request)
        } catch {
            throw .transport(error)
        }
    }

    /// The beginning of a reply that is no success; the transport's own limit is made for the good ones.
    ///
    /// One that breaks off gives what came: the status code in its head already says more than the break.
    private func collected(_ body: HTTPBody) async throws(KubernetesError) -> [UInt8] {
        var bytes: [UInt8] = []
        do throws(TransportError) {
            while bytes.count < Limit.errorBytes, let chunk = try await body.next() {
                bytes += chunk
            }
        } catch {
            if case .cancelled = error {
                throw .transport(error)
            }
        }
        return bytes
    }
}

extension JSON {
    /// What takes up more than half of a resource and is never looked at.
    fileprivate static let unusedInResources = [
        ["metadata", "managedFields"], ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
    ]

    /// The same, where the resource is the object of an event.
    static let unusedInEvents = unusedInResources.map { ["object"] + $0 }
}
