import ArgumentParser
import Operator

/// `velokube run`: the operator.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the operator: keep the rules on the VCO as the VelocloudBP resources want them.",
        discussion: """
            Runs until SIGTERM or SIGINT; then it finishes the write in hand and exits within 30 s. Trouble with the \
            VCO or the API server never ends it. A flag wins over its environment variable.

            CREDENTIALS
              The VCO's API token comes from the file of --vco-token-file (VCO_TOKEN_FILE) or from the variable \
            VCO_TOKEN; the file wins. There is no flag for the token, because other users of a machine can read flags. \
            Files are followed as they change, the kubeconfig too: rotating the token needs no restart. SIGHUP looks \
            at them at once.

            ENVIRONMENT
              KUBECONFIG          --kubeconfig
              res_namespace       --namespace
              VCO_URL             --vco-url
              VCO_TOKEN_FILE      --vco-token-file
              VCO_TOKEN           the token itself
              VCO_CA_FILE         --vco-ca
              VCO_ENTERPRISE_ID   --enterprise-id
              VELOKUBE_STATE      --state
              VELOKUBE_RESYNC     --resync
              VELOKUBE_LISTEN     --listen
              VELOKUBE_PLACEMENT  --placement
              VELOKUBE_ALLOW      --allow
              VELOKUBE_MAX_DELETES
                                  --max-deletes
              VELOKUBE_WORKERS    --workers
              VELOKUBE_DRY_RUN    --dry-run (true or false)
              VELOKUBE_LEADER_ELECT
                                  --leader-elect (true or false)
              VELOKUBE_LEADER_ELECT_NAMESPACE
                                  --leader-elect-namespace
              verbose=log         --log-level debug
              VELOKUBE_LOG_LEVEL_FILE
                                  --log-level-file

            EXAMPLES
              In a cluster:
                export VCO_URL=https://vco.example.net
                velokube run --vco-token-file /etc/velokube/token
              On a laptop, looking but not touching:
                velokube run --kubeconfig ~/.kube/config --state ./ledger.db \\
                  --listen 127.0.0.1:0 --dry-run

            EXIT CODES
              0 stopped as asked, 1 failed, 2 bad usage or configuration.
            """)

    @OptionGroup(title: "Kubernetes") var kubernetes: KubernetesOptions
    @OptionGroup(title: "VeloCloud Orchestrator") var orchestrator: OrchestratorOptions
    @OptionGroup(title: "Ledger") var ledger: LedgerOptions
    @OptionGroup(title: "Behaviour") var behaviour: BehaviourOptions
    @OptionGroup(title: "Running") var running: RunningOptions

    mutating func run() async throws {
        let environment = Velokube.environment()
        try await runOperator(
            try RunConfiguration.parse(flags: flags, environment: environment), environment: environment)
    }

    private var flags: RunFlags {
        var flags = RunFlags()
        kubernetes.set(&flags)
        orchestrator.set(&flags)
        ledger.set(&flags)
        flags.placement = behaviour.placement
        flags.allow = behaviour.allow
        flags.workers = behaviour.workers
        flags.resync = behaviour.resync
        flags.isDryRun = behaviour.dryRun
        flags.listen = running.listen
        flags.electsLeader = running.leaderElect
        flags.logLevel = running.logLevel
        flags.logLevelFile = running.logLevelFile
        flags.logFormat = running.logFormat
        return flags
    }
}
