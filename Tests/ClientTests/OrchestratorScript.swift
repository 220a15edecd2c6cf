import BusinessPolicy
import Glibc
import HTTPTransport
import Testing

@testable import Orchestrator

/// A transport that answers from a function and keeps what it was asked.
final class ScriptedTransport: HTTPTransport, Sendable {
    typealias Handler = @Sendable (HTTPRequest) async throws(TransportError) -> HTTPResponse

    private let handler: Handler
    private let seen = Locked<[HTTPRequest]>([])

    init(_ handler: @escaping Handler) {
        self.handler = handler
    }

    /// Answers one step after the other; a call too many fails the test.
    convenience init(_ steps: Step...) {
        let rest = Locked(steps)
        self.init { (_) async throws(TransportError) in
            let step = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let step else {
                Issue.record("one call more than the script has")
                throw .connect("end of script")
            }
            return try step.response()
        }
    }

    var requests: [HTTPRequest] {
        seen.withLock { $0 }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        seen.withLock { $0.append(request) }
        return try await handler(request)
    }
}

/// One scripted answer.
enum Step: Sendable {
    case reply(Int, String, headers: [HTTPHeader] = [])
    /// The head arrives, then the body breaks off.
    case torn(Int, TransportError)
    case failure(TransportError)

    func response() throws(TransportError) -> HTTPResponse {
        switch self {
        case .reply(let status, let body, let headers):
            let rest = Locked(Array(body.utf8))
            let answer = HTTPBody { () async throws(TransportError) in
                rest.withLock { bytes in
                    // Small chunks, so that nobody relies on a body in one piece.
                    defer { bytes.removeFirst(min(7, bytes.count)) }
                    return bytes.isEmpty ? nil : Array(bytes.prefix(7))
                }
            }
            return HTTPResponse(status: status, headers: headers, body: answer)
        case .torn(let status, let error):
            return HTTPResponse(status: status, body: HTTPBody { () async throws(TransportError) in throw error })
        case .failure(let error):
            throw error
        }
    }
}

/// The token of every test here; no message may ever show it.
let testToken = "eyJhbGciOi.secret-token.0123456789"

func client(
    _ transport: ScriptedTransport, enterpriseID: String? = nil, url: String = "https://vco.example.net",
    now: @escaping @Sendable () -> Int64 = { 0 },
    onCall: @escaping OrchestratorClient.CallObserver = { _, _, _ in }
) throws -> OrchestratorClient {
    let configuration = try OrchestratorConfiguration.resolve(
        url: url, tokenFile: nil, token: testToken, caFile: nil, enterpriseID: enterpriseID,
        allowsInsecureHTTP: false)
    return OrchestratorClient(configuration: configuration, transport: transport, now: now, onCall: onCall)
}

/// A file of the tests' fixtures.
func resource(_ name: String) throws -> [UInt8] {
    let folder = "\(#filePath)".split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    return try fileContent(folder + "/Fixtures/" + name)
}

func resourceText(_ name: String) throws -> String {
    String(decoding: try resource(name), as: UTF8.self)
}

private func fileContent(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"), "\(path) cannot be opened")
    defer { fclose(file) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
        content += chunk[..<count]
    }
    return content
}

/// A file in a folder of its own, removed with the value.
final class TemporaryFile: Sendable {
    let path: String

    init(_ content: String) throws {
        var template = Array("/tmp/orchestrator-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        close(descriptor)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try write(content)
    }

    deinit {
        unlink(path)
    }

    func write(_ content: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        fputs(content, file)
    }

    func remove() {
        unlink(path)
    }
}
