import Kubernetes
import Ledger
import Orchestrator

/// What the process tells the shell; the same for every command.
package enum ExitCode: Int32, Sendable {
    case done = 0
    /// It was asked rightly and failed.
    case failed = 1
    /// Bad usage or configuration: trying again without changing it is useless.
    case badConfiguration = 2

    /// The code for an error that ends the process.
    package init(for error: any Error) {
        switch error {
        case is RunConfiguration.ConfigurationError, is OrchestratorConfiguration.ConfigurationError,
            is Kubernetes.ConfigurationError, is StillRunning:
            self = .badConfiguration
        case let error as LedgerError:
            self = error.isConfiguration ? .badConfiguration : .failed
        default:
            self = .failed
        }
    }
}

extension LedgerError {
    /// True where only another `--state`, or another mount, helps.
    var isConfiguration: Bool {
        switch self {
        case .boundElsewhere, .newerSchema, .unusable: true
        case .locked, .failed: false
        }
    }
}
