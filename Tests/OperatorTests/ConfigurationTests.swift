import BusinessPolicy
import Logging
import Operator
import Orchestrator
import Testing

@Suite struct ConfigurationTests {
    private func parse(
        _ environment: [String: String] = [:], _ change: (inout RunFlags) -> Void = { _ in }
    ) throws -> RunConfiguration {
        var flags = RunFlags()
        change(&flags)
        return try RunConfiguration.parse(flags: flags, environment: environment)
    }

    private func fault(_ environment: [String: String] = [:], _ change: (inout RunFlags) -> Void = { _ in }) -> String {
        do {
            return "none: \(try parse(environment, change))"
        } catch {
            #expect(ExitCode(for: error) == .badConfiguration)
            return "\(error)"
        }
    }

    // Told nothing, it runs as the table of the manual says.
    @Test func defaults() throws {
        let configuration = try parse()
        #expect(configuration.cluster == .init())
        #expect(configuration.namespace == nil)
        #expect(configuration.statePath == "/var/lib/velokube/ledger.db")
        #expect(configuration.resync == .seconds(300))
        #expect(configuration.listen == ListenAddress(host: nil, port: 8080))
        #expect(configuration.placement == .top)
        #expect(configuration.allowances == [])
        #expect(configuration.deletesMax == 25)
        #expect(configuration.workers == 4)
        #expect(!configuration.isDryRun)
        #expect(!configuration.electsLeader)
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .text)
        #expect(configuration.warnings == [])
    }

    // Every variable has its effect, the article's four among them.
    @Test func variables() throws {
        let configuration = try parse([
            "KUBECONFIG": "/k", "res_namespace": "shop", "VCO_URL": "https://vco.example.net",
            "VCO_TOKEN": "sesame", "VCO_ENTERPRISE_ID": "12", "VELOKUBE_STATE": "/s", "VELOKUBE_RESYNC": "1h30m",
            "VELOKUBE_LISTEN": "[::1]:9", "VELOKUBE_PLACEMENT": "bottom", "VELOKUBE_ALLOW": "orphan, adopt",
            "VELOKUBE_MAX_DELETES": "0", "VELOKUBE_WORKERS": "64", "VELOKUBE_DRY_RUN": "true", "verbose": "log",
            "VELOKUBE_LEADER_ELECT": "true", "VELOKUBE_LEADER_ELECT_NAMESPACE": "operators",
        ])
        #expect(configuration.cluster.kubeconfig == "/k")
        #expect(configuration.namespace == "shop")
        #expect(configuration.statePath == "/s")
        #expect(configuration.resync == .seconds(5400))
        #expect(configuration.listen == ListenAddress(host: "::1", port: 9))
        #expect(configuration.placement == .bottom)
        #expect(configuration.allowances == [.adopt, .orphan])
        #expect(configuration.deletesMax == 0)
        #expect(configuration.workers == 64)
        #expect(configuration.isDryRun)
        #expect(configuration.electsLeader)
        #expect(configuration.leaseNamespace(podNamespace: "pod") == "operators")
        #expect(configuration.warnings.count == 1, "an election in vain")
        #expect(configuration.logLevel == .debug)
        let orchestrator = try configuration.orchestrator.resolved()
        #expect(orchestrator.bindingName == "vco.example.net/12")
        #expect(!String(reflecting: configuration.orchestrator.url).contains("sesame"))
    }

    // A flag wins over its variable, even over one that could not be read.
    @Test func flagsWin() throws {
        let configuration = try parse([
            "KUBECONFIG": "/other", "res_namespace": "NO", "VCO_URL": "no", "VCO_ENTERPRISE_ID": "no",
            "VCO_TOKEN": "sesame", "VELOKUBE_STATE": "/other", "VELOKUBE_RESYNC": "no", "VELOKUBE_LISTEN": "no",
            "VELOKUBE_PLACEMENT": "no", "VELOKUBE_ALLOW": "no", "VELOKUBE_MAX_DELETES": "no",
            "VELOKUBE_WORKERS": "no", "VELOKUBE_DRY_RUN": "no", "verbose": "log",
            "VELOKUBE_LEADER_ELECT": "no", "VELOKUBE_LEADER_ELECT_NAMESPACE": "NO",
        ]) { flags in
            flags.kubeURL = "http://127.0.0.1:8001"
            flags.kubeconfig = "/k"
            flags.context = "c"
            flags.namespace = ""
            flags.vcoURL = "https://vco.example.net"
            flags.enterpriseID = "7"
            flags.state = "/s"
            flags.resync = "30s"
            flags.listen = "127.0.0.1:0"
            flags.placement = "bottom"
            flags.allow = ""
            flags.maxDeletes = "1"
            flags.workers = "1"
            flags.isDryRun = true
            flags.electsLeader = true
            flags.leaderElectNamespace = "operators"
            flags.logLevel = "warning"
            flags.logFormat = "json"
        }
        #expect(configuration.cluster == .init(url: "http://127.0.0.1:8001", kubeconfig: "/k", context: "c"))
        #expect(configuration.namespace == nil)
        #expect(try configuration.orchestrator.resolved().bindingName == "vco.example.net/7")
        #expect(configuration.statePath == "/s")
        #expect(configuration.resync == .seconds(30))
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 0))
        #expect(configuration.placement == .bottom)
        #expect(configuration.allowances == [])
        #expect(configuration.deletesMax == 1)
        #expect(configuration.workers == 1)
        #expect(configuration.isDryRun)
        #expect(configuration.electsLeader && configuration.leaderElectNamespace == "operators")
        #expect(configuration.logLevel == .warning)
        #expect(configuration.logFormat == .json)
        #expect(configuration.warnings.count == 1, "an election in vain")
    }

    // The Lease is where the flag says, else beside the pod, else in the namespace that is watched, else where the
    // manifests put the operator.
    @Test func leaseNamespace() throws {
        let plain = try parse()
        #expect(plain.leaseNamespace(podNamespace: nil) == "velokube-system")
        let narrow = try parse { $0.namespace = "shop" }
        #expect(narrow.leaseNamespace(podNamespace: nil) == "shop")
        #expect(narrow.leaseNamespace(podNamespace: "pod") == "pod")
        let told = try parse {
            $0.namespace = "shop"
            $0.leaderElectNamespace = "told"
        }
        #expect(told.leaseNamespace(podNamespace: "pod") == "told")
    }

    // An empty variable is one that is not set.
    @Test func emptyVariables() throws {
        let names = [
            "KUBECONFIG", "res_namespace", "VCO_URL", "VELOKUBE_STATE", "VELOKUBE_RESYNC", "VELOKUBE_LISTEN",
            "VELOKUBE_PLACEMENT", "VELOKUBE_ALLOW", "VELOKUBE_MAX_DELETES", "VELOKUBE_WORKERS", "VELOKUBE_DRY_RUN",
            "verbose",
        ]
        let configuration = try parse(Dictionary(uniqueKeysWithValues: names.map { ($0, "") }))
        #expect(configuration.resync == .seconds(300))
        #expect(configuration.cluster == .init())
        #expect(configuration.workers == 4)
    }

    // What cannot be used is refused with the flag or variable, its value and what is allowed.
    @Test(arguments: [
        ("VELOKUBE_PLACEMENT", "Top", "top, bottom"), ("VELOKUBE_ALLOW", "adopt,all", "adopt, orphan"),
        ("VELOKUBE_MAX_DELETES", "-1", "whole number from 0"), ("VELOKUBE_MAX_DELETES", "2.5", "whole number"),
        ("VELOKUBE_WORKERS", "0", "from 1 to 64"), ("VELOKUBE_WORKERS", "65", "from 1 to 64"),
        ("VELOKUBE_DRY_RUN", "maybe", "true or false"), ("VELOKUBE_LEADER_ELECT", "maybe", "true or false"),
        ("VELOKUBE_LEADER_ELECT_NAMESPACE", "NO", "one namespace"), ("VELOKUBE_RESYNC", "999ms", "from 1s to 24h"),
        ("VELOKUBE_RESYNC", "25h", "from 1s to 24h"), ("VELOKUBE_RESYNC", "5", "such as 30s"),
        ("VELOKUBE_RESYNC", "5 m", "such as 30s"), ("VELOKUBE_RESYNC", "m", "such as 30s"),
        ("VELOKUBE_RESYNC", "1m1h", "such as 30s"), ("VELOKUBE_RESYNC", "1m1m", "such as 30s"),
        ("VELOKUBE_RESYNC", "-5m", "such as 30s"), ("VELOKUBE_RESYNC", "1.5h", "such as 30s"),
        ("VELOKUBE_RESYNC", "99999999999999999999h", "such as 30s"), ("VELOKUBE_RESYNC", "5d", "such as 30s"),
        ("VELOKUBE_LISTEN", "8080", "such as :8080"), ("VELOKUBE_LISTEN", ":65536", "such as :8080"),
        ("VELOKUBE_LISTEN", "::1:80", "such as :8080"), ("VELOKUBE_LISTEN", "[::1]", "such as :8080"),
        ("VELOKUBE_LISTEN", "[]:80", "such as :8080"), ("VELOKUBE_LISTEN", ":http", "such as :8080"),
        ("VELOKUBE_LISTEN", "a b:80", "such as :8080"), ("VELOKUBE_STATE", "/var/lib/", "path of a file"),
        ("res_namespace", "Shop", "one namespace"), ("res_namespace", "a,b", "one namespace"),
        ("res_namespace", "-a", "one namespace"),
    ])
    func badVariablesAreRefused(name: String, value: String, allowed: String) {
        let fault = fault([name: value])
        #expect(fault.hasPrefix("\(name) is \"\(value)\": "))
        #expect(fault.contains(allowed))
    }

    // The same words for a flag, under the flag's name.
    @Test func badFlagsAreRefused() {
        #expect(fault { $0.resync = "" } == #"--resync is "": must be a duration such as 30s, 5m or 1h30m"#)
        #expect(fault { $0.placement = "x" } == #"--placement is "x": must be one of top, bottom"#)
        #expect(fault { $0.allow = "x" }.hasPrefix("--allow is"))
        #expect(fault { $0.maxDeletes = "x" }.hasPrefix("--max-deletes is"))
        #expect(fault { $0.workers = "x" }.hasPrefix("--workers is"))
        #expect(fault { $0.listen = "x" }.hasPrefix("--listen is"))
        #expect(fault { $0.state = "" }.hasPrefix("--state is"))
        #expect(fault { $0.namespace = "X" }.hasPrefix("--namespace is"))
        #expect(fault { $0.logFormat = "xml" } == #"--log-format is "xml": must be one of text, json"#)
        #expect(fault { $0.logLevel = "loud" }.contains("trace, debug, info, notice, warning, error, critical"))
    }

    // Durations are read as they are written elsewhere; a short resync is allowed with a warning.
    @Test(arguments: [
        ("1s", 1000), ("1500ms", 1500), ("29s999ms", 29_999), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000),
        ("1h30m", 5_400_000), ("2h3m4s5ms", 7_384_005), ("90m", 5_400_000), ("24h", 86_400_000),
    ])
    func durations(text: String, milliseconds: Int) throws {
        let configuration = try parse { $0.resync = text }
        #expect(configuration.resync == .milliseconds(milliseconds))
        #expect(configuration.warnings.isEmpty == (milliseconds >= 30_000))
    }

    // The VCO's faults are bad configuration, too, and name both ways to give a token.
    @Test func theOrchestratorIsRequired() throws {
        let error = #expect(throws: OrchestratorConfiguration.ConfigurationError.self) {
            try parse(["VCO_URL": "https://vco.example.net"]).orchestrator.resolved()
        }
        #expect(error.map { ExitCode(for: $0) } == .badConfiguration)
        #expect(error?.message.contains("VCO_TOKEN_FILE") == true)
        #expect(ExitCode(for: CancellationError()) == .failed)
    }
}
