import ArgumentParser
import Operator

/// Which cluster, and how much of it. The options are texts: `RunConfiguration.parse` reads them and their variables.
struct KubernetesOptions: ParsableArguments {
    @Option(
        name: .customLong("kube-url"),
        help: ArgumentHelp(
            "URL of an API server without credentials, such as that of \"kubectl proxy\".",
            discussion:
                "Without this and --kubeconfig: the pod's service account, then ~/.kube/config.",
            valueName: "url"))
    var kubeURL: String?

    @Option(help: ArgumentHelp("Kubeconfig file.", valueName: "path"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("Context of the kubeconfig, if not its current one.", valueName: "name"))
    var context: String?

    @Option(
        help: ArgumentHelp(
            "Watch this namespace only; a Role is then enough. Default: all namespaces.", valueName: "name"))
    var namespace: String?

    @Option(
        name: .customLong("leader-elect-namespace"),
        help: ArgumentHelp(
            "Where the Lease is. Default: the pod's own namespace, else that of --namespace, else velokube-system.",
            valueName: "name"))
    var leaderElectNamespace: String?

    func set(_ flags: inout RunFlags) {
        flags.kubeURL = kubeURL
        flags.kubeconfig = kubeconfig
        flags.context = context
        flags.namespace = namespace
        flags.leaderElectNamespace = leaderElectNamespace
    }
}

/// Which VCO, as whom.
struct OrchestratorOptions: ParsableArguments {
    @Option(
        name: .customLong("vco-url"),
        help: ArgumentHelp(
            "Address of the VCO, with or without /portal/rest. Required.",
            discussion: "https, or http to this machine itself.", valueName: "url"))
    var vcoURL: String?

    @Option(
        name: .customLong("vco-token-file"),
        help: ArgumentHelp("File that holds the API token. Required, unless VCO_TOKEN is set.", valueName: "path"))
    var vcoTokenFile: String?

    @Option(
        name: .customLong("vco-ca"),
        help: ArgumentHelp(
            "PEM file with the authorities to trust for the VCO. Default: the system's.", valueName: "path"))
    var vcoCA: String?

    @Option(
        name: .customLong("enterprise-id"),
        help: ArgumentHelp(
            "The customer to act for; partners' and operators' tokens need it. Default: the token's own.",
            valueName: "number"))
    var enterpriseID: String?

    @Flag(
        name: .customLong("vco-insecure-http"),
        help: "Allow http:// to another machine: the token goes over the wire unencrypted.")
    var vcoInsecureHTTP = false

    func set(_ flags: inout RunFlags) {
        flags.vcoURL = vcoURL
        flags.vcoTokenFile = vcoTokenFile
        flags.vcoCA = vcoCA
        flags.enterpriseID = enterpriseID
        flags.allowsInsecureHTTP = vcoInsecureHTTP
    }
}

/// What it knows to be velokube's, and how much of that may go at once.
struct LedgerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The ledger: the file that records which rules are velokube's. Default: /var/lib/velokube/ledger.db.",
            valueName: "path"))
    var state: String?

    @Option(
        name: .customLong("max-deletes"),
        help: ArgumentHelp(
            "Delete nothing when more than this many rules, and more than half of all, lost their resources at "
                + "once. Default: 25.",
            valueName: "number"))
    var maxDeletes: String?

    func set(_ flags: inout RunFlags) {
        flags.state = state
        flags.maxDeletes = maxDeletes
    }
}

/// What it does to the VCO, and how fast.
struct BehaviourOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the first rule of a segment goes: top or bottom. Default: top.", valueName: "place"))
    var placement: String?

    @Option(
        help: ArgumentHelp(
            "What annotations of resources may do: adopt (take over a foreign rule of the same name), orphan "
                + "(leave the rule behind). Default: nothing.",
            valueName: "adopt,orphan"))
    var allow: String?

    @Option(help: ArgumentHelp("Profiles to work on side by side, 1 to 64. Default: 4.", valueName: "number"))
    var workers: String?

    @Option(
        help: ArgumentHelp(
            "How often to look for changes made in the portal, such as 30s or 1h30m. Default: 5m.",
            valueName: "duration"))
    var resync: String?

    @Flag(
        name: .customLong("dry-run"),
        help: "Decide and log, but write nothing: neither rules, nor finalizers, nor statuses.")
    var dryRun = false
}

/// How it runs, and how it can be watched.
struct RunningOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to serve /healthz, /readyz and /metrics; port 0 picks a free one and logs it. Default: :8080.",
            valueName: "address:port"))
    var listen: String?

    @Flag(
        name: .customLong("leader-elect"),
        help: ArgumentHelp(
            "Write only while holding the Lease \"velokube\", so that other replicas may stand by.",
            discussion: "Each replica has a ledger of its own. Who loses the Lease ends with 1."))
    var leaderElect = false

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. Default: info.", valueName: "level"))
    var logLevel: String?

    @Option(
        name: .customLong("log-level-file"),
        help: ArgumentHelp(
            "File that holds one of these words; while it is there it wins over --log-level.",
            discussion: "Looked at every 5 s, and on SIGHUP.", valueName: "path"))
    var logLevelFile: String?

    @Option(name: .customLong("log-format"), help: ArgumentHelp("text or json. Default: text.", valueName: "format"))
    var logFormat: String?
}
