import FoundationEssentials
import Glibc
import HTTPTransport
import Kubernetes
import Synchronization
import Testing

/// A server that answers by a list of functions, one a request, and keeps what it was asked.
actor KubernetesScript: HTTPTransport {
    typealias Answer = @Sendable (HTTPRequest) -> Result<HTTPResponse, TransportError>

    private(set) var requests: [HTTPRequest] = []
    private var answers: [Answer]

    init(_ answers: Answer...) {
        self.answers = answers
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        requests.append(request)
        guard !answers.isEmpty else { throw .connect("the script has ended") }
        return try answers.removeFirst()(request).get()
    }

    /// The header of the last request.
    func lastHeader(_ name: String) -> String? {
        requests.last?.headers.first { $0.name == name }?.value
    }

    /// Always the same reply.
    static func reply(_ text: String) -> Answer {
        reply(200, text)
    }

    static func reply(_ status: Int, _ text: String, headers: [HTTPHeader] = []) -> Answer {
        { _ in .success(response(status, chunks: [Array(text.utf8)], headers: headers)) }
    }

    static func response(
        _ status: Int = 200, chunks: [[UInt8]], headers: [HTTPHeader] = [], then ending: TransportError? = nil
    ) -> HTTPResponse {
        let source = Chunks(chunks.filter { !$0.isEmpty }, ending)
        return HTTPResponse(
            status: status, headers: headers,
            body: HTTPBody { () async throws(TransportError) -> [UInt8]? in try await source.next() })
    }

    private actor Chunks {
        private var chunks: ArraySlice<[UInt8]>
        private let ending: TransportError?

        init(_ chunks: [[UInt8]], _ ending: TransportError?) {
            self.chunks = chunks[...]
            self.ending = ending
        }

        func next() throws(TransportError) -> [UInt8]? {
            if let chunk = chunks.popFirst() {
                return chunk
            }
            if let ending {
                throw ending
            }
            return nil
        }
    }
}

/// A folder for one test, gone with it.
final class KubernetesFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/velokube-kubernetes-XXXXXX".utf8CString)
        let made = try template.withUnsafeMutableBufferPointer { mkdtemp(try #require($0.baseAddress)) }
        path = String(cString: try #require(made))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, making the folders above it, and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) -> String {
        writeBytes(name, Array(text.utf8))
    }

    @discardableResult
    func writeBytes(_ name: String, _ bytes: [UInt8]) -> String {
        let file = path + "/" + name
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
        // A new file under the same name, as the kubelet's symlinks make it look.
        unlink(file)
        guard let stream = fopen(file, "w") else { return file }
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
        return file
    }

    func remove(_ name: String) {
        unlink(path + "/" + name)
    }
}

/// A clock that stands still until it is moved.
final class KubernetesClock: Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000_000)

    func advance(seconds: Int64) {
        nanoseconds.add(seconds * 1_000_000_000, ordering: .relaxed)
    }

    var read: @Sendable () -> Int64 {
        { [self] in nanoseconds.load(ordering: .relaxed) }
    }
}

/// A client of `https://api.example:6443` without credentials.
func plainClient(_ script: KubernetesScript) throws -> KubernetesClient {
    let configuration = try ClusterConfiguration.resolve(
        kubeURL: "https://api.example:6443", kubeconfig: nil, context: nil, environment: [:])
    return KubernetesClient(configuration: configuration, transport: script, now: { 0 })
}

/// What a call that must fail failed with.
func kubernetesFailure<Value>(
    of call: () async throws(KubernetesError) -> Value
) async -> KubernetesError? {
    do throws(KubernetesError) {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}
