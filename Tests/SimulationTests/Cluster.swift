import HTTPTransport
import Simulation

import enum BusinessPolicy.JSON

/// An API server to ask, at a time that only the test moves.
final class Clock: Sendable {
    private let milliseconds = Box<Int64>(1_767_225_600_250)

    var now: Int64 { milliseconds.value }

    func advance(_ by: Int64) { milliseconds.change { $0 += by } }
}

/// A value that closures of a test may change from anywhere.
final class Box<Value: Sendable>: @unchecked Sendable {
    // Sound: the value is reached with the lock held.
    private var stored: Value
    private let lock = Lock()

    init(_ value: Value) { stored = value }

    var value: Value { lock.with { stored } }

    func change(_ body: (inout Value) -> Void) { lock.with { body(&stored) } }
}

struct Cluster {
    let clock = Clock()
    let api: SimulatedAPIServer
    static let base = "/apis/vcn.cloud/v1"

    init() {
        api = SimulatedAPIServer { [clock] in clock.now }
    }

    func ask(
        _ method: String, _ target: String, _ body: String = "", headers: [HTTPHeader] = []
    ) -> SimulatedAPIServer.Answer {
        let type = HTTPHeader("Content-Type", "application/merge-patch+json")
        return api.handle(SimulatedRequest(method, target, headers: headers + [type], body: Array(body.utf8)))
    }

    func reply(_ method: String, _ target: String, _ body: String = "", headers: [HTTPHeader] = []) -> SimulatedReply {
        if case .reply(let reply) = ask(method, target, body, headers: headers) { return reply }
        return SimulatedReply(status: 0, body: Array("a stream".utf8))
    }

    func list(_ query: String = "") -> SimulatedReply {
        reply("GET", "\(Self.base)/velocloudbps\(query)")
    }

    func patch(_ name: String, _ body: String, status: Bool = false) -> SimulatedReply {
        reply("PATCH", "\(Self.base)/namespaces/default/velocloudbps/\(name)\(status ? "/status" : "")", body)
    }

    func watch(_ query: String = "") -> Watcher? {
        guard case .stream(let body) = ask("GET", "\(Self.base)/velocloudbps?watch=true\(query)") else { return nil }
        return Watcher(body)
    }

    @discardableResult
    func apply(_ name: String, namespace: String = "default", port: Int = 443) -> JSON {
        api.apply(name, namespace: namespace, spec: .text("{\"profile\":\"P\",\"dport\":\(port)}"))
    }

    func names(_ reply: SimulatedReply) -> [String] {
        reply.json["items"]?.array?.compactMap { $0[path: "metadata.name"]?.string } ?? []
    }
}

/// Reads a watch event by event.
final class Watcher: Sendable {
    private let body: HTTPBody
    private let buffer = Box<[UInt8]>([])
    private let chunksRead = Box(0)

    init(_ body: HTTPBody) { self.body = body }

    /// How many pieces the events came in.
    var chunks: Int { chunksRead.value }

    /// The next event; nil at the end.
    func next() async throws -> JSON? {
        while true {
            let bytes = buffer.value
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                buffer.change { $0.removeFirst(end + 1) }
                return try JSON.parse(Array(bytes[..<end]))
            }
            guard let chunk = try await body.next() else { return nil }
            chunksRead.change { $0 += 1 }
            buffer.change { $0 += chunk }
        }
    }

    /// The next event as `TYPE name version`.
    func line() async throws -> String? {
        guard let event = try await next() else { return nil }
        let name = event[path: "object.metadata.name"]?.string ?? "-"
        let version = event[path: "object.metadata.resourceVersion"]?.string ?? "-"
        return "\(event["type"]?.string ?? "?") \(name) \(version)"
    }
}
