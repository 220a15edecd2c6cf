import BusinessPolicy
import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesCredentialTests {
    private static let object = #"{"metadata":{"name":"x"}}"#
    private static let refused = #"{"kind":"Status","reason":"Unauthorized","code":401}"#

    private func get(_ client: KubernetesClient) async -> KubernetesError? {
        await kubernetesFailure { () async throws(KubernetesError) in
            try await client.get(.velocloudBP, namespace: "shop", name: "x")
        }
    }

    private func client(
        _ folder: KubernetesFolder, user: String, _ script: KubernetesScript, clock: KubernetesClock
    ) throws -> KubernetesClient {
        let path = folder.write(
            "config",
            """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://k.example"}}]
            users: [{name: u, user: \(user)}]
            """)
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: path, context: nil, environment: [:])
        return KubernetesClient(configuration: configuration, transport: script, now: clock.read)
    }

    /// A token file's new content is used once its five seconds are over, without a restart.
    @Test func tokenRotates() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "first\n")
        let script = KubernetesScript(
            KubernetesScript.reply(Self.object), KubernetesScript.reply(Self.object))
        let clock = KubernetesClock()
        let client = try client(folder, user: "{tokenFile: token}", script, clock: clock)
        #expect(await get(client) == nil)
        #expect(await script.lastHeader("Authorization") == "Bearer first")
        folder.write("token", "second\n")
        clock.advance(seconds: 6)
        #expect(await get(client) == nil)
        #expect(await script.lastHeader("Authorization") == "Bearer second")
    }

    /// Told to look, it does so before the five seconds are over.
    @Test func tokenIsLookedAtWhenTold() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "first")
        let script = KubernetesScript(
            KubernetesScript.reply(Self.object), KubernetesScript.reply(Self.object))
        let client = try client(folder, user: "{tokenFile: token}", script, clock: KubernetesClock())
        #expect(await get(client) == nil)
        folder.write("token", "second")
        client.invalidateCredentials()
        #expect(await get(client) == nil)
        #expect(await script.lastHeader("Authorization") == "Bearer second")
    }

    /// A 401 looks at the token file at once and tries once more, also for a write: a 401 comes before any effect.
    @Test func tokenRotatesUnderUs() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "old")
        let script = KubernetesScript(
            { _ in
                folder.write("token", "new")
                return .success(KubernetesScript.response(401, chunks: [Array(Self.refused.utf8)]))
            }, KubernetesScript.reply(Self.object))
        let client = try client(folder, user: "{tokenFile: token}", script, clock: KubernetesClock())
        _ = try await client.patch(
            .velocloudBP, namespace: "shop", name: "x", subresource: nil, body: .object([]))
        let requests = await script.requests
        #expect(
            requests.map { $0.headers.filter { $0.name == "Authorization" }.map(\.value) }
                == [["Bearer old"], ["Bearer new"]])
        #expect(requests[0].url == requests[1].url)
        #expect(requests[0].body == requests[1].body)
    }

    /// A second 401 is the answer: two requests, no more.
    @Test func unauthorizedTwice() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "old")
        let script = KubernetesScript(
            KubernetesScript.reply(401, Self.refused), KubernetesScript.reply(401, Self.refused),
            KubernetesScript.reply(Self.object))
        let client = try client(folder, user: "{tokenFile: token}", script, clock: KubernetesClock())
        let failure = await get(client)
        #expect(failure == .status(APIStatus(code: 401, reason: "Unauthorized")))
        #expect(await script.requests.count == 2)
    }

    /// A token that stands in the kubeconfig cannot have rotated, so a 401 is not tried again.
    @Test func inlineTokenIsNotTriedAgain() async throws {
        let folder = try KubernetesFolder()
        let script = KubernetesScript(KubernetesScript.reply(401, Self.refused), KubernetesScript.reply(Self.object))
        let client = try client(folder, user: "{token: secret-1}", script, clock: KubernetesClock())
        #expect(await get(client) == .status(APIStatus(code: 401, reason: "Unauthorized")))
        #expect(await script.lastHeader("Authorization") == "Bearer secret-1")
        #expect(await script.requests.count == 1)
    }

    /// A watch is refused and tried again in the same way.
    @Test func watchTriesAgain() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "old")
        let script = KubernetesScript(
            KubernetesScript.reply(401, Self.refused),
            KubernetesScript.reply(#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"# + "\n"))
        let client = try client(folder, user: "{tokenFile: token}", script, clock: KubernetesClock())
        let stream = try await client.watch(
            .velocloudBP, namespace: nil, from: "1", timeoutSeconds: 300, idle: .seconds(310))
        #expect(try await stream.next() == .bookmark(resourceVersion: "9"))
    }

    /// A token file that vanished for a moment does no harm: what it held is used until the server refuses that.
    @Test func tokenFileVanishes() async throws {
        let folder = try KubernetesFolder()
        folder.write("token", "good")
        let script = KubernetesScript(
            KubernetesScript.reply(Self.object), KubernetesScript.reply(Self.object),
            KubernetesScript.reply(401, Self.refused))
        let clock = KubernetesClock()
        let client = try client(folder, user: "{tokenFile: token}", script, clock: clock)
        #expect(await get(client) == nil)
        folder.remove("token")
        clock.advance(seconds: 6)
        #expect(await get(client) == nil)
        #expect(await script.lastHeader("Authorization") == "Bearer good")
        let failure = await get(client)
        guard case .credential(let words) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(words.contains(folder.path + "/token"))
        #expect(await script.requests.count == 3)
    }

    /// A token that cannot stand in a header is our trouble, said with its path and never with its content; it is not
    /// sent, so it can neither split the request nor end up in someone's log.
    @Test(arguments: ["two words", "line\nbreak: x", "b\u{e9}", "nul\u{0}"])
    func tokenIsNoToken(content: String) async throws {
        let folder = try KubernetesFolder()
        folder.write("token", content)
        let script = KubernetesScript()
        let failure = await get(try client(folder, user: "{tokenFile: token}", script, clock: KubernetesClock()))
        #expect(
            failure
                == .credential(
                    "the token of \(folder.path)/token is empty or has characters that cannot stand in a header"))
        #expect(await script.requests.isEmpty)
    }
}
