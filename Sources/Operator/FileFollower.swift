import ControlLoop
import Glibc
import HTTPTransport
import Kubernetes
import Logging
import Orchestrator
import ServiceLifecycle
import UnixSignals

/// Follows the files that may change while velokube runs, as far as no request does: every 5 s, and at once on SIGHUP.
struct FileFollower: Service {
    typealias Resolution = @Sendable () throws(Kubernetes.ConfigurationError) -> ClusterConfiguration

    /// What can be wrong with a file, and does not end the process.
    private enum Trouble {
        case level, kubeconfig, server, ledger

        var level: Logger.Level { self == .ledger ? .error : .warning }

        var sentence: StaticString {
            switch self {
            case .level: "The file of --log-level-file holds no level, and nothing is changed"
            case .kubeconfig: "The kubeconfig cannot be read; what it said before counts"
            case .server: "The kubeconfig names another server, which is taken up with a restart only"
            case .ledger: "The ledger is not where it was"
            }
        }
    }

    private struct State {
        var cluster: ClusterConfiguration
        /// What was last said of each: the same again is no news.
        var said: [Trouble: String] = [:]
        var expiry = TokenExpiry()
    }

    private static let interval = Duration.seconds(5)

    private let resolve: Resolution
    private let kubernetes: KubernetesClient
    private let orchestrator: OrchestratorClient
    private let logLevel: LogLevel
    private let defaultLevel: Logger.Level
    private let levelFile: CredentialFile?
    private let ledgerProblem: @Sendable () -> String?
    private let time: Time
    private let log: Logger
    private let metrics: MetricsRegistry
    private let state: Locked<State>

    /// `resolve` finds the cluster anew, in the way in which `cluster` was found; `ledgerProblem` looks after the file
    /// of the ledger.
    init(
        cluster: ClusterConfiguration, resolve: @escaping Resolution, kubernetes: KubernetesClient,
        orchestrator: OrchestratorClient, logLevel: LogLevel, logLevelFile: String?,
        ledgerProblem: @escaping @Sendable () -> String?, time: Time, log: Logger, metrics: MetricsRegistry
    ) {
        self.resolve = resolve
        self.kubernetes = kubernetes
        self.orchestrator = orchestrator
        self.logLevel = logLevel
        defaultLevel = logLevel.value
        levelFile = logLevelFile.map { path in
            CredentialFile(path: path, isTrimmed: true, now: { time.now().nanoseconds })
        }
        self.ledgerProblem = ledgerProblem
        self.time = time
        self.log = log
        self.metrics = metrics
        state = Locked(State(cluster: cluster))
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            let signal = Bell()
            await withTaskGroup { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { signal.ring() }
                }
                var heard = signal.count
                while !Task.isCancelled {
                    look()
                    await signal.wait(since: heard, until: time.now() + Self.interval, time: time)
                    if signal.count != heard {
                        heard = signal.count
                        log.event(
                            .info,
                            "SIGHUP: the token, the certificates, the kubeconfig and the log level are read again")
                        orchestrator.invalidateCredentials()
                        kubernetes.invalidateCredentials()
                    }
                }
                group.cancelAll()
            }
        }
    }

    /// One look at everything.
    func look() {
        followLevel()
        followCluster()
        followExpiry()
        note(.ledger, ledgerProblem())
    }

    private func followLevel() {
        guard let levelFile else { return }
        let level: Logger.Level
        if access(levelFile.path, F_OK) != 0, errno == ENOENT {
            level = defaultLevel
        } else {
            levelFile.invalidate()
            do throws(CredentialFileError) {
                let word = String(decoding: try levelFile.current(), as: UTF8.self)
                guard let known = Logger.Level(rawValue: word) else { return note(.level, levelFile.path) }
                level = known
            } catch {
                return note(.level, "\(error)")
            }
        }
        note(.level, nil)
        if logLevel.change(to: level) {
            log.event(.notice, "The log level is changed", [.message: .string(level.rawValue)])
        }
    }

    private func followCluster() {
        let news: ClusterConfiguration
        do throws(Kubernetes.ConfigurationError) {
            news = try resolve()
        } catch {
            note(.kubeconfig, error.message)
            return
        }
        note(.kubeconfig, nil)
        let known = state.withLock { $0.cluster }
        guard news.server == known.server else {
            note(.server, news.server)
            return
        }
        note(.server, nil)
        guard news != known else { return }
        state.withLock { $0.cluster = news }
        kubernetes.follow(news)
        log.event(.notice, "The kubeconfig has changed, and is followed", [.server: .string(news.server)])
        for warning in news.warnings where !known.warnings.contains(warning) {
            log.event(.warning, "Configuration", [.message: .string(warning)])
        }
    }

    private func followExpiry() {
        let ofVCO = orchestrator.withToken(TokenExpiry.seconds)
        let ofKubernetes = kubernetes.withToken(TokenExpiry.seconds)
        metrics.update {
            $0.credentialExpiries[.vco] = ofVCO
            $0.credentialExpiries[.kubernetes] = ofKubernetes
        }
        let now = time.wallMilliseconds() / 1000
        guard let ofVCO, let level = state.withLock({ $0.expiry.notice(expiry: ofVCO, now: now) }) else { return }
        var details: [LogKey: Logger.MetadataValue] = [.expires: .string(timestamp(milliseconds: ofVCO * 1000))]
        if level != .info {
            details[.message] =
                "make a new one in the portal and replace it in the Secret; it is taken up without a restart"
        }
        log.event(level, ofVCO > now ? "The VCO's token runs out" : "The VCO's token has run out", details)
    }

    /// Says what is wrong when that is news; nil when all is well again.
    private func note(_ trouble: Trouble, _ details: String?) {
        let isNews = state.withLock { state in
            defer { state.said[trouble] = details }
            return state.said[trouble] != details
        }
        if let details, isNews { log.event(trouble.level, trouble.sentence, [.message: .string(details)]) }
    }
}
