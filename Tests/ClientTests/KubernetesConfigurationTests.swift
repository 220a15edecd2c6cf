import HTTPTransport
import Kubernetes
import Testing

/// What stands in the configuration is looked at by the request that it makes.
func kubernetesRequest(of configuration: ClusterConfiguration) async throws -> HTTPRequest {
    let script = KubernetesScript(KubernetesScript.reply(#"{"metadata":{}}"#))
    let client = KubernetesClient(configuration: configuration, transport: script, now: { 0 })
    _ = try await client.get(.velocloudBP, namespace: "n", name: "x")
    return try #require(await script.requests.first)
}

/// What resolving a configuration that cannot work says.
func kubernetesProblem(
    kubeURL: String? = nil, kubeconfig: String? = nil, context: String? = nil, environment: [String: String] = [:],
    root: String = "/nowhere"
) -> String? {
    do throws(ConfigurationError) {
        _ = try ClusterConfiguration.resolve(
            kubeURL: kubeURL, kubeconfig: kubeconfig, context: context, environment: environment, root: root)
        return nil
    } catch {
        return error.message
    }
}

/// PEM that is none but looks like it; the transport is the one that reads it.
let pemForTests = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

@Suite struct KubernetesConfigurationTests {
    private static let account = "var/run/secrets/kubernetes.io/serviceaccount/"
    private static let pod = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"]

    private static func config(server: String) -> String {
        "{current-context: c, contexts: [{name: c, context: {cluster: k}}], "
            + "clusters: [{name: k, cluster: {server: \"\(server)\"}}]}"
    }

    /// A folder in which every source of a configuration is there.
    private static func everything() throws -> KubernetesFolder {
        let folder = try KubernetesFolder()
        folder.write("flag", config(server: "https://flag"))
        folder.write("variable", config(server: "https://variable"))
        folder.write(".kube/config", config(server: "https://home"))
        folder.write(account + "token", "pod-token\n")
        folder.write(account + "ca.crt", pemForTests)
        folder.write(account + "namespace", "velokube\n")
        return folder
    }

    /// The order: plain URL, kubeconfig by flag, by variable, the pod's service account, then the home folder.
    @Test func order() throws {
        let folder = try Self.everything()
        let variable = ["KUBECONFIG": folder.path + "/variable"]
        let home = ["HOME": folder.path]
        func server(_ url: String?, _ file: String?, _ environment: [String: String]...) throws -> String {
            let merged = environment.reduce(into: [:]) { $0.merge($1) { $1 } }
            return try ClusterConfiguration.resolve(
                kubeURL: url, kubeconfig: file.map { folder.path + "/" + $0 }, context: nil, environment: merged,
                root: folder.path
            ).server
        }
        #expect(try server("http://localhost:8001", "flag", variable, home, Self.pod) == "http://localhost:8001")
        #expect(try server(nil, "flag", variable, home, Self.pod) == "https://flag")
        #expect(try server(nil, nil, variable, home, Self.pod) == "https://variable")
        #expect(try server("", nil, ["KUBECONFIG": ""], home, Self.pod) == "https://10.0.0.1:443")
        #expect(try server(nil, nil, home) == "https://home")
    }

    /// Without any source the error names all of them.
    @Test func nothing() throws {
        let folder = try KubernetesFolder()
        for environment in [[:], ["HOME": folder.path], Self.pod] {
            let problem = try #require(kubernetesProblem(environment: environment, root: folder.path))
            for way in ["--kube-url", "--kubeconfig", "KUBECONFIG", "service account", "~/.kube/config"] {
                #expect(problem.contains(way))
            }
        }
    }

    /// A context is an entry of a kubeconfig: it passes the service account over, and beside a URL it is a mistake.
    @Test func contextNeedsKubeconfig() throws {
        let folder = try Self.everything()
        let found = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: nil, context: "c", environment: Self.pod.merging(["HOME": folder.path]) { $1 },
            root: folder.path)
        #expect(found.server == "https://home")
        #expect(try #require(kubernetesProblem(kubeURL: "http://localhost", context: "c")).contains("--context"))
    }

    /// In a pod: the mounted token, authorities and namespace, and the address that the kubelet gives.
    @Test func serviceAccount() async throws {
        let folder = try Self.everything()
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: nil, context: nil, environment: Self.pod, root: folder.path)
        #expect(configuration.defaultNamespace == "velokube" && configuration.podNamespace == "velokube")
        #expect(configuration.warnings.isEmpty)
        let request = try await kubernetesRequest(of: configuration)
        #expect(request.url.hasPrefix("https://10.0.0.1:443/apis/"))
        #expect(request.headers.contains(HTTPHeader("Authorization", "Bearer pod-token")))
        #expect(request.security == HTTPRequest.Security(authorities: Array(pemForTests.utf8)))
    }

    /// IPv6 addresses stand in brackets, whether the kubelet gave them or not.
    @Test(arguments: ["fd00::1", "[fd00::1]"])
    func serviceAccountOnIPv6(host: String) throws {
        let folder = try Self.everything()
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: nil, context: nil,
            environment: ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "6443"], root: folder.path)
        #expect(configuration.server == "https://[fd00::1]:6443")
    }

    /// A pod without ca.crt is checked by the system's authorities, and told so; a broken ca.crt is an error.
    @Test func serviceAccountAuthorities() throws {
        let folder = try Self.everything()
        folder.write(Self.account + "ca.crt", "not a certificate")
        let problem = try #require(kubernetesProblem(environment: Self.pod, root: folder.path))
        #expect(problem.contains("PEM"))
        folder.remove(Self.account + "ca.crt")
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: nil, context: nil, environment: Self.pod, root: folder.path)
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings[0].contains("ca.crt"))
    }

    /// A URL that cannot be an API server's is refused in words, and what may be a password in it is not repeated.
    @Test(arguments: [
        "localhost:8001", "ftp://host", "https://", "https:///path", "https://user:hunter2@host", "https://host?x=1",
        "https://host#f", "https://ho st", "https://h\u{e9}", "https://host\nX-Evil: 1", "https://:443",
    ])
    func badURL(url: String) throws {
        let problem = try #require(kubernetesProblem(kubeURL: url))
        #expect(problem.hasPrefix("--kube-url: the server "))
        #expect(!problem.contains("hunter2") && !problem.contains("\n"))
    }

    /// A plain URL sends no credential, whatever else is there.
    @Test func plainURL() async throws {
        let folder = try Self.everything()
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: "http://127.0.0.1:8001//", kubeconfig: nil, context: nil, environment: Self.pod,
            root: folder.path)
        let request = try await kubernetesRequest(of: configuration)
        #expect(request.url.hasPrefix("http://127.0.0.1:8001/apis/"))
        #expect(!request.headers.contains { $0.name == "Authorization" })
        #expect(request.security == HTTPRequest.Security())
        #expect(configuration.defaultNamespace == nil)
    }

    /// A configuration that ends up in a log shows no secret.
    @Test func printed() throws {
        let folder = try KubernetesFolder()
        let path = folder.write(
            "config",
            """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://k"}}]
            users: [{name: u, user: {token: hunter2}}]
            """)
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: path, context: nil, environment: [:])
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(configuration)".contains("hunter2"))
        #expect(!String(reflecting: configuration).contains("hunter2"))
    }
}
