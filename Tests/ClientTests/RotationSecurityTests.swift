import FoundationEssentials
import HTTPTransport
import Kubernetes
import Orchestrator
import Testing

/// Authorities and certificates that change under a running client, over real TLS.
@Suite(.timeLimit(.minutes(1)), .enabled(if: TransportFront.isInstalled))
struct RotationSecurityTests {
    private let transport = CurlTransport(userAgent: "velokube-tests", proxies: ProxyVariables { _ in nil })
    private let clock = KubernetesClock()

    /// A kubeconfig whose authority, certificate and key change in it, or in the files that it names: the next request
    /// trusts the new authority and shows the new certificate, and the old connection does not outlive the old one.
    @Test(arguments: [true, false])
    func kubeconfig(isInline: Bool) async throws {
        let (authority, other) = (await TransportAuthority(), await TransportAuthority())
        await authority.sign("leaf")
        for authority in [authority, other] { await authority.sign("client") }
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(body: Array(#"{"metadata":{"name":"x"}}"#.utf8)) }
        }
        let front = try await TransportFront(
            server, authority: authority, certificate: "leaf",
            options: ["--verify-client", "--verify-client-cacert=\(authority.folder.file("ca.pem"))"])
        let folder = try KubernetesFolder()
        func configuration(
            trusting trusted: TransportAuthority, knownBy issuer: TransportAuthority
        ) throws -> ClusterConfiguration {
            let material = [
                ("certificate-authority", trusted.pem), ("client-certificate", issuer.folder.read("client.pem")),
                ("client-key", issuer.folder.read("client.key")),
            ]
            let entries = material.map { name, bytes in
                guard !isInline else { return "\(name)-data: \(Data(bytes).base64EncodedString())" }
                folder.writeBytes(name, bytes)
                return "\(name): \(name)"
            }
            let path = folder.write(
                "config",
                """
                current-context: c
                contexts: [{name: c, context: {cluster: k, user: u}}]
                clusters: [{name: k, cluster: {server: "\(front.url(""))", \(entries[0])}}]
                users: [{name: u, user: {\(entries[1]), \(entries[2])}}]
                """)
            return try ClusterConfiguration.resolve(kubeURL: nil, kubeconfig: path, context: nil, environment: [:])
        }
        let client = KubernetesClient(
            configuration: try configuration(trusting: other, knownBy: other), transport: transport, now: clock.read)
        func failure() async -> KubernetesError? {
            await kubernetesFailure { () async throws(KubernetesError) in
                try await client.get(.velocloudBP, namespace: "shop", name: "x")
            }
        }
        func rotate(trusting trusted: TransportAuthority, knownBy issuer: TransportAuthority) throws {
            let configuration = try configuration(trusting: trusted, knownBy: issuer)
            // Who names files is not changed by what is in them.
            if isInline { client.follow(configuration) } else { clock.advance(seconds: 6) }
        }

        let untrusted = "\(String(describing: await failure()))"
        #expect(untrusted.contains("signed by an authority that is not trusted"), "\(untrusted)")
        try rotate(trusting: authority, knownBy: authority)
        #expect(await failure() == nil)
        #expect(server.log.requests.count == 1)
        try rotate(trusting: authority, knownBy: other)
        #expect(await failure() != nil)
        #expect(server.log.requests.count == 1)
        try rotate(trusting: authority, knownBy: authority)
        #expect(await failure() == nil)
        transport.shutDown()
    }

    /// The VCO's authority changes in the file of `--vco-ca`, to the right one and away from it.
    @Test func authorityOfTheVCO() async throws {
        let (authority, other) = (await TransportAuthority(), await TransportAuthority())
        await authority.sign("leaf")
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(body: Array("[]".utf8)) }
        }
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let folder = try KubernetesFolder()
        let client = OrchestratorClient(
            configuration: try OrchestratorConfiguration.resolve(
                url: front.url("/portal/rest"), tokenFile: nil, token: "t",
                caFile: folder.writeBytes("ca", other.pem), enterpriseID: nil, allowsInsecureHTTP: false),
            transport: transport, now: clock.read)
        for (trusted, isTrusted) in [(other, false), (authority, true), (other, false), (authority, true)] {
            folder.writeBytes("ca", trusted.pem)
            clock.advance(seconds: 6)
            do throws(OrchestratorError) {
                _ = try await client.profiles()
                #expect(isTrusted)
            } catch {
                #expect(!isTrusted, "\(error)")
            }
        }
        #expect(server.log.requests.count == 2)
        transport.shutDown()
    }
}
