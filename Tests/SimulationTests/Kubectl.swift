import Dispatch
import Glibc
import Testing

/// `kubectl` on one of the two servers, each time with a cache of its own.
struct Kubectl {
    let kubeconfig: String
    let path: String
    private let cache: String

    /// The server of `velokube-sim kube`, or the real one.
    init(kubeconfig: String) throws {
        guard let program = getenv("KUBECTL") else {
            throw ContractCluster.Unavailable(
                description: "no kubectl: run these tests as `scripts/with-control-plane swift test`")
        }
        path = String(cString: program)
        self.kubeconfig = kubeconfig
        cache = try TemporaryFolder.make("kubectl-cache")
    }

    static func real() throws -> Kubectl {
        guard let kubeconfig = getenv("VELOKUBE_TEST_KUBECONFIG") else {
            throw ContractCluster.Unavailable(
                description: "no API server: run these tests as `scripts/with-control-plane swift test`")
        }
        return try Kubectl(kubeconfig: String(cString: kubeconfig))
    }

    var options: [String] { ["--kubeconfig", kubeconfig, "--cache-dir", cache] }

    /// What it prints, errors included, and how it ends: `text (code)` unless that is 0.
    func callAsFunction(_ arguments: String, input: String = "") async throws -> String {
        let quoted = input.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        let options = options.map { "'\($0)'" }.joined(separator: " ")
        let command = "printf '%s' '\(quoted)' | '\(path)' \(options) \(arguments) 2>&1"
        // On a thread of its own: who waits for a program on the shared ones holds up every other test.
        let answer = await withCheckedContinuation { continuation in
            DispatchQueue(label: "kubectl").async { continuation.resume(returning: Self.run(command)) }
        }
        return try #require(answer, "no shell")
    }

    private static func run(_ command: String) -> String? {
        guard let pipe = popen(command, "r") else { return nil }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer[..<count]
        }
        let status = pclose(pipe)
        let text = String(decoding: output, as: UTF8.self)
        return status == 0 ? text : "\(text)(\(status >> 8))"
    }
}

enum TemporaryFolder {
    static func make(_ name: String) throws -> String {
        var template = Array("/tmp/velokube-\(name).XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
