import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesKubeconfigTests {
    /// A kubeconfig with one context `c` of one cluster `k` and one user `u`, whose members are given.
    private static func config(cluster: String = "", user: String = "") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: c
        preferences: {}
        contexts:
        - name: c
          context: {cluster: k, user: u, namespace: shop}
        clusters:
        - name: k
          cluster: {server: "https://k.example:6443"\(cluster.isEmpty ? "" : ", " + cluster)}
        users:
        - name: u
          user: {\(user)}
        """
    }

    private func resolve(_ path: String, context: String? = nil) throws -> ClusterConfiguration {
        try ClusterConfiguration.resolve(kubeURL: nil, kubeconfig: path, context: context, environment: [:])
    }

    /// The request that a kubeconfig of that text makes.
    private func request(_ text: String, in folder: KubernetesFolder) async throws -> HTTPRequest {
        try await kubernetesRequest(of: resolve(folder.write("config", text)))
    }

    private func authorization(_ request: HTTPRequest) -> [String] {
        request.headers.filter { $0.name == "Authorization" }.map(\.value)
    }

    /// The context's cluster, user and namespace; quoted and plain texts, and numbers where a text is meant.
    @Test func context() async throws {
        let folder = try KubernetesFolder()
        let configuration = try resolve(folder.write("config", Self.config(user: "token: 12345")))
        #expect(configuration.server == "https://k.example:6443")
        #expect(configuration.defaultNamespace == "shop" && configuration.podNamespace == nil)
        #expect(configuration.warnings.isEmpty)
        #expect(authorization(try await kubernetesRequest(of: configuration)) == ["Bearer 12345"])
    }

    /// `--context` picks another entry than the current one.
    @Test func otherContext() throws {
        let folder = try KubernetesFolder()
        let path = folder.write(
            "config",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: one}}, {name: b, context: {cluster: two}}]
            clusters: [{name: one, cluster: {server: "https://one"}}, {name: two, cluster: {server: "https://two/"}}]
            """)
        #expect(try resolve(path).server == "https://one")
        #expect(try resolve(path, context: "b").server == "https://two")
        let problem = try #require(kubernetesProblem(kubeconfig: path, context: "z"))
        #expect(problem == "\(path): there is no context \"z\" (there are: a, b)")
    }

    /// JSON is YAML, and anchors work.
    @Test func otherSpellings() async throws {
        let folder = try KubernetesFolder()
        let json = #"""
            {"kind":"Config","current-context":"c","clusters":[{"name":"k","cluster":{"server":"https://j"}}],
            "contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],"users":[{"name":"u","user":{"token":"t"}}]}
            """#
        #expect(authorization(try await request(json, in: folder)) == ["Bearer t"])
        let anchors = """
            current-context: &name c
            contexts: [{name: *name, context: {cluster: k}}]
            clusters: [{name: k, cluster: {server: "https://a", certificate-authority: null}}]
            users: null
            """
        #expect(try await request(anchors, in: folder).url.hasPrefix("https://a/"))
    }

    /// Data in the file wins over a path; a path begins at the kubeconfig's own folder.
    @Test func material() async throws {
        let folder = try KubernetesFolder()
        folder.write("pki/ca.pem", pemForTests + "file")
        folder.write("pki/cert.pem", pemForTests + "cert")
        folder.write("pki/key.pem", "key")
        let files = try await request(
            Self.config(
                cluster: "certificate-authority: pki/ca.pem",
                user: "client-certificate: \(folder.path)/pki/cert.pem, client-key: ./pki/key.pem"), in: folder)
        #expect(files.security.authorities == Array((pemForTests + "file").utf8))
        #expect(files.security.clientCertificate == Array((pemForTests + "cert").utf8))
        #expect(files.security.clientKey == Array("key".utf8))
        // Base64 of pemForTests.
        let data = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
        let inline = try await request(
            Self.config(
                cluster: "certificate-authority: nowhere, certificate-authority-data: \(data)",
                user: "client-certificate-data: \(data), client-key-data: a2V5"), in: folder)
        #expect(inline.security.authorities == Array(pemForTests.utf8))
        #expect(inline.security.clientCertificate == Array(pemForTests.utf8))
        #expect(inline.security.clientKey == Array("key".utf8))
    }

    /// Base64 of every length, with line breaks, is what stands for its bytes.
    @Test(arguments: [
        ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9v\\nYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"), ("8J+YgC8/Pg==", "😀/?>"),
    ])
    func base64(data: String, text: String) async throws {
        let folder = try KubernetesFolder()
        folder.write("cert", pemForTests)
        let user = "client-certificate: cert, client-key-data: \"\(data)\""
        let request = try await request(Self.config(user: user), in: folder)
        #expect(request.security.clientKey == Array(text.utf8))
    }

    /// A token file wins over a token; a user and password make a Basic header.
    @Test(arguments: [
        ("token: t", "Bearer t"), ("token: t, tokenFile: token", "Bearer from-file"),
        ("username: me, password: hunter2", "Basic bWU6aHVudGVyMg=="), ("username: me", "Basic bWU6"),
        ("token: 0123_4", "Bearer 0123_4"), ("token: yes", "Bearer yes"), ("token: \"\"", nil),
        ("exec: null, token: t", "Bearer t"),
    ])
    func credentials(user: String, header: String?) async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "from-file\n")
        let request = try await request(Self.config(user: user), in: folder)
        #expect(authorization(request) == [header].compactMap(\.self))
    }

    /// What weakens or redirects the connection is done, and said in a warning.
    @Test(arguments: [
        ("insecure-skip-tls-verify: true", HTTPRequest.Security(isVerificationOff: true)),
        ("tls-server-name: k8s.internal", HTTPRequest.Security(serverName: "k8s.internal")),
        ("proxy-url: \"http://proxy:3128\"", HTTPRequest.Security(proxyURL: "http://proxy:3128")),
    ])
    func warned(cluster: String, security: HTTPRequest.Security) async throws {
        let folder = try KubernetesFolder()
        let path = folder.write("config", Self.config(cluster: cluster))
        let configuration = try resolve(path)
        #expect(try await kubernetesRequest(of: configuration).security == security)
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings[0].hasPrefix("\(path): cluster \"k\" has \(cluster.prefix { $0 != ":" })"))
    }

    /// A credential over plain HTTP to another machine is warned of; on this machine, or without one, there is no harm.
    @Test(arguments: [
        ("http://far.example", "token: t", 1), ("http://localhost:1", "token: t", 0), ("http://[::1]:1", "token: t", 0),
        ("http://127.0.0.1", "username: u", 0), ("http://far.example", "", 0), ("https://far.example", "token: t", 0),
    ])
    func plainHTTP(server: String, user: String, warnings: Int) throws {
        let folder = try KubernetesFolder()
        let text = Self.config(user: user).replacing("https://k.example:6443", with: server)
        #expect(try resolve(folder.write("config", text)).warnings.count == warnings)
    }

    /// Of several files the first that has an entry or a current context wins, whole; files that are not there are
    /// passed over, and each path begins at the folder of its own file.
    @Test func merging() async throws {
        let folder = try KubernetesFolder()
        folder.write("two/token", "second-token")
        folder.write(
            "one/config",
            """
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://first"}}]
            """)
        folder.write(
            "two/config",
            """
            current-context: c
            contexts: [{name: c, context: {cluster: other}}, {name: d, context: {cluster: k}}]
            clusters: [{name: k, cluster: {server: "https://second", tls-server-name: x}}]
            users: [{name: u, user: {tokenFile: token}}]
            """)
        folder.write("three", "current-context: d")
        let list = ["missing", "one/config", "two/config", "three"].map { folder.path + "/" + $0 }
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: nil, context: nil,
            environment: ["KUBECONFIG": list.joined(separator: ":")])
        let request = try await kubernetesRequest(of: configuration)
        #expect(configuration.server == "https://first")
        #expect(request.security.serverName == nil)
        #expect(authorization(request) == ["Bearer second-token"])
    }

    /// A kubeconfig that was named must be there.
    @Test func missing() throws {
        let problem = try #require(kubernetesProblem(kubeconfig: "/nowhere/config:/nowhere/either"))
        #expect(problem.hasPrefix("there is no kubeconfig at /nowhere/config, /nowhere/either"))
    }
}
