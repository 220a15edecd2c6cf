import HTTPTransport
import Logging
import NIOCore
import NIOPosix
import Operator
import Orchestrator
import ServiceLifecycle
import Testing

@Suite struct HealthServerTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Serves on a free port while the body runs, then shuts down gracefully.
    private func serving(
        at host: String? = "127.0.0.1", health: [HealthCheck] = [.ping], readiness: [HealthCheck] = [.ping],
        logger: Logger = silent,
        _ body: @escaping @Sendable (ListenAddress) async throws -> Void
    ) async throws {
        let (addresses, address) = AsyncStream<ListenAddress>.makeStream()
        let server = HealthServer(
            address: ListenAddress(host: host, port: 0), logger: logger, health: health, readiness: readiness,
            metrics: { "velokube_leader 1\n" }, onListening: { address.yield($0) })
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: server)], logger: Self.silent))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await bound in addresses {
                try await body(bound)
                break
            }
            await group.triggerGracefulShutdown()
            // Ends without an error, or the test fails.
            try await tasks.waitForAll()
        }
    }

    /// The whole reply to a request, read until the server closes.
    private func reply(_ path: String, _ method: String = "GET", at address: ListenAddress) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: address.host ?? "127.0.0.1", port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let head = "\(method) \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
            try await outbound.write(ByteBuffer(string: head))
            var text = ""
            for try await chunk in inbound { text += String(buffer: chunk) }
            return text
        }
    }

    // A healthy process says so; what is not a probe is not found; the metrics have their own content type.
    @Test func healthy() async throws {
        try await serving { address in
            #expect(address.host == "127.0.0.1" && address.port > 0)
            for path in ["/healthz", "/readyz"] {
                let text = try await reply(path, at: address)
                #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("\r\n\r\nok\n"))
            }
            let metrics = try await reply("/metrics", at: address)
            #expect(metrics.hasPrefix("HTTP/1.1 200 ") && metrics.hasSuffix("\r\n\r\nvelokube_leader 1\n"))
            #expect(metrics.lowercased().contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            for path in ["/", "/healthz/x", "/metrics2", "/portal/rest"] {
                #expect(try await reply(path, at: address).hasPrefix("HTTP/1.1 404 "))
            }
            #expect(try await reply("/healthz", "POST", at: address).hasPrefix("HTTP/1.1 404 "))
            #expect(try await reply("/healthz", "HEAD", at: address).hasPrefix("HTTP/1.1 200 "))
        }
    }

    // A failing check answers with its own status and words, and follows the check as it changes.
    @Test func failing() async throws {
        let readiness = Locked<String?>("the cache is not synced: the CRD velocloudbps.vcn.cloud is missing")
        let stuck = HealthCheck("loop") { "the loop is stuck" }
        let check = HealthCheck("informer-sync") { readiness.withLock { $0 } }
        try await serving(health: [.ping, stuck], readiness: [.ping, check]) { address in
            let health = try await reply("/healthz", at: address)
            #expect(health.hasPrefix("HTTP/1.1 500 ") && health.contains("the loop is stuck\n"))
            let ready = try await reply("/readyz", at: address)
            #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("CRD velocloudbps.vcn.cloud is missing"))
            readiness.withLock { $0 = nil }
            #expect(try await reply("/readyz", at: address).hasPrefix("HTTP/1.1 200 "))
        }
    }

    /// What follows the head of a reply.
    private func body(_ reply: String) -> String {
        reply.firstRange(of: "\r\n\r\n").map { String(reply[$0.upperBound...]) } ?? ""
    }

    // Each check has a path of its own, which tells of it alone; a check that is not there is not found.
    @Test func checksHavePathsOfTheirOwn() async throws {
        let check = HealthCheck("informer-sync") { "the first list is not complete" }
        try await serving(readiness: [.ping, check]) { address in
            #expect(try await reply("/healthz/ping", at: address).hasPrefix("HTTP/1.1 200 "))
            #expect(try await reply("/readyz/ping", at: address).hasPrefix("HTTP/1.1 200 "))
            let sync = try await reply("/readyz/informer-sync", at: address)
            #expect(sync.hasPrefix("HTTP/1.1 503 ") && body(sync) == "the first list is not complete\n")
            for path in ["/readyz/nope", "/healthz/informer-sync", "/readyz/ping/x"] {
                #expect(try await reply(path, at: address).hasPrefix("HTTP/1.1 404 "), "\(path)")
            }
        }
    }

    // Verbose shows every check, also when all is well; without it a failure shows them all, and success is one word.
    @Test func verboseShowsEveryCheck() async throws {
        let problem = Locked<String?>(nil)
        let check = HealthCheck("informer-sync") { problem.withLock { $0 } }
        try await serving(readiness: [.ping, check]) { address in
            #expect(body(try await reply("/readyz", at: address)) == "ok\n")
            for path in ["/readyz?verbose", "/readyz?verbose=true"] {
                let text = body(try await reply(path, at: address))
                #expect(text == "[+]ping ok\n[+]informer-sync ok\nreadyz check passed\n", "\(path)")
            }
            problem.withLock { $0 = "no list" }
            for path in ["/readyz", "/readyz?verbose"] {
                let reply = try await reply(path, at: address)
                #expect(reply.hasPrefix("HTTP/1.1 503 "), "\(path)")
                #expect(body(reply) == "[+]ping ok\n[-]informer-sync failed: no list\nreadyz check failed\n")
            }
        }
    }

    // A check that is left out does not count; a name of no check is pointed out and changes nothing.
    @Test func excludedChecksDoNotCount() async throws {
        let check = HealthCheck("informer-sync") { "no list" }
        try await serving(readiness: [.ping, check]) { address in
            #expect(body(try await reply("/readyz?exclude=informer-sync", at: address)) == "ok\n")
            let text = body(try await reply("/readyz?verbose&exclude=informer-sync&exclude=etcd", at: address))
            #expect(
                text == "[+]ping ok\n[+]informer-sync excluded: ok\n"
                    + "warn: \"etcd\" cannot be excluded: there is no such check\nreadyz check passed\n")
            #expect(try await reply("/readyz?exclude=etcd", at: address).hasPrefix("HTTP/1.1 503 "))
        }
    }

    // The picked port is logged, so that a script can find it.
    @Test func thePortIsLogged() async throws {
        let sink = Locked<[String]>([])
        let logger = Logger(label: "test") { _ in
            LineLogHandler(format: .text, level: LogLevel(.info), now: { 0 }) { line in
                sink.withLock { $0.append(line) }
            }
        }
        let port = Locked(0)
        try await serving(logger: logger) { address in port.withLock { $0 = address.port } }
        let expected = "1970-01-01T00:00:00.000Z info listening address=127.0.0.1:\(port.withLock { $0 })"
        #expect(sink.withLock { $0 } == [expected])
    }

    // Without a host it is reachable by IPv4, whether or not the machine has IPv6.
    @Test func everyInterface() async throws {
        try await serving(at: nil) { address in
            #expect(address.host == nil)
            let local = ListenAddress(host: "127.0.0.1", port: address.port)
            let text = try await reply("/healthz", at: local)
            #expect(text.hasPrefix("HTTP/1.1 200 "))
        }
    }

    // A port that is taken ends the service with words that name the flag.
    @Test func aTakenPort() async throws {
        try await serving { taken in
            let second = HealthServer(
                address: taken, logger: Self.silent, health: [], readiness: [], metrics: { "" })
            let error = await #expect(throws: HealthServer.ListenError.self) { try await second.run() }
            #expect(error.map { "\($0)" }?.hasPrefix("--listen \(taken): cannot listen there: ") == true)
        }
    }

    // Addresses are read and written in the same form.
    @Test(arguments: [":8080", "127.0.0.1:0", "[::1]:8080", "localhost:65535", "[fe80::1%eth0]:1"])
    func addressesRoundTrip(text: String) {
        #expect(ListenAddress(text)?.description == text)
    }
}
