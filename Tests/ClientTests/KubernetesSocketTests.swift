import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Kubernetes
import Testing

/// The client over libcurl, against a server on a real socket.
@Suite struct KubernetesSocketTests {
    private func client(_ server: TransportServer) throws -> KubernetesClient {
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: server.url(""), kubeconfig: nil, context: nil, environment: [:])
        return KubernetesClient(
            configuration: configuration, transport: CurlTransport(userAgent: "other"), now: { 0 })
    }

    private static func chunk(_ text: String) -> String {
        String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n"
    }

    /// A patch arrives as one request with its length, its type and our name.
    @Test func patchOnTheWire() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil {
                connection.reply(body: Array(#"{"metadata":{"resourceVersion":"2"}}"#.utf8))
            }
        }
        let patched = try await client(server).patch(
            .velocloudBP, namespace: "shop", name: "pay", subresource: "status", body: .object([]))
        #expect(patched["metadata"]?["resourceVersion"]?.string == "2")
        let seen = try #require(server.log.requests.first)
        #expect(seen.method == "PATCH")
        #expect(
            seen.path == "/apis/vcn.cloud/v1/namespaces/shop/velocloudbps/pay/status?fieldManager=velokube")
        #expect(seen.header("content-type") == "application/merge-patch+json")
        #expect(seen.header("accept") == "application/json")
        #expect(seen.header("user-agent") == "velokube")
        #expect(seen.header("content-length") == "2")
        #expect(seen.body == Array("{}".utf8))
        #expect(server.log.requests.count == 1)
    }

    /// Events come as soon as they are sent, while the stream is still open; the server's end is a normal end.
    @Test func watchOnTheWire() async throws {
        let go = TransportBox(0)
        let server = TransportServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in 1...3 {
                let line = #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"\#(number)"}}}"# + "\n"
                let half = line.index(line.startIndex, offsetBy: 20)
                connection.send(Self.chunk(String(line[..<half])))
                connection.send(Self.chunk(String(line[half...])))
                // The next one is sent only when this one has been read.
                go.blockUntil { $0 >= number }
            }
            connection.send("0\r\n\r\n")
        }
        let stream = try await client(server).watch(
            .velocloudBP, namespace: nil, from: "0", timeoutSeconds: 300, idle: .seconds(60))
        for number in 1...3 {
            #expect(try await stream.next() == .bookmark(resourceVersion: String(number)))
            go.change { $0 = number }
        }
        #expect(try await stream.next() == nil)
    }

    /// A server that falls silent ends the watch with the timeout that the informer resumes from (R15).
    @Test func silentWatch() async throws {
        let server = TransportServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.awaitClose()
        }
        let stream = try await client(server).watch(
            .velocloudBP, namespace: nil, from: "0", timeoutSeconds: 300, idle: .milliseconds(300))
        let failure = await kubernetesFailure { () async throws(KubernetesError) in try await stream.next() }
        guard case .transport(.timeout) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    /// A bookmark is a sign of life: silence counts from the last one, however long the watch has been open.
    @Test func bookmarksKeepAQuietWatchAlive() async throws {
        let server = TransportServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in 1...5 {
                usleep(200_000)  // Time itself is what is tested.
                connection.send(Self.chunk(Self.bookmark(number)))
            }
            connection.awaitClose()
        }
        let stream = try await client(server).watch(
            .velocloudBP, namespace: nil, from: "0", timeoutSeconds: 300, idle: .milliseconds(700))
        for number in 1...5 {
            #expect(try await stream.next() == .bookmark(resourceVersion: String(number)))
        }
        let failure = await kubernetesFailure { () async throws(KubernetesError) in try await stream.next() }
        guard case .transport(.timeout) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    private static func bookmark(_ version: Int, annotations: String = "{}") -> String {
        #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"\#(version)","annotations":\#(annotations)}}}"#
            + "\n"
    }

    /// An object as the informer needs it.
    private struct Named: InformerObject {
        var key: String
        var uid: String { key }
        var resourceVersion: String

        init(_ json: JSON) {
            key = json["metadata"]?["name"]?.string ?? ""
            resourceVersion = json["metadata"]?["resourceVersion"]?.string ?? ""
        }
    }

    /// What a watch brings, and why it ended if not in good order.
    private static func read(_ stream: WatchStream) async -> (events: [WatchEvent], failure: KubernetesError?) {
        var events: [WatchEvent] = []
        do throws(KubernetesError) {
            while let event = try await stream.next() { events.append(event) }
        } catch {
            return (events, error)
        }
        return (events, nil)
    }

    private static func informed(_ event: WatchEvent) -> Informer<Named>.Event? {
        switch event {
        case .added(let json): .added(Named(json))
        case .modified(let json): .modified(Named(json))
        case .deleted(let json): .deleted(Named(json))
        case .bookmark(let version, let isEnd): .bookmark(resourceVersion: version, endsInitialEvents: isEnd)
        case .error, .unreadable: nil
        }
    }

    /// A connection that dies under a watch: after the silence the informer goes on from the last bookmark, without a
    /// list, and takes in what happened meanwhile.
    @Test func stalledWatchGoesOnFromTheLastBookmark() async throws {
        let server = TransportServer { connection in
            guard let request = connection.request() else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if request.path.contains("sendInitialEvents=true") {
                let object = #"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"5"}}}"# + "\n"
                let end = Self.bookmark(7, annotations: #"{"k8s.io/initial-events-end":"true"}"#)
                connection.send(Self.chunk(object + end + Self.bookmark(9)))
                connection.awaitClose()
            } else {
                let object = #"{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}"# + "\n"
                connection.send(Self.chunk(object) + "0\r\n\r\n")
            }
        }
        let client = try client(server)
        var informer = Informer<Named>(random: SeededRandom(seed: 1), index: { _ in [] })
        for second in 0..<2 as Range<Int64> {
            let now = Instant(nanoseconds: second * 1_000_000_000)
            guard case .watch(let request) = informer.next(now: now) else {
                Issue.record("no watch is asked for")
                return
            }
            let stream = try await client.watch(
                .velocloudBP, namespace: nil, from: request.from, sendsInitialEvents: request.sendsInitialEvents,
                timeoutSeconds: request.timeoutSeconds, idle: .milliseconds(300))
            let (events, failure) = await Self.read(stream)
            for event in events.compactMap(Self.informed) { _ = informer.receive(.event(event), now: now) }
            guard let failure else { continue }
            guard case .transport(.timeout) = failure else { throw failure }
            _ = informer.receive(.failed(.idle), now: now)
        }
        #expect(informer.snapshot?.map(\.resourceVersion) == ["11"] && informer.resourceVersion == "11")
        let paths = server.log.requests.map(\.path)
        #expect(paths.count == 2 && paths.allSatisfy { $0.contains("watch=true") }, "no list: \(paths)")
        #expect(paths.last?.contains("resourceVersion=9&") == true, "\(paths)")
    }

    /// Letting go of a watch ends its transfer, so that a relist leaves no stream behind.
    @Test func droppedWatch() async throws {
        let closed = TransportBox(false)
        let server = TransportServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.awaitClose()
            closed.change { $0 = true }
        }
        let client = try client(server)
        do {
            _ = try await client.watch(
                .velocloudBP, namespace: nil, from: "0", timeoutSeconds: 300, idle: .seconds(60))
        }
        await closed.until { $0 }
    }

    /// Nobody there is a connect error, by which the caller knows that nothing was done.
    @Test func nobodyThere() async throws {
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: "http://127.0.0.1:1", kubeconfig: nil, context: nil, environment: [:])
        let client = KubernetesClient(
            configuration: configuration, transport: CurlTransport(userAgent: "other"), now: { 0 })
        let failure = await kubernetesFailure { () async throws(KubernetesError) in
            try await client.get(.velocloudBP, namespace: "shop", name: "pay")
        }
        guard case .transport(.connect) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }
}
