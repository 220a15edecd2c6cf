import BusinessPolicy
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
