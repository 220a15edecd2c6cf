import BusinessPolicy
import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesLeaseTests {
    private static let held = """
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"velokube","namespace":"ns",
        "uid":"u1","resourceVersion":"7","annotations":{"vcn.cloud/last-ledger":"abc"}},
        "spec":{"holderIdentity":"abc_1","leaseDurationSeconds":15,"leaseTransitions":3,
        "renewTime":"2026-01-02T03:04:05.678000Z"}}
        """
    private let limits = KubernetesClient.CallLimits(whole: .seconds(4), usesFreshConnection: true)

    private func write(replacing version: Lease.Version?, isAcquired: Bool) -> LeaseWrite {
        LeaseWrite(
            replacing: version, holder: "abc_2", durationSeconds: 15, transitions: 4,
            annotations: ["vcn.cloud/last-ledger": "abc"], renewedAt: 1_767_323_045_678, isAcquired: isAcquired)
    }

    /// A Lease is read with all that an election needs, within the limits that the call was given.
    @Test func read() async throws {
        let script = KubernetesScript(KubernetesScript.reply(Self.held))
        let lease = try #require(
            try await plainClient(script).lease(namespace: "ns", name: "velokube", limits: limits))
        #expect(lease.version == Lease.Version(uid: "u1", resourceVersion: "7"))
        #expect(lease.holder == "abc_1" && lease.durationSeconds == 15 && lease.transitions == 3)
        #expect(lease.renewTime == "2026-01-02T03:04:05.678000Z")
        #expect(lease.annotations == ["vcn.cloud/last-ledger": "abc"])
        let request = try #require(await script.requests.first)
        #expect(request.url.hasSuffix("/apis/coordination.k8s.io/v1/namespaces/ns/leases/velokube"))
        #expect(request.timeouts.whole == .seconds(4) && request.usesFreshConnection)
    }

    /// One that nobody ever held has nothing in it.
    @Test func bareLease() async throws {
        let script = KubernetesScript(
            KubernetesScript.reply(#"{"metadata":{"uid":"u","resourceVersion":"1"},"spec":{}}"#))
        let lease = try #require(
            try await plainClient(script).lease(namespace: "ns", name: "velokube", limits: limits))
        #expect(lease.holder == "" && lease.durationSeconds == nil && lease.transitions == 0)
        #expect(lease.renewTime == nil && lease.annotations == [:])
    }

    /// Only the server's word on this very Lease means that there is none; any other 404 is an error.
    @Test func absence() async throws {
        let named = """
            {"kind":"Status","code":404,"reason":"NotFound",
            "details":{"name":"velokube","group":"coordination.k8s.io","kind":"leases"}}
            """
        let script = KubernetesScript(
            KubernetesScript.reply(404, named), KubernetesScript.reply(404, "404 page not found"))
        let client = try plainClient(script)
        #expect(try await client.lease(namespace: "ns", name: "velokube", limits: limits) == nil)
        let failure = await kubernetesFailure { () async throws(KubernetesError) in
            try await client.lease(namespace: "ns", name: "velokube", limits: self.limits)
        }
        guard case .status(let status) = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
        #expect(status.isNotFound)
    }

    /// A new Lease is created whole; one that is there is patched under its uid and version, its time of acquiring only
    /// where it is one.
    @Test func writes() async throws {
        let script = KubernetesScript(
            KubernetesScript.reply(201, Self.held), KubernetesScript.reply(Self.held))
        let client = try plainClient(script)
        _ = try await client.write(
            write(replacing: nil, isAcquired: true), namespace: "ns", name: "velokube", limits: limits)
        _ = try await client.write(
            write(replacing: .init(uid: "u1", resourceVersion: "7"), isAcquired: false), namespace: "ns",
            name: "velokube", limits: limits)
        let requests = await script.requests
        #expect(requests.map(\.method) == [.post, .patch])
        let made = try JSON.parse(requests[0].body ?? [])
        #expect(made["metadata"]?["name"] == "velokube" && made["spec"]?["holderIdentity"] == "abc_2")
        #expect(made["spec"]?["acquireTime"] == "2026-01-02T03:04:05.678000Z")
        #expect(made["spec"]?["leaseTransitions"]?.int == 4 && made["spec"]?["leaseDurationSeconds"]?.int == 15)
        let patch = try JSON.parse(requests[1].body ?? [])
        #expect(patch["metadata"]?["uid"] == "u1" && patch["metadata"]?["resourceVersion"] == "7")
        #expect(patch["metadata"]?["annotations"]?["vcn.cloud/last-ledger"] == "abc")
        #expect(patch["spec"]?["renewTime"] == "2026-01-02T03:04:05.678000Z" && patch["spec"]?["acquireTime"] == nil)
    }
}
