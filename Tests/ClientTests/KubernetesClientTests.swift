import BusinessPolicy
import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesClientTests {
    private static let bp = ResourceKind.velocloudBP
    private static let object = #"{"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"x"}}"#
    private static let list =
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"7"},"items":[]}"#

    /// A list asks for what it was told, in a fixed order, percent-encoded, and with the fixed headers.
    @Test func listRequest() async throws {
        let script = KubernetesScript(
            KubernetesScript.reply(Self.list), KubernetesScript.reply(Self.list), KubernetesScript.reply(Self.list))
        let client = try plainClient(script)
        _ = try await client.list(
            Self.bp, namespace: nil, resourceVersion: "0", limit: 500, continueToken: nil
        ) { $0 }
        _ = try await client.list(
            Self.bp, namespace: "shop", resourceVersion: nil, limit: 500, continueToken: "a+b/c=&d"
        ) { $0 }
        _ = try await client.list(Self.bp, namespace: nil, resourceVersion: nil, limit: nil, continueToken: nil) { $0 }
        let requests = await script.requests
        let base = "https://api.example:6443/apis/vcn.cloud/v1"
        #expect(
            requests.map(\.url) == [
                base + "/velocloudbps?limit=500&resourceVersion=0",
                base + "/namespaces/shop/velocloudbps?limit=500&continue=a%2Bb%2Fc%3D%26d",
                base + "/velocloudbps",
            ])
        #expect(
            requests[0].headers == [
                HTTPHeader("Accept", "application/json"), HTTPHeader("Accept-Encoding", "identity"),
                HTTPHeader("User-Agent", "velokube"),
            ])
        #expect(requests[0].method == .get)
        #expect(requests[0].body == nil)
    }

    /// Lists may be large and slow as a whole; single objects have 30 seconds; nothing is without a limit.
    @Test func limits() async throws {
        let script = KubernetesScript(KubernetesScript.reply(Self.list), KubernetesScript.reply(Self.object))
        let client = try plainClient(script)
        _ = try await client.list(Self.bp, namespace: nil, resourceVersion: nil, limit: nil, continueToken: nil) { $0 }
        _ = try await client.get(Self.bp, namespace: "shop", name: "x")
        let requests = await script.requests
        #expect(requests[0].bodyBytesMax == 512 << 20)
        #expect(requests[0].timeouts.idle == .seconds(30))
        #expect(requests[0].timeouts.whole == .seconds(300))
        #expect(requests[1].bodyBytesMax == 32 << 20)
        #expect(requests[1].timeouts.whole == .seconds(30))
        #expect(requests[1].timeouts.firstByte == .seconds(30))
    }

    /// Each call is told of with what came of it: a right that is missing is another thing than what admission refuses.
    @Test(arguments: [
        (200, "", KubernetesCall.Result.ok), (401, "", .unauthorized), (404, "", .notFound), (409, "", .conflict),
        (429, "", .throttled), (422, "", .rejected), (503, "", .failed),
        (403, #"velocloudbps.vcn.cloud is forbidden: User "x" cannot patch resource "velocloudbps""#, .forbidden),
        (403, "unable to create new content in namespace shop because it is being terminated", .rejected),
    ])
    func callsAreToldOf(code: Int, message: String, result: KubernetesCall.Result) async throws {
        let words = message.replacing("\"", with: "\\\"")
        let status = #"{"kind":"Status","code":\#(code),"message":"\#(words)"}"#
        let script = KubernetesScript(
            code == 200 ? KubernetesScript.reply(Self.object) : KubernetesScript.reply(code, status))
        let calls = Locked<[KubernetesCall]>([])
        let client = KubernetesClient(
            configuration: try ClusterConfiguration.resolve(
                kubeURL: "https://api.example:6443", kubeconfig: nil, context: nil, environment: [:]),
            transport: script, now: { 0 }, onCall: { call in calls.withLock { $0.append(call) } })
        _ = await kubernetesFailure { () throws(KubernetesError) in
            try await client.patch(Self.bp, namespace: "shop", name: "x", subresource: "status", body: .object([]))
        }
        #expect(
            calls.withLock { $0 } == [KubernetesCall(verb: .patch, resource: "velocloudbps/status", result: result)])
    }

    /// A page gives its items, without what is not looked at, its version and its token; an empty one is the last.
    @Test func listPage() async throws {
        let script = KubernetesScript(
            KubernetesScript.reply(
                #"""
                {"kind":"VelocloudBPList","metadata":{"resourceVersion":"12","continue":"next"},"items":[
                 {"metadata":{"name":"a","managedFields":[{"manager":"kubectl"}],"uid":"1","annotations":
                 {"kubectl.kubernetes.io/last-applied-configuration":"{\"a\":\"\u00e4\"}","b":"c"}},
                 "spec":{"order":1.0}}]}
                """#),
            KubernetesScript.reply(
                #"{"kind":"EventList","metadata":{"resourceVersion":"12","continue":""},"items":null}"#))
        let client = try plainClient(script)
        let page = try await client.list(Self.bp, namespace: nil, resourceVersion: nil, limit: 1, continueToken: nil) {
            $0
        }
        let last = try await client.list(.event, namespace: nil, resourceVersion: nil, limit: 1, continueToken: "n") {
            $0
        }
        #expect(page.resourceVersion == "12")
        #expect(page.continueToken == "next")
        #expect(
            page.items.map { $0.serializedText() }
                == [#"{"metadata":{"name":"a","uid":"1","annotations":{"b":"c"}},"spec":{"order":1.0}}"#])
        #expect(last == ListPage(items: [], resourceVersion: "12"))
    }

    /// Wherever the network cuts a list in two, in a name, an escape or a bracket, its items are the same; brackets,
    /// quotes and the word "items" inside of them are not taken for the list's own.
    @Test func listCutAnywhere() async throws {
        let items = [
            #"{"metadata":{"name":"ä","items":[1,{"x":"]}"}]},"items":[{}]}"#, #"{"s":"\\\"items\":[","n":[[],{}]}"#,
            "{}",
        ]
        let text =
            #"{"kind":"items","apiVersion" : "v1","other":{"items":[7]}, "items" : [ "#
            + items.joined(separator: " ,\n")
            + #" ],"metadata":{"resourceVersion":"7","continue":"n"},"kind":"XList"}"#
        let bytes = Array(text.utf8)
        let cuts = (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] } + [bytes.map { [$0] }]
        for chunks in cuts {
            let script = KubernetesScript({ _ in .success(KubernetesScript.response(chunks: chunks)) })
            let page = try await plainClient(script).list(
                Self.bp, namespace: nil, resourceVersion: "0", limit: 500, continueToken: nil
            ) { $0.serializedText() }
            #expect(page == ListPage(items: items, resourceVersion: "7", continueToken: "n"))
        }
    }

    /// What is made of an item is made when the item is there: a list of any length needs the memory of one of them.
    @Test func listIsReadAsItComes() async throws {
        let head = Array(#"{"kind":"XList","metadata":{"resourceVersion":"7"},"items":[{"n":1},{"n":"#.utf8)
        let script = KubernetesScript({ _ in
            .success(KubernetesScript.response(chunks: [head], then: .broken("reset")))
        })
        let seen = Locked<[JSON]>([])
        await #expect(throws: KubernetesError.transport(.broken("reset"))) {
            try await plainClient(script).list(
                Self.bp, namespace: nil, resourceVersion: "0", limit: 500, continueToken: nil
            ) { item in seen.withLock { $0.append(item) } }
        }
        #expect(seen.withLock { $0 } == [["n": 1]])
    }

    /// A success that is no list never reads as an empty world: every absence would follow from it.
    @Test(arguments: [
        #"{}"#, #"null"#, #"[]"#, "<html>log in</html>", "", Self.object,
        #"{"kind":"VelocloudBPList","metadata":{},"items":[]}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"}}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"items":{}}"#,
        #"{"kind":"Table","metadata":{"resourceVersion":"1"},"items":[]}"#,
        #"{"kind":"Status","metadata":{"resourceVersion":"1"},"items":[]}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"items":["#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"items":[{}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"items":[{"a"}]}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"items":[7]}"#,
        #"{"kind":"VelocloudBPList","metadata":{"resourceVersion":"1"},"\u0069tems":[{}]}"#,
    ])
    func noList(body: String) async throws {
        let client = try plainClient(KubernetesScript(KubernetesScript.reply(body)))
        let failure = await kubernetesFailure { () async throws(KubernetesError) in
            try await client.list(Self.bp, namespace: nil, resourceVersion: nil, limit: nil, continueToken: nil) { $0 }
        }
        guard case .unreadable = failure else {
            Issue.record("\(body) was taken for a list: \(String(describing: failure))")
            return
        }
    }

    /// A patch is a merge patch of our field manager, to the resource or to its subresource.
    @Test func patchRequest() async throws {
        let script = KubernetesScript(KubernetesScript.reply(Self.object), KubernetesScript.reply(Self.object))
        let client = try plainClient(script)
        let body = JSON.object([.init("metadata", .object([.init("uid", .string("u\"1"))]))])
        _ = try await client.patch(Self.bp, namespace: "shop", name: "x", subresource: "status", body: body)
        _ = try await client.patch(Self.bp, namespace: "shop", name: "x", subresource: nil, body: body)
        let requests = await script.requests
        let base = "https://api.example:6443/apis/vcn.cloud/v1/namespaces/shop/velocloudbps/x"
        #expect(
            requests.map(\.url) == [base + "/status?fieldManager=velokube", base + "?fieldManager=velokube"])
        #expect(requests[0].method == .patch)
        #expect(requests[0].headers.first == HTTPHeader("Content-Type", "application/merge-patch+json"))
        #expect(requests[0].body.map { String(decoding: $0, as: UTF8.self) } == #"{"metadata":{"uid":"u\"1"}}"#)
    }

    /// A create posts to the collection, here of the core group.
    @Test func createRequest() async throws {
        let script = KubernetesScript(KubernetesScript.reply(201, #"{"kind":"Event","metadata":{"name":"e"}}"#))
        let client = try plainClient(script)
        let made = try await client.create(.event, namespace: "shop", body: .object([]))
        let request = try #require(await script.requests.first)
        #expect(request.url == "https://api.example:6443/api/v1/namespaces/shop/events?fieldManager=velokube")
        #expect(request.method == .post)
        #expect(request.headers.first == HTTPHeader("Content-Type", "application/json"))
        #expect(made["metadata"]?["name"]?.string == "e")
    }

    /// A name cannot change which resource or which query a path means; what cannot be a name is not sent at all.
    @Test func names() async throws {
        let script = KubernetesScript(KubernetesScript.reply(Self.object))
        let client = try plainClient(script)
        _ = try await client.get(Self.bp, namespace: "a/b", name: "x?y#z%41 ü")
        for name in ["", ".", ".."] {
            let failure = await kubernetesFailure { () async throws(KubernetesError) in
                try await client.get(Self.bp, namespace: "shop", name: name)
            }
            guard case .transport(let error) = failure, error.isCertainlyUnsent else {
                Issue.record("\"\(name)\" was sent")
                continue
            }
        }
        let urls = await script.requests.map(\.url)
        #expect(
            urls == [
                "https://api.example:6443/apis/vcn.cloud/v1/namespaces/a%2Fb/velocloudbps/x%3Fy%23z%2541%20%C3%BC"
            ])
    }

    /// The API may begin below a path of the server, as behind a multi-cluster gateway.
    @Test func serverWithPath() async throws {
        let script = KubernetesScript(KubernetesScript.reply(Self.object))
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: "https://gate.example/k8s/clusters/c-1/", kubeconfig: nil, context: nil, environment: [:])
        let client = KubernetesClient(configuration: configuration, transport: script, now: { 0 })
        _ = try await client.get(Self.bp, namespace: "shop", name: "x")
        #expect(
            await script.requests.first?.url
                == "https://gate.example/k8s/clusters/c-1/apis/vcn.cloud/v1/namespaces/shop/velocloudbps/x")
    }

    /// A failed transfer is passed on as it was, in the head and in the body, and nothing is sent a second time.
    @Test func transportFailures() async throws {
        let script = KubernetesScript(
            { _ in .failure(.connect("refused")) },
            { _ in .success(KubernetesScript.response(chunks: [Array("{".utf8)], then: .broken("reset"))) },
            { _ in .success(KubernetesScript.response(503, chunks: [Array("over".utf8)], then: .broken("reset"))) },
            { _ in .success(KubernetesScript.response(503, chunks: [], then: .cancelled)) })
        let client = try plainClient(script)
        var failures: [KubernetesError?] = []
        for _ in 0..<4 {
            failures.append(
                await kubernetesFailure { () async throws(KubernetesError) in
                    try await client.get(Self.bp, namespace: "shop", name: "x")
                })
        }
        #expect(
            failures == [
                .transport(.connect("refused")), .transport(.broken("reset")),
                .status(APIStatus(code: 503, message: "over")), .transport(.cancelled),
            ])
        #expect(await script.requests.count == 4)
    }
}
