import ArgumentParser
import Glibc
import Simulation

/// The program: one subcommand for each server it can stand in for.
@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "velokube-sim",
        abstract: "Stands in for servers that velokube talks to, for tests of any program.",
        subcommands: [OrchestratorCommand.self, KubeCommand.self])

    /// Exit code of bad usage, as everywhere in this project.
    private static let badUsage: Int32 = 2

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let isUsage = exitCode(for: error) == .validationFailure
            let text = fullMessage(for: error) + "\n"
            let isDone = exitCode(for: error) == .success
            output(text, to: isDone ? STDOUT_FILENO : STDERR_FILENO)
            Glibc.exit(isDone ? 0 : isUsage ? badUsage : 1)
        }
    }
}

/// Writes text as it is to a standard stream.
func output(_ text: String, to stream: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(stream, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
    }
}

/// `velokube-sim vco`
struct OrchestratorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vco", abstract: "A simulated VeloCloud Orchestrator (VCO) on a port.",
        discussion: SimulatorControl.help)

    @Option(help: "Address and port to listen on; port 0 takes a free one. The first line printed says which.")
    var listen = "127.0.0.1:0"

    @Option(help: "The one token that is accepted (also VCO_SIM_TOKEN); any that is not empty if none is given.")
    var token: String?

    @Option(help: "A mode, as name=value; may be given several times.")
    var mode: [String] = []

    @Option(help: "A fault, as JSON; may be given several times.")
    var fault: [String] = []

    @Option(help: "Milliseconds that every call takes.")
    var latency: Int?

    @Flag(help: "Adds profile 103, which is NETWORK_BASED.")
    var networkBased = false

    func run() async throws {
        guard let address = ListenAddress(listen) else {
            throw ValidationError("--listen takes address:port, such as 127.0.0.1:8080, not \(listen)")
        }
        let vco = OrchestratorSimulator(
            token: token ?? environment("VCO_SIM_TOKEN"), includingNetworkBased: networkBased)
        for setting in mode {
            let parts = setting.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw ValidationError("--mode takes name=value, not \(setting)") }
            if let problem = vco.setMode(String(parts[0]), to: String(parts[1])) { throw ValidationError(problem) }
        }
        for text in fault {
            if let problem = vco.inject(control: text, now: wallMilliseconds()) { throw ValidationError(problem) }
        }
        if let latency { vco.inject(.latency(milliseconds: Int64(latency)), calls: nil) }
        try await serve(OrchestratorResponder(vco: vco), on: address)
    }
}

/// Where to listen.
struct ListenAddress: Equatable {
    var host: String
    var port: Int

    /// `address:port`; an IPv6 address stands in brackets, and without an address it is every one.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        let address = text[..<colon]
        if address.hasPrefix("["), address.hasSuffix("]") {
            host = String(address.dropFirst().dropLast())
        } else if address.contains(":") {
            return nil
        } else {
            host = address.isEmpty ? "0.0.0.0" : String(address)
        }
        self.port = port
    }
}
