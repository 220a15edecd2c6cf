import ArgumentParser
import Glibc
import Operator

/// `velokube uninstall`: takes everything of velokube out of the VCO and off the resources.
struct UninstallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Take every rule out of the VCO and every finalizer off, so that velokube can be deleted.",
        discussion: """
            Stop the operator first: this takes its place, with the same ledger and the same variables (see \
            "velokube run --help"). Every rule of velokube is removed from the VCO, rules that were adopted are put \
            back as they were found, and rules of others keep their bytes. Then the finalizer of each VelocloudBP is \
            taken off, and the status of each VelocloudBP and VelocloudLimit; the resources themselves stay. It can \
            be run again at any time, and does the rest.

            If the ledger is lost, what is velokube's is known from the resources' statuses. That an operator is \
            still running is seen by its Lease or by its ledger: one without --leader-elect, whose ledger is \
            elsewhere, is not seen.

            EXAMPLES
              velokube uninstall --kubeconfig ~/.kube/config --vco-url https://vco.example.net \\
                --vco-token-file ~/vco.token --state ./ledger.db
              Leave the rules to the WAN team:
                velokube uninstall --orphan --kubeconfig ~/.kube/config ...

            EXIT CODES
              0 nothing is left, 1 something is left, which is named, or it was stopped, 2 bad usage or \
            configuration, or an operator is still running.
            """)

    @Flag(help: "Leave the rules on the VCO, as rules of the WAN team; nothing is written there.")
    var orphan = false

    @Option(
        help: ArgumentHelp(
            "When to begin no more and say what is left, such as 90s or 10m. Default: 10m.", valueName: "duration"))
    var timeout: String?

    @OptionGroup(title: "Kubernetes") var kubernetes: KubernetesOptions
    @OptionGroup(title: "VeloCloud Orchestrator") var orchestrator: OrchestratorOptions
    @OptionGroup(title: "Ledger") var ledger: LedgerOptions

    mutating func run() async throws {
        var flags = RunFlags()
        kubernetes.set(&flags)
        orchestrator.set(&flags)
        ledger.set(&flags)
        flags.uninstall = RunFlags.Uninstall(leavesRules: orphan, timeout: timeout)
        let environment = Velokube.environment()
        try await runOperator(
            try RunConfiguration.parse(flags: flags, environment: environment), environment: environment)
        Velokube.write(Self.whatIsNext, to: STDOUT_FILENO)
    }

    private static let whatIsNext = """
        Nothing of velokube is left on the resources and the VCO. Delete the rest in this order:
          1. the operator: kubectl delete -k manifests/operator, or helm uninstall velokube
          2. the policy, where there is one: kubectl delete -k manifests/admission
          3. the kinds, with all their resources: kubectl delete -k manifests/crd

        """
}
