import ArgumentParser
import BusinessPolicy
import HTTPTransport
import Kubernetes

/// `velokube-bench decode`
struct DecodeEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Decodes the events of a watch from memory, through the client.")

    private static let count = 10_000
    private static let chunkBytes = 64 << 10

    func run() async throws {
        let lines = (0..<Self.count).map { Resources.event($0) + [UInt8(ascii: "\n")] }
        let text = Array(lines.joined())
        let chunks = stride(from: 0, to: text.count, by: Self.chunkBytes).map {
            Array(text[$0..<min($0 + Self.chunkBytes, text.count)])
        }
        var decoded = 0
        let taken = try await best(of: 5) {
            decoded = 0
            let stream = try await client(chunks).watch(
                .velocloudBP, namespace: nil, from: "1", timeoutSeconds: 300, idle: .seconds(30))
            while let event = try await stream.next() {
                guard case .modified(let json) = event else { throw Unfit("not a change: \(event)") }
                _ = try VelocloudBP(json: json)
                decoded += 1
            }
        }
        row("watch events of \(text.count / Self.count) bytes decoded", Double(decoded) / taken, "a second")
        row("watch bytes decoded", Double(text.count) / taken / 1e6, "MB a second")
    }

    private func client(_ chunks: [[UInt8]]) throws -> KubernetesClient {
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: "http://127.0.0.1", kubeconfig: nil, context: nil, environment: [:])
        return KubernetesClient(configuration: configuration, transport: Replay(chunks: chunks), now: { 0 })
    }
}

/// Answers every request with the same bytes.
private struct Replay: HTTPTransport {
    let chunks: [[UInt8]]

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let rest = Locked(chunks[...])
        return HTTPResponse(status: 200, body: HTTPBody { rest.withLock { $0.popFirst() } })
    }
}
