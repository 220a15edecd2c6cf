import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Operator
import Testing

/// Two processes of the built program on a real API server, each with a ledger of its own; the VCO is a process too.
@Suite(.serialized) struct TwoReplicasTests {
    private static let leads = "This process leads"

    /// The leader is killed: the other waits until the Lease has run out, builds its ledger and goes on, and nothing is
    /// written for that.
    @Test func leaderIsKilled() async throws {
        let stage = try await Stage(namespace: "killed")
        try await stage.makeReady("one")
        try await stage.forgetCalls()
        stage.leader.signal(SIGKILL)
        try await stage.standby.says(Self.leads)
        #expect(try await stage.leader.ends() == -SIGKILL)
        try await stage.settle("one")
        #expect(try await stage.updates() == 0)
        try await stage.makeReady("two")
        #expect(try await stage.updates() == 1)
        try await stage.cluster.kubectl("delete velo --all -n killed --timeout=30s")
        #expect(try await stage.ruleNames().filter { $0.hasPrefix("killed.") } == [])
        stage.standby.signal(SIGTERM)
        #expect(try await stage.standby.ends() == 0)
    }

    /// The leader is frozen in the midst of a pass, between its read and its write. The other takes over and does the
    /// work; the first wakes up with its answer in hand, writes nothing, and ends with 1.
    @Test func leaderIsFrozen() async throws {
        let stage = try await Stage(namespace: "frozen")
        try await stage.makeReady("one")
        try await stage.forgetCalls()
        try await stage.slowRead(milliseconds: 4000)
        try await stage.cluster.kubectl("create -f -", input: stage.cluster.manifest(["two"]))
        try await stage.untilSlowReadBegan()
        stage.leader.signal(SIGSTOP)
        #expect(try await stage.updates() == 0)
        try await stage.standby.says(Self.leads)
        try await stage.cluster.kubectl("wait -n frozen --for=condition=Ready velo/one velo/two --timeout=30s")
        #expect(try await stage.updates() == 1)
        // What would tempt it: its own view of this change is older than the other's write.
        try await stage.cluster.kubectl("apply -f -", input: stage.cluster.manifest(["two"], port: 443))
        try await stage.settle("two")
        #expect(try await stage.updates() == 2)

        stage.leader.signal(SIGCONT)
        #expect(try await stage.leader.ends() == 1)
        try await stage.leader.says("Leadership is lost")
        try await stage.settle("one")
        #expect(try await stage.updates() == 2)
        #expect(try await stage.ruleNames().filter { $0.hasPrefix("frozen.") } == ["frozen.one", "frozen.two"])
    }

    /// The leader is asked to stop: it gives the Lease back, and the other has it long before it would have run out.
    @Test func leaderIsStopped() async throws {
        let stage = try await Stage(namespace: "stopped")
        try await stage.makeReady("one")
        try await stage.forgetCalls()
        let start = Time.live.now()
        stage.leader.signal(SIGTERM)
        try await stage.standby.says(Self.leads)
        #expect(Time.live.now().since(start) < .seconds(8))
        #expect(try await stage.leader.ends() == 0)
        try await stage.leader.says("The Lease is given back")
        try await stage.settle("one")
        #expect(try await stage.updates() == 0)
        let lease = try await stage.cluster.kubectl(
            "get lease velokube -n stopped -o 'jsonpath={.spec.leaseTransitions} {.spec.leaseDurationSeconds}'")
        #expect(lease == "1 15")
    }
}

/// A namespace of the real cluster, a VCO, and two operators of which one leads.
private final class Stage: Sendable {
    let cluster: RealCluster
    let leader: ChildProgram
    let standby: ChildProgram
    private let vco: ChildProgram
    private let vcoURL: String
    private let curl = CurlTransport(userAgent: "velokube-tests")
    private let folder: String
    private let requests = Locked(0)

    init(namespace: String) async throws {
        let cluster = try await RealCluster(namespace: namespace)
        let vco = try ChildProgram("velokube-sim", ["vco"])
        let vcoURL = try #require(
            try await vco.says("listening on").split(separator: " ").last.map(String.init))
        var template = Array("/tmp/velokube-stage.XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        func start(_ name: String) throws -> ChildProgram {
            try ChildProgram(
                "velokube",
                [
                    "run", "--leader-elect", "--kubeconfig", cluster.kubeconfig, "--namespace", namespace,
                    "--vco-url", vcoURL, "--state", "\(folder)/\(name).db", "--listen", "127.0.0.1:0",
                ], variables: ["VCO_TOKEN": "t"])
        }
        leader = try start("first")
        try await leader.says("This process leads")
        standby = try start("second")
        try await standby.says("Another process leads")
        (self.cluster, self.vco, self.vcoURL, self.folder) = (cluster, vco, vcoURL, folder)
    }

    deinit {
        curl.shutDown()
        for name in ["first", "second"] {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink("\(folder)/\(name).db\(suffix)") }
        }
        rmdir(folder)
    }

    func makeReady(_ name: String) async throws {
        try await cluster.kubectl("create -f -", input: cluster.manifest([name]))
        try await cluster.kubectl("wait -n \(cluster.namespace) --for=condition=Ready velo/\(name) --timeout=30s")
    }

    /// Asks for a reconcile, and waits for the answer: everything that was to be done has been done then.
    func settle(_ name: String) async throws {
        let token = requests.withLock { requests in
            requests += 1
            return "look-\(requests)"
        }
        try await cluster.kubectl(
            "annotate velo \(name) -n \(cluster.namespace) --overwrite vcn.cloud/reconcile-requested-at=\(token)")
        let deadline = Time.live.now() + .seconds(30)
        let command = "get velo \(name) -n \(cluster.namespace) -o 'jsonpath={.status.lastHandledReconcileAt}'"
        while try await cluster.kubectl(command) != token {
            try #require(Time.live.now() < deadline, "\(name) does not answer \(token)")
        }
    }

    /// Writes that the VCO was asked for.
    func updates() async throws -> Int {
        try await control(.get, "calls")["counts"]?["configuration/updateConfigurationModule"]?.int ?? 0
    }

    func ruleNames() async throws -> [String] {
        (try await control(.get, "rules?profile=101").array ?? []).compactMap { $0["name"]?.string }
    }

    func forgetCalls() async throws { _ = try await control(.delete, "calls") }

    /// Lets the next read of a document take so long.
    func slowRead(milliseconds: Int) async throws {
        _ = try await control(
            .post, "faults",
            #"{"fault":"latency","ms":\#(milliseconds),"method":"configuration/getConfigurationModules"}"#)
    }

    /// The fault is gone as soon as the read has come in that it befalls.
    func untilSlowReadBegan() async throws {
        let deadline = Time.live.now() + .seconds(30)
        while try await control(.get, "faults").array != [] {
            try #require(Time.live.now() < deadline, "nobody read")
        }
    }

    private func control(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> JSON {
        let request = HTTPRequest(method, url: "\(vcoURL)/sim/\(path)", body: body.map { Array($0.utf8) })
        let response = try await curl.send(request)
        let bytes = try await response.body.collect()
        try #require(response.status == 200, "\(String(decoding: bytes, as: UTF8.self))")
        return try JSON.parse(bytes)
    }
}
