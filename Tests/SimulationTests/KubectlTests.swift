import Glibc
import Testing

import enum BusinessPolicy.JSON

/// The built program and today's `kubectl`: people see on it what they see on a real API server.
@Suite(.serialized) struct KubectlTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// A running `velokube-sim kube`, with our definition applied.
    private static func simulated() async throws -> (program: Program, port: UInt16, kubectl: Kubectl) {
        let kubeconfig = try TemporaryFolder.make("kube") + "/kubeconfig"
        let program = try Program("kube", "--kubeconfig-out", kubeconfig)
        let port = try program.port()
        let kubectl = try Kubectl(kubeconfig: kubeconfig)
        try await prepare(kubectl)
        return (program, port, kubectl)
    }

    private static func prepare(_ kubectl: Kubectl) async throws {
        let applied = try await kubectl("apply -k \(root)/manifests/crd")
        try #require(
            applied.contains("customresourcedefinition.apiextensions.k8s.io/velocloudbps.vcn.cloud"), "\(applied)")
        let wait = try await kubectl("wait --for=condition=Established crd/velocloudbps.vcn.cloud --timeout=30s")
        // A busy server makes kubectl say more.
        try #require(
            wait.hasSuffix("customresourcedefinition.apiextensions.k8s.io/velocloudbps.vcn.cloud condition met\n"))
    }

    private static func resource(_ name: String, port: Int = 8080, more: String = "") -> String {
        """
        {"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"\(name)"},
         "spec":{"profile":"Quick Start Profile","fqdn":"app.vcn.cloud","dport":\(port)\(more)}}
        """
    }

    private static let role = """
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"developers"},
         "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"velokube:editor"},
         "subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"developer"}]}
        """

    /// What is done on both servers: arguments, and what is piped in.
    private static let story: [(arguments: String, input: String)] = [
        ("create namespace NS", ""), ("get namespace NS", ""), ("apply -n NS -f -", role),
        ("create serviceaccount robot -n NS", ""), ("create configmap c -n NS --from-literal=a=b", ""),
        ("get configmap c -n NS", ""), ("get serviceaccount robot -n NS", ""), ("get rolebinding -n NS", ""),
        ("create rolebinding more -n NS --clusterrole=velokube:viewer --serviceaccount=NS:robot", ""),
        ("get rolebinding more -n NS -o jsonpath='{.subjects[0].name} {.roleRef.kind}'", ""),
        ("get velo -n NS", ""), ("apply -n NS -f -", resource("a")), ("apply -n NS -f -", resource("a")),
        ("get velo -n NS", ""), ("get velo -n NS -o wide", ""), ("get velo a -n NS -o name", ""),
        ("get velocloudbp/a -n NS -o jsonpath='{.spec}'", ""),
        ("apply -n NS -f -", resource("a", port: 9090, more: ",\"priority\":\"high\"")),
        ("get velo a -n NS -o jsonpath='{.metadata.generation} {.spec.dport} {.spec.priority} {.spec.order}'", ""),
        ("apply -n NS -f -", resource("a", port: 9090)),
        ("get velo a -n NS -o jsonpath='{.metadata.generation} {.spec.priority}'", ""),
        ("apply -n NS -f -", resource("a", more: ",\"priority\":\"urgent\"")),
        ("apply -n NS -f -", resource("a", more: ",\"bandwidth-limit\":0")),
        ("apply -n NS -f -", resource("a", port: 0)),
        (
            // kubectl itself checks what it sends to 1.20.
            "create -n NS --validate=false -f -",
            "{\"apiVersion\":\"vcn.cloud/v1\",\"kind\":\"VelocloudBP\",\"metadata\":{\"name\":\"b\"},\"spec\":{}}"
        ),
        ("create -n NS -f -", resource("a")), ("create -n nowhere -f -", resource("a")),
        ("patch velo a -n NS --type merge -p '{\"spec\":{\"dport\":1}}'", ""),
        ("patch velo a -n NS --type merge -p '{\"spec\":{\"dport\":1}}'", ""),
        ("patch velo a -n NS --type json -p '[{\"op\":\"test\",\"path\":\"/spec/dport\",\"value\":2}]'", ""),
        ("label velo a -n NS tier=one", ""), ("get velo -n NS -l tier=one -o name", ""),
        ("get velo -n NS -l tier=two -o name", ""), ("annotate velo a -n NS vcn.cloud/paused=true", ""),
        ("apply -n NS -f - --dry-run=server", resource("d")), ("get velo d -n NS", ""),
        (
            "patch velo a -n NS --subresource status --type merge -p '{\"status\":{\"conditions\":"
                + "[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"Ready\",\"message\":\"All is well\"}]}}'", ""
        ),
        ("get velo -n NS -o wide", ""), ("wait -n NS --for=condition=Ready velo/a --timeout=20s", ""),
        ("wait -n NS --for=condition=Ready velo/none --timeout=1s", ""),
        ("get velo -n NS --as developer -o name", ""), ("get velo -A --as developer", ""),
        ("get namespace NS --as developer", ""), ("get secrets -n NS --as developer", ""),
        ("patch velo a -n NS --as developer --subresource status --type merge -p '{\"status\":{}}'", ""),
        ("delete namespace NS --as developer", ""),
        ("auth can-i patch velocloudbps -n NS --as developer", ""),
        ("auth can-i patch velocloudbps --subresource status -n NS --as developer", ""),
        ("auth can-i list velocloudbps -n NS --as system:serviceaccount:NS:robot", ""),
        ("get velo none -n NS", ""), ("get nonsense -n NS", ""),
        ("delete velo a -n NS", ""), ("delete velo a -n NS", ""), ("apply -n NS -f -", resource("b")),
        ("patch velo b -n NS --type merge -p '{\"metadata\":{\"finalizers\":[\"a.test/b\"]}}'", ""),
        ("delete velo b -n NS --wait=false", ""),
        ("patch velo b -n NS --type merge -p '{\"metadata\":{\"finalizers\":[\"a.test/b\",\"a.test/c\"]}}'", ""),
        ("patch velo b -n NS --type merge -p '{\"metadata\":{\"finalizers\":null}}'", ""),
        ("wait -n NS --for=delete velo/b --timeout=20s", ""), ("get velo -n NS", ""),
    ]

    /// Every command of a long story prints the same on both servers, and ends the same.
    @Test func commandsPrintTheSame() async throws {
        let (program, _, kubectl) = try await Self.simulated()
        let real = try Kubectl.real()
        try await Self.prepare(real)
        let namespace = "kubectl-story"
        for step in Self.story {
            let arguments = step.arguments.split(separator: "NS", omittingEmptySubsequences: false)
                .joined(separator: namespace)
            let answers = [
                Self.ageless(try await kubectl(arguments, input: step.input)),
                Self.ageless(try await real(arguments, input: step.input)),
            ]
            #expect(answers[0] == answers[1], "kubectl \(step.arguments)")
        }
        #expect(program.end(SIGTERM) == 0)
    }

    /// Ages differ by the second, and with them the width of their column. kubectl's own log lines, such as
    /// `E1123 06:29:52.756597 32047 reflector.go:227] ...` of a watch that it ended itself, come or not as threads go.
    private static func ageless(_ text: String) -> String {
        let isLog = /^[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ [a-z_]+\.go:[0-9]+\]/
        return text.split(separator: "\n", omittingEmptySubsequences: false).filter {
            $0.firstMatch(of: isLog) == nil
        }.map { line in
            line.split(separator: " ").map { word in
                let isAge = word.last == "s" && word.dropLast().allSatisfy { $0.isNumber || $0 == "m" }
                return isAge ? "AGE" : String(word)
            }.joined(separator: " ")
        }.joined(separator: "\n")
    }

    /// It explains fields and lists kinds, tells of unknown fields, and shows changes as they happen.
    @Test func explainsAndWatches() async throws {
        let (program, _, kubectl) = try await Self.simulated()
        // kubectl remembers which kinds there were before ours; a list makes it look again.
        #expect(try await kubectl("get velo") == "No resources found in default namespace.\n")
        let explained = try await kubectl("explain velo.spec.dport")
        #expect(explained.contains("FIELD: dport <integer>") && explained.contains("Destination port"), "\(explained)")
        let fields = try await kubectl("explain velo.spec")
        #expect(fields.contains("fqdn\t<string> -required-") && fields.contains("enum: high, normal, low"), "\(fields)")
        #expect(try await kubectl("explain velo --recursive").contains("lastTransitionTime\t<string>"))
        let kinds = try await kubectl("api-resources --api-group=vcn.cloud")
        for (plural, short, kind) in [
            ("velocloudbps     ", "velo     ", "VelocloudBP"), ("velocloudlimits  ", "velolimit", "VelocloudLimit"),
        ] {
            #expect(kinds.contains("\(plural) \(short)    vcn.cloud/v1   true         \(kind)\n"), "\(kinds)")
        }
        #expect(try await kubectl("api-versions").contains("\nvcn.cloud/v1\n"))
        #expect(try await kubectl("version").contains("Server Version: v1.36.0+velokube-sim"))
        let strict = try await kubectl("create -f -", input: Self.resource("a", more: ",\"colour\":1"))
        #expect(
            strict.contains(
                "Error from server (BadRequest): error when creating \"STDIN\": VelocloudBP in version \"v1\" cannot "
                    + "be handled as a VelocloudBP: strict decoding error: unknown field \"spec.colour\""), "\(strict)")
        let lax = try await kubectl("create --validate=warn -f -", input: Self.resource("a", more: ",\"colour\":1"))
        #expect(lax == "Warning: unknown field \"spec.colour\"\nvelocloudbp.vcn.cloud/a created\n", "\(lax)")
        let applied = try await kubectl("apply --server-side -f -", input: Self.resource("a"))
        #expect(applied.contains("velokube-sim does not serve server-side apply"), "\(applied)")

        let watch = try Program(path: kubectl.path, kubectl.options + ["get", "velo", "-w"])
        #expect(watch.line().hasPrefix("NAME   PROFILE"))
        #expect(watch.line().hasPrefix("a      Quick Start Profile   app.vcn.cloud  "))
        _ = try await kubectl(
            "patch velo a --subresource status --type merge -p "
                + "'{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"Why\"}]}}'")
        #expect(watch.line().contains("app.vcn.cloud   False   Why "))
        _ = watch.end(SIGTERM)
        #expect(program.end(SIGTERM) == 0)
    }

    /// A namespace goes with what is in it, as soon as no finalizer holds that; so does a definition.
    @Test func namespacesAndDefinitionsGoWithTheirContents() async throws {
        let (program, _, kubectl) = try await Self.simulated()
        _ = try await kubectl("create namespace gone")
        _ = try await kubectl("apply -n gone -f -", input: Self.resource("a"))
        _ = try await kubectl("patch velo a -n gone --type merge -p '{\"metadata\":{\"finalizers\":[\"a.test/b\"]}}'")
        #expect(try await kubectl("delete namespace gone --wait=false") == "namespace \"gone\" deleted\n")
        #expect(try await kubectl("get namespace gone").contains("gone   Terminating"))
        let late = try await kubectl("create -n gone -f -", input: Self.resource("b"))
        #expect(
            late.contains("unable to create new content in namespace gone because it is being terminated"), "\(late)")
        _ = try await kubectl("patch velo a -n gone --type merge -p '{\"metadata\":{\"finalizers\":null}}'")
        _ = try await kubectl("wait --for=delete namespace/gone --timeout=20s")
        #expect(try await kubectl("get namespace gone").contains("(NotFound)"))
        _ = try await kubectl("apply -f -", input: Self.resource("c"))
        _ = try await kubectl("delete crd velocloudbps.vcn.cloud --timeout=20s")
        #expect(try await kubectl("get velo").contains("(1)"))
        try await Self.prepare(kubectl)
        #expect(try await kubectl("get velo") == "No resources found in default namespace.\n")
        #expect(program.end(SIGTERM) == 0)
    }

    /// Tokens of service accounts are worth what their accounts may do, watches end at their time, and the control
    /// endpoint lets calls fail and history be forgotten.
    @Test func tokensAndControl() async throws {
        let (program, port, kubectl) = try await Self.simulated()
        _ = try await kubectl("create serviceaccount robot")
        let token = try await kubectl("create token robot --duration 1h").filter { $0 != "\n" }
        let path = "/apis/vcn.cloud/v1/velocloudbps"
        let refused = try HTTPExchange(port, "GET", path, "", authorization: "Bearer \(token)")
        #expect(refused.status == 403, "\(token): \(refused.text)")
        #expect(
            refused.json["message"]?.string?.contains("\"system:serviceaccount:default:robot\" cannot list") == true)
        let read = "--clusterrole=velokube:viewer --serviceaccount=default:robot"
        _ = try await kubectl("create clusterrolebinding robot \(read)")
        #expect(try HTTPExchange(port, "GET", path, "", authorization: "Bearer \(token)").status == 200)
        #expect(try HTTPExchange(port, "GET", path, "", authorization: "Bearer wrong").status == 401)

        let watch = try HTTPExchange(port, "GET", "\(path)?watch=true&timeoutSeconds=1", "", authorization: nil)
        #expect(watch.status == 200 && watch.text.hasSuffix("0\r\n\r\n"), "\(watch.text)")
        #expect(try HTTPExchange(port, "POST", "/sim/kube/compact", "").status == 200)
        let gone = try HTTPExchange(
            port, "GET", "\(path)?watch=true&resourceVersion=1000", "", authorization: nil)
        #expect(gone.text.contains("too old resource version: 1000"), "\(gone.text)")
        let fault = "{\"status\":429,\"call\":\"list velocloudbps\",\"calls\":1,\"retryAfter\":7}"
        #expect(try HTTPExchange(port, "POST", "/sim/kube/faults", fault).status == 200)
        let limited = try HTTPExchange(port, "GET", path, "", authorization: nil)
        #expect(limited.status == 429 && limited.text.contains("Retry-After: 7"))
        #expect(try HTTPExchange(port, "POST", "/sim/kube/faults", "{\"status\":418}").status == 400)
        #expect(try HTTPExchange(port, "POST", "/sim/kube/nonsense", "").status == 404)
        let calls = try HTTPExchange(port, "GET", "/sim/kube/calls", "").json
        #expect(calls["counts"]?["list velocloudbps"]?.int == 4, "\(calls)")
        #expect(calls["effects"]?["create clusterrolebindings"]?.int == 1, "\(calls)")
        #expect(program.end(SIGTERM) == 0)
    }
}
