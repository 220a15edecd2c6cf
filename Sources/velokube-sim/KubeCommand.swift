import ArgumentParser
import Glibc
import Simulation

/// `velokube-sim kube`
struct KubeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kube", abstract: "A simulated Kubernetes API server on a port of this machine.",
        discussion: KubeControl.help)

    @Option(help: "Loopback address and port to listen on; port 0 takes a free one. The first line printed says which.")
    var listen = "127.0.0.1:0"

    @Option(help: "Writes a kubeconfig of the administrator, once the server listens.")
    var kubeconfigOut: String?

    @Flag(help: "Writes each request and the status of its answer to standard error.")
    var logRequests = false

    func run() async throws {
        guard let address = ListenAddress(listen) else {
            throw ValidationError("--listen takes address:port, such as 127.0.0.1:6443, not \(listen)")
        }
        guard address.isLoopback else {
            throw ValidationError(
                "--listen takes an address of this machine alone, such as 127.0.0.1, not \(address.host): "
                    + "whoever reaches this server is its administrator")
        }
        var random = SystemRandomNumberGenerator()
        let token = String(random.next(), radix: 36) + String(random.next(), radix: 36)
        let api = SimulatedAPIServer(
            administratorToken: token, seed: random.next(), wallMilliseconds: wallMilliseconds)
        let path = kubeconfigOut
        try await serve(KubeResponder(api: api, logsRequests: logRequests), on: address) { url in
            guard let path else { return }
            do {
                try writePrivately(kubeconfig(server: url, token: token), to: path)
            } catch {
                output("velokube-sim: \(error)\n", to: STDERR_FILENO)
                Glibc.exit(1)
            }
        }
    }
}

/// A kubeconfig that names the administrator's token. `kubectl` does not send it over plain HTTP; others do.
private func kubeconfig(server: String, token: String) -> String {
    """
    apiVersion: v1
    kind: Config
    current-context: velokube-sim
    clusters:
      - name: velokube-sim
        cluster:
          server: \(server)
    users:
      - name: admin
        user:
          token: \(token)
    contexts:
      - name: velokube-sim
        context:
          cluster: velokube-sim
          user: admin
          namespace: default

    """
}

/// A file that could not be written.
private struct CannotWrite: Error, CustomStringConvertible {
    var path: String
    var code: Int32
    var description: String { "cannot write \(path): \(String(cString: strerror(code)))" }
}

/// Writes a file whole or not at all, readable for its owner alone: whoever waits for it finds it complete.
private func writePrivately(_ text: String, to path: String) throws(CannotWrite) {
    let draft = path + ".new"
    unlink(draft)
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw CannotWrite(path: path, code: errno) }
    output(text, to: file)
    guard close(file) == 0, rename(draft, path) == 0 else { throw CannotWrite(path: path, code: errno) }
}

extension ListenAddress {
    /// Reached from this machine alone.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
