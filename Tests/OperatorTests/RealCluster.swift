import BusinessPolicy
import Dispatch
import Glibc
import HTTPTransport
import Operator
import Testing

/// The real network, which tells of every answered request.
final class WireTransport: HTTPTransport {
    private let curl = CurlTransport(userAgent: "velokube-tests")
    private let onAnswer: @Sendable () -> Void

    init(onAnswer: @escaping @Sendable () -> Void) {
        self.onAnswer = onAnswer
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let response = try await curl.send(request)
        onAnswer()
        return response
    }
}

/// A real API server, and a namespace of it that one test has to itself.
///
/// `scripts/with-control-plane` starts the server and says where it is; there is no skipping where it is not.
final class RealCluster: Sendable {
    let kubeconfig: String
    let namespace: String
    private let kubectlPath: String

    struct Unavailable: Error, CustomStringConvertible {
        let description = """
            no API server: run these tests as `scripts/with-control-plane swift test`, which finds one in \
            $KUBEBUILDER_ASSETS or makes one (scripts/control-plane says how)
            """
    }

    struct KubectlFailed: Error {
        var arguments: String
        var output: String
    }

    /// On the server that `scripts/with-control-plane` has started, or on that of another kubeconfig.
    init(kubeconfig: String? = nil, namespace: String) async throws {
        guard let path = kubeconfig ?? getenv("VELOKUBE_TEST_KUBECONFIG").map({ String(cString: $0) }),
            let program = getenv("KUBECTL")
        else { throw Unavailable() }
        self.kubeconfig = path
        self.kubectlPath = String(cString: program)
        self.namespace = namespace
        try await aside {
            // Two at once would both find that a kind is not there yet, and one of them be told that it is.
            _ = try Self.applying.withLock { _ in try self.run("apply -k \(Self.root)/manifests/crd") }
        }
        try await kubectl("wait --for=condition=Established crd/velocloudbps.vcn.cloud --timeout=30s")
        try await kubectl("create namespace \(namespace)")
    }

    private static let applying = Locked(())

    static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// Runs kubectl as the cluster's administrator; what it printed, errors included.
    @discardableResult
    func kubectl(_ arguments: String, input: String = "") async throws -> String {
        try await aside { try self.run(arguments, input: input) }
    }

    /// On a thread of its own: who waits for a program on the shared ones holds up every other test.
    private func aside<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "kubectl").async { continuation.resume(with: Result { try work() }) }
        }
    }

    private func run(_ arguments: String, input: String = "") throws -> String {
        var template = Array("/tmp/velokube-input.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let bytes = Array(input.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            written += count
        }
        close(descriptor)
        let command = "'\(kubectlPath)' --kubeconfig '\(kubeconfig)' \(arguments) <'\(path)' 2>&1"
        let pipe = try #require(popen(command, "r"))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer[..<count]
        }
        let text = String(decoding: output, as: UTF8.self)
        guard pclose(pipe) == 0 else { throw KubectlFailed(arguments: arguments, output: text) }
        return text
    }

    /// Resources of that many names, as one list in JSON, which is YAML too.
    func manifest(_ names: [String], port: Int = 8080) -> String {
        let items = names.map { name in
            """
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"\(name)","namespace":"\(namespace)"},\
            "spec":{"profile":"\(World.profile)","fqdn":"app.vcn.cloud","dport":\(port)}}
            """
        }
        return "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\(items.joined(separator: ","))]}"
    }

    /// How many resources of the namespace are ready in their newest generation.
    func readyCount() async throws -> Int {
        let list = try await JSON.parse(Array(kubectl("get velo -n \(namespace) -o json").utf8))
        return (list["items"]?.array ?? []).count { item in
            guard let ready = Status(json: item["status"]).condition(.ready) else { return false }
            return ready.isTrue && ready.observedGeneration == item["metadata"]?["generation"]?.int
        }
    }
}
