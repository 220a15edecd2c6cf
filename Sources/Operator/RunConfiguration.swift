import BusinessPolicy
import Logging
import Orchestrator

/// What `velokube run` was told, read once in main; parts of the program get values from it, never the whole.
package struct RunConfiguration: Sendable {
    /// How to find the API server; the first that is given wins.
    package struct Cluster: Hashable, Sendable {
        package var url: String?
        package var kubeconfig: String?
        package var context: String?

        package init(url: String? = nil, kubeconfig: String? = nil, context: String? = nil) {
            self.url = url
            self.kubeconfig = kubeconfig
            self.context = context
        }
    }

    /// Flags and variables about the VCO, not yet checked: that reads files (`resolved`).
    package struct Orchestrator: Sendable {
        package var url: String?
        package var tokenFile: String?
        package var caFile: String?
        package var enterpriseID: String?
        package var allowsInsecureHTTP: Bool
        /// `VCO_TOKEN`; private, so that nothing can print it by accident.
        private let token: String?

        fileprivate init(_ flags: RunFlags, _ variables: Variables) {
            url = flags.vcoURL ?? variables["VCO_URL"]
            tokenFile = flags.vcoTokenFile ?? variables["VCO_TOKEN_FILE"]
            caFile = flags.vcoCA ?? variables["VCO_CA_FILE"]
            enterpriseID = flags.enterpriseID ?? variables["VCO_ENTERPRISE_ID"]
            allowsInsecureHTTP = flags.allowsInsecureHTTP
            token = variables["VCO_TOKEN"]
        }

        /// Checks the values and the files they name.
        package func resolved() throws(OrchestratorConfiguration.ConfigurationError) -> OrchestratorConfiguration {
            try OrchestratorConfiguration.resolve(
                url: url, tokenFile: tokenFile, token: token, caFile: caFile, enterpriseID: enterpriseID,
                allowsInsecureHTTP: allowsInsecureHTTP)
        }
    }

    package var cluster: Cluster
    /// Nil for all namespaces.
    package var namespace: String?
    package var orchestrator: Orchestrator
    /// Path of the ledger.
    package var statePath: String
    package var resync: Duration
    package var listen: ListenAddress
    package var placement: Placement
    package var allowances: Set<Allowance>
    /// Beyond so many rules at once (and more than half of all) absence is not believed.
    package var deletesMax: Int
    package var workers: Int
    /// Decides and logs; writes neither to the VCO nor to Kubernetes.
    package var isDryRun: Bool
    /// Whether only one of several replicas may write, chosen by a Lease.
    package var electsLeader: Bool
    /// Where the Lease is to be; nil leaves that to `leaseNamespace`.
    package var leaderElectNamespace: String?
    package var logLevel: Logger.Level
    /// A file that holds a level which wins over `logLevel`, while it is there.
    package var logLevelFile: String?
    package var logFormat: LogFormat
    /// Nil in everyday life.
    package var uninstall: Uninstall?
    /// What is allowed but should be known, in words, for the log.
    package var warnings: [String]

    /// Which flag or variable is wrong, what it says, and what is allowed: exit code 2.
    package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
        package var message: String

        package init(_ message: String) {
            self.message = message
        }

        package var description: String { message }
    }

    /// Shorter resyncs are allowed, but a VCO asks not to be polled faster than this.
    package static let resyncAdvised: Duration = .seconds(30)
    package static let resyncMin: Duration = .seconds(1)
    package static let resyncMax: Duration = .seconds(24 * 3600)
    package static let workersMax = 64

    /// Reads flags and variables; a flag wins over its variable. Pure: no file is looked at.
    package static func parse(
        flags: RunFlags, environment: [String: String]
    ) throws(ConfigurationError) -> RunConfiguration {
        let variables = Variables(environment)
        let resync = try Setting("--resync", flags.resync, "VELOKUBE_RESYNC", variables, default: "5m")
            .duration(from: resyncMin, to: resyncMax)
        let state = Setting("--state", flags.state, "VELOKUBE_STATE", variables, default: "/var/lib/velokube/ledger.db")
        let listen = Setting("--listen", flags.listen, "VELOKUBE_LISTEN", variables, default: ":8080")
        let placement = Setting("--placement", flags.placement, "VELOKUBE_PLACEMENT", variables, default: "top")
        let allow = Setting("--allow", flags.allow, "VELOKUBE_ALLOW", variables, default: "")
        let deletes = Setting("--max-deletes", flags.maxDeletes, "VELOKUBE_MAX_DELETES", variables, default: "25")
        let workers = Setting("--workers", flags.workers, "VELOKUBE_WORKERS", variables, default: "4")
        let isDryRun = try Setting(
            "--dry-run", flags.isDryRun ? "true" : nil, "VELOKUBE_DRY_RUN", variables, default: "false"
        ).truth()
        let electsLeader = try Setting(
            "--leader-elect", flags.electsLeader ? "true" : nil, "VELOKUBE_LEADER_ELECT", variables, default: "false"
        ).truth()
        let leaderElectNamespace = Setting(
            "--leader-elect-namespace", flags.leaderElectNamespace, "VELOKUBE_LEADER_ELECT_NAMESPACE", variables,
            default: "")
        guard flags.uninstall == nil || !isDryRun else {
            throw ConfigurationError(
                "VELOKUBE_DRY_RUN is true, and so nothing would be uninstalled; \"velokube run\" has a dry run")
        }
        return RunConfiguration(
            cluster: Cluster(
                url: flags.kubeURL, kubeconfig: flags.kubeconfig ?? variables["KUBECONFIG"], context: flags.context),
            namespace: try Setting("--namespace", flags.namespace, "res_namespace", variables, default: "").namespace(),
            orchestrator: Orchestrator(flags, variables), statePath: try state.path(), resync: resync,
            listen: try listen.address(), placement: try placement.oneOf(), allowances: try allow.setOf(),
            deletesMax: try deletes.number(in: 0...Int(Int32.max)), workers: try workers.number(in: 1...workersMax),
            isDryRun: isDryRun, electsLeader: electsLeader,
            leaderElectNamespace: try leaderElectNamespace.namespace(), logLevel: try logLevel(flags, variables),
            logLevelFile: flags.logLevelFile ?? variables["VELOKUBE_LOG_LEVEL_FILE"],
            logFormat: try Setting("--log-format", flags.logFormat, default: "text").oneOf(),
            uninstall: try flags.uninstall.map { asked throws(ConfigurationError) in
                let timeout = Setting("--timeout", asked.timeout, default: "10m")
                return Uninstall(
                    leavesRules: asked.leavesRules, limit: try timeout.duration(from: .seconds(1), to: resyncMax))
            },
            warnings: warnings(resync: resync, electsInVain: isDryRun && electsLeader))
    }

    /// Where the Lease is: in the operator's own namespace, as far as that is known. `podNamespace` is that of the pod.
    package func leaseNamespace(podNamespace: String?) -> String {
        leaderElectNamespace ?? podNamespace ?? namespace ?? Self.operatorNamespace
    }

    /// Where the manifests put the operator.
    private static let operatorNamespace = "velokube-system"

    private static func logLevel(
        _ flags: RunFlags, _ variables: Variables
    ) throws(ConfigurationError) -> Logger.Level {
        // The article's `verbose` knows one value; others never meant anything.
        let fallback = variables["verbose"] == "log" ? "debug" : "info"
        return try Setting("--log-level", flags.logLevel, default: fallback).oneOf()
    }

    private static func warnings(resync: Duration, electsInVain: Bool) -> [String] {
        var warnings: [String] = []
        if resync < resyncAdvised {
            warnings.append(
                "--resync is under \(Setting.words(resyncAdvised)): a VCO that is polled that fast may answer 429")
        }
        if electsInVain {
            warnings.append("--leader-elect has no effect with --dry-run, which writes nothing, not even a Lease")
        }
        return warnings
    }
}

/// The environment, where an empty variable is one that is not set: manifests make such.
struct Variables: Sendable {
    private let environment: [String: String]

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    subscript(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
