import BusinessPolicy
import Glibc
import HTTPTransport
import Testing

/// One right: a verb on a resource.
struct Right: Hashable, Sendable, CustomStringConvertible {
    var verb: String
    var resource: String

    var description: String { "\(verb) \(resource)" }
}

/// The operator's program on an API server, as its ServiceAccount, with the rights that the manifests give it or with
/// fewer. The VCO is a process, too.
final class InstalledOperator: Sendable {
    /// For what it is installed, and where: for the whole cluster on a simulated API server of its own, since the real
    /// one is shared with other tests; for one namespace on the real one.
    enum Scope: String, Sendable, CaseIterable {
        case cluster
        case namespace

        fileprivate var folder: String {
            switch self {
            case .cluster: "manifests/operator"
            case .namespace: "manifests/operator-namespaced"
            }
        }

        /// Where it is installed according to the manifests.
        fileprivate var namespaceInManifests: String {
            switch self {
            case .cluster: "velokube-system"
            case .namespace: "ns1"
            }
        }
    }

    /// Where the resources are, and the operator.
    let namespace: String
    let scope: Scope
    let cluster: RealCluster
    private let apiServer: ChildProgram?
    private let vco: ChildProgram
    private let vcoURL: String
    private let folder: String
    private let curl = CurlTransport(userAgent: "velokube-tests")

