import CCurl
import Glibc

/// HTTP over libcurl: one thread for all transfers, connections kept and shared between them.
///
/// libcurl, because it is on every machine, builds in seconds, and speaks TLS with private authorities and HTTP/2.
package final class CurlTransport: HTTPTransport, Sendable {
    /// How many bytes of a body are kept for a slow reader before the transfer is paused.
    package static let bufferBytesMax = 256 << 10
    /// Connections kept at most, and open to one host at most: more requests wait for a free one. An HTTP/2 connection
    /// carries a hundred; when a burst is larger, libcurl opens one for each of the others, and this is what stops it.
    private static let connectionsMax = 256
    private static let hostConnectionsMax = 64

    private let mailbox: CurlMailbox
    private let thread: Locked<LoopThread?>

    /// Takes its proxies from the environment as it is now.
    package convenience init(userAgent: String) {
        self.init(userAgent: userAgent, proxies: .process)
    }

    /// With the proxies of somebody else's choice, which is for tests.
    package init(userAgent: String, proxies: ProxyVariables) {
        Self.prepareProcess()
        guard let multi = curl_multi_init() else { preconditionFailure("out of memory") }
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.connectionsMax)
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Self.hostConnectionsMax)
        mailbox = CurlMailbox(multi: multi)
        let loop = CurlLoop(multi: multi, mailbox: mailbox, userAgent: userAgent, proxies: proxies)
        thread = Locked(LoopThread(running: loop))
    }

    deinit {
        shutDown()
    }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let exchange = Exchange(mailbox: mailbox, bufferMax: Self.bufferBytesMax)
        let head = try await exchange.head(of: request).get()
        let reader = CurlBodyReader(exchange: exchange, transport: self)
        let body = HTTPBody { () async throws(TransportError) -> [UInt8]? in
            try await reader.exchange.next().get()
        }
        return HTTPResponse(status: head.status, headers: head.headers, body: body)
    }

    /// Ends all transfers as cancelled and joins the thread; requests after that are refused. Calling it again does
    /// nothing.
    package func shutDown() {
        guard mailbox.close() else { return }
        let thread = thread.withLock { thread in
            let taken = thread
            thread = nil
            return taken
        }
        thread?.join()
    }

    /// What concerns the whole process, once: libcurl's own set-up, and that a closed peer is an error, not a signal.
    private static func prepareProcess() {
        _ = isProcessPrepared
    }

    private static let isProcessPrepared: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
    }()
}

/// Held by the copies of a body: when the last one goes, the transfer ends.
private final class CurlBodyReader: Sendable {
    let exchange: Exchange
    /// A reply being read keeps the transport alive.
    private let transport: CurlTransport

    init(exchange: Exchange, transport: CurlTransport) {
        self.exchange = exchange
        self.transport = transport
    }

    deinit {
        exchange.cancel()
    }
}

/// The thread that runs a loop.
private struct LoopThread: Sendable {
    private let id: pthread_t

    /// Gives the loop to a new thread; nobody else keeps it.
    init(running loop: CurlLoop) {
        let context = Unmanaged.passRetained(loop).toOpaque()
        var id = pthread_t()
        let code = pthread_create(
            &id, nil,
            { context in
                guard let context else { preconditionFailure("the thread is given its loop") }
                Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "a thread can be made at start-up")
        self.id = id
    }

    /// Waits for the thread's end; on the thread itself it only lets go.
    func join() {
        if pthread_equal(id, pthread_self()) != 0 {
            pthread_detach(id)
        } else {
            pthread_join(id, nil)
        }
    }
}
