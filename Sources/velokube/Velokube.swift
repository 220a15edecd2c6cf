import ArgumentParser
import Glibc
import Operator
import Validation

/// The command itself: parses, runs, and turns every ending into words and an exit code.
@main
struct Velokube: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "velokube",
        abstract: "SD-WAN treatment for Kubernetes applications, from the YAML that deploys them.",
        discussion: """
            A VelocloudBP resource becomes one business-policy rule in a profile on a VeloCloud Orchestrator (VCO), \
            and the rule follows the resource for its whole life.

            Exit codes: 0 done, 1 failed, 2 bad usage or configuration.
            """,
        version: velokubeVersion,
        subcommands: [Run.self, Validate.self, UninstallCommand.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            finish(error)
        }
    }

    /// Help and version go to standard output; complaints go to standard error.
    private static func finish(_ error: any Error) -> Never {
        if exitCode(for: error).isSuccess {
            write(fullMessage(for: error) + "\n", to: STDOUT_FILENO)
            Glibc.exit(Operator.ExitCode.done.rawValue)
        }
        // The command has said it all.
        if let code = error as? ArgumentParser.ExitCode { Glibc.exit(code.rawValue) }
        // What ArgumentParser throws is about usage; its own code for that would be 64.
        let isUsage = exitCode(for: error) == .validationFailure
        write((isUsage ? fullMessage(for: error) : "velokube: \(error)") + "\n", to: STDERR_FILENO)
        let isBadUsage = isUsage || error is ManifestFiles.Unreadable || error is Validate.Unusable
        Glibc.exit((isBadUsage ? .badConfiguration : Operator.ExitCode(for: error)).rawValue)
    }

    /// False when not all of it could be written.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            start += count
        }
        return true
    }

    /// The process's environment.
    static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