    /// `namespace` has to be new.
    init(_ scope: Scope, namespace: String) async throws {
        var template = Array("/tmp/velokube-installed.XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        self.scope = scope
        self.namespace = namespace
        vco = try ChildProgram("velokube-sim", ["vco"])
        vcoURL = try #require(try await vco.says("listening on").split(separator: " ").last.map(String.init))
        switch scope {
        case .cluster:
            let path = "\(folder)/admin.kubeconfig"
            let server = try ChildProgram("velokube-sim", ["kube", "--kubeconfig-out", path, "--log-requests"])
            try await server.says("listening on")
            apiServer = server
            cluster = try await RealCluster(kubeconfig: path, namespace: namespace)
        case .namespace:
            apiServer = nil
            cluster = try await RealCluster(namespace: namespace)
        }
    }

    deinit {
        curl.shutDown()
        let ledger = ["", "-wal", "-shm", ".lock"].map { "ledger.db\($0)" }
        let other = ledger.map { "other-\($0)" }
        for name in ["admin.kubeconfig", "kubeconfig"] + ledger + other { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// The operator's account and its roles, as the manifests have them, in our namespace.
    private func account() async throws -> [JSON] {
        let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]
        let text = try await cluster.kubectl("apply -k \(RealCluster.root)/\(scope.folder) --dry-run=client -o json")
            .replacing("\"\(scope.namespaceInManifests)\"", with: "\"\(namespace)\"")
        let items = try #require(try JSON.parse(Array(text.utf8))["items"]?.array)
        return items.filter { kinds.contains($0["kind"]?.string ?? "") }
    }

    /// Every right that the operator's roles have.
    func rights() async throws -> Set<Right> {
        var rights: Set<Right> = []
        for rule in try await account().flatMap({ $0["rules"]?.array ?? [] }) {
            for resource in rule["resources"]?.array ?? [] {
                for verb in rule["verbs"]?.array ?? [] {
                    rights.insert(Right(verb: verb.string ?? "", resource: resource.string ?? ""))
                }
            }
        }
        return rights
    }

    /// Makes the account with all its rights but these, a resource and a limit.
    func install(without missing: Set<Right> = []) async throws {
        let place = #""namespace":"\#(namespace)""#
        let resource = """
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"web",\(place)},\
            "spec":{"profile":"\(World.profile)","fqdn":"app.vcn.cloud","dport":443,"bandwidth-limit":10}}
            """
        let limit = """
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudLimit","metadata":{"name":"most",\(place)},\
            "spec":{"bandwidth-limit":{"maximum":50}}}
            """
        let account = try await account().map { $0.lacking(missing).serializedText() }
        let items = (account + [resource, limit]).joined(separator: ",")
        try await cluster.kubectl("apply -f -", input: #"{"apiVersion":"v1","kind":"List","items":[\#(items)]}"#)
        try await writeKubeconfig(token: cluster.kubectl("create token velokube -n \(namespace) --duration 1h"))
    }

    /// That of the administrator, with another token.
    private func writeKubeconfig(token: String) async throws {
        let lines = try await cluster.kubectl("config view --raw --flatten").split(separator: "\n")
        let text = lines.map { line in
            let start = line.prefix { $0 == " " }
            return line.dropFirst(start.count).hasPrefix("token: ") ? "\(start)token: \(token)" : String(line)
        }
        let file = try #require(fopen("\(folder)/kubeconfig", "w"))
        fputs(text.joined(separator: "\n"), file)
        fclose(file)
    }

    /// Starts the operator; a second time it finds the ledger of the first.
    func start() throws -> ChildProgram {
        try velokube(["run", "--listen", "127.0.0.1:0", "--resync", "1s", "--log-level", "debug"])
    }

    /// Starts the uninstallation as the Job does: with the operator's account and settings, and its ledger or another.
    func uninstall(_ more: [String] = [], ledger: String = "ledger.db") throws -> ChildProgram {
        try velokube(["uninstall"] + more, ledger: ledger)
    }

    private func velokube(_ arguments: [String], ledger: String = "ledger.db") throws -> ChildProgram {
        let place = ["--kubeconfig", "\(folder)/kubeconfig", "--vco-url", vcoURL, "--state", "\(folder)/\(ledger)"]
        return try ChildProgram(
            "velokube", arguments + place + (scope == .namespace ? ["--namespace", namespace] : []),
            variables: [
                "VCO_TOKEN": "t", "VELOKUBE_LEADER_ELECT": "true", "VELOKUBE_LEADER_ELECT_NAMESPACE": namespace,
            ])
    }

    /// Waits until the resource has its rule, and the limit has been judged.
    func settles() async throws {
        for what in ["Ready velo/web", "Valid velolimit/most"] {
            try await cluster.kubectl("wait -n \(namespace) --for=condition=\(what) --timeout=60s")
        }
    }

    /// The resource or the limit as it is now.
    func object(_ name: String) async throws -> JSON {
        try await JSON.parse(Array(cluster.kubectl("get -n \(namespace) \(name) -o json").utf8))
    }

    /// The rules on the VCO that bear the resource's name.
    func rules() async throws -> [JSON] {
        let request = HTTPRequest(.get, url: "\(vcoURL)/sim/rules?name=\(namespace).web")
        let response = try await curl.send(request)
        return try #require(try JSON.parse(await response.body.collect()).array)
    }

    /// Lets calls of the VCO fail, or none.
    func vcoFault(_ fault: String?) async throws {
        try await inject(fault, at: "\(vcoURL)/sim/faults")
    }

    /// Lets calls of the simulated API server fail, or none.
    func apiFault(_ fault: String?) async throws {
        let line = try #require(try await apiServer?.says("listening on"))
        let url = try #require(line.split(separator: " ").last)
        try await inject(fault, at: "\(url)/sim/kube/faults")
    }

    private func inject(_ fault: String?, at url: String) async throws {
        let request = HTTPRequest(fault == nil ? .delete : .post, url: url, body: fault.map { Array($0.utf8) })
        try #require(try await curl.send(request).status == 200)
    }

    /// Removes the rule behind the operator's back.
    func removeRule() async throws {
        let edit = #"{"edit":"delete-rule","profile":101,"rule":"\#(namespace).web"}"#
        let request = HTTPRequest(.post, url: "\(vcoURL)/sim/edit", body: Array(edit.utf8))
        try #require(try await curl.send(request).status == 200)
    }

    /// Takes the resource away without its finalizer having run.
    func removeResource() async throws {
        try await cluster.kubectl(
            #"patch velo web -n \#(namespace) --type merge -p '{"metadata":{"finalizers":null}}'"#)
        try await cluster.kubectl("delete velo web -n \(namespace)")
    }

    /// What the process answers on a path of its own port.
    func ask(_ program: ChildProgram, _ path: String) async throws -> (status: Int, body: String) {
        let line = try await program.says(" listening address=")
        let address = try #require(line.split(separator: "=").last)
        let response = try await curl.send(HTTPRequest(.get, url: "http://\(address)\(path)"))
        return (response.status, String(decoding: try await response.body.collect(), as: UTF8.self))
    }

    /// What the simulated API server has refused for want of a right; nothing is known of the real one.
    var refusals: [String] { apiServer?.lines.filter { $0.hasSuffix(" 403") } ?? [] }
}

extension JSON {
    /// A role without these rights; anything else as it is.
    fileprivate func lacking(_ missing: Set<Right>) -> JSON {
        guard let rules = self["rules"]?.array else { return self }
        let others = rules.flatMap { rule in
            (rule["resources"]?.array ?? []).map { resource in
                let verbs = (rule["verbs"]?.array ?? []).filter {
                    !missing.contains(Right(verb: $0.string ?? "", resource: resource.string ?? ""))
                }
                return rule.setting("resources", .array([resource])).setting("verbs", .array(verbs))
            }
        }
        return setting("rules", .array(others.filter { $0["verbs"]?.array?.isEmpty == false }))
    }

    private func setting(_ name: String, _ value: JSON) -> JSON {
        .object((members ?? []).filter { $0.name != name } + [JSON.Member(name, value)])
    }
}
