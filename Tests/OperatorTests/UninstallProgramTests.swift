import BusinessPolicy
import Glibc
import Testing

/// `velokube uninstall` as a program, with exactly the rights that the manifests give the operator.
@Suite(.serialized) struct UninstallProgramTests {
    private static let success = "Nothing of velokube is left"

    /// Refuses while the operator runs, says what an outage leaves, takes all out, and has nothing to do after that. No
    /// right is missing.
    @Test(arguments: InstalledOperator.Scope.allCases)
    func takesItselfOut(_ scope: InstalledOperator.Scope) async throws {
        let place = try await InstalledOperator(scope, namespace: "leaving-\(scope)")
        try await place.install()
        let velokube = try place.start()
        try await place.settles()
        for (ledger, evidence) in [("ledger.db", "ledger.db open"), ("other-ledger.db", "holds the Lease")] {
            let refused = try place.uninstall(ledger: ledger)
            let words = try await refused.says("velokube is running")
            #expect(words.contains(evidence) && words.contains("scale deployment velokube --replicas=0"), "\(words)")
            #expect(try await refused.ends() == 2)
        }
        velokube.signal(SIGTERM)
        #expect(try await velokube.ends() == 0)

        try await place.vcoFault(#"{"fault": "503", "calls": null}"#)
        let late = try place.uninstall(["--timeout", "3s"])
        try await late.says("the uninstallation is not complete")
        try await late.says("  VelocloudBP leaving-\(scope)/web: ")
        #expect(try await late.ends() == 1)
        #expect(try await place.rules().count == 1)
        #expect(try await place.object("velo/web")["metadata"]?["finalizers"] != nil)

        try await place.vcoFault(nil)
        let done = try place.uninstall()
        #expect(try await done.ends() == 0)
        #expect(done.lines.contains { $0.hasPrefix(Self.success) })
        #expect(try await place.rules() == [])
        for name in ["velo/web", "velolimit/most"] {
            let object = try await place.object(name)
            #expect(object["metadata"]?["finalizers"] == nil && object["status"] == nil, "\(name)")
        }
        #expect(try await place.uninstall().ends() == 0)
        #expect((late.lines + done.lines).filter { $0.contains("403 Forbidden") } == [])
        #expect(place.refusals == [])
    }

    /// An installation that has made its rule, and whose operator is stopped.
    private func stoppedOperator(namespace: String) async throws -> InstalledOperator {
        let place = try await InstalledOperator(.cluster, namespace: namespace)
        try await place.install()
        let velokube = try place.start()
        try await place.settles()
        velokube.signal(SIGTERM)
        #expect(try await velokube.ends() == 0)
        return place
    }

    /// With the rules left behind the VCO is not needed, and they stay.
    @Test func leavesTheRules() async throws {
        let place = try await stoppedOperator(namespace: "orphaning")
        try await place.vcoFault(#"{"fault": "503", "calls": null}"#)
        // A Lease that nobody renews is no sign of life, however far ahead the clock of its holder was.
        let lease = #"{"holderIdentity":"gone","renewTime":"2100-01-01T00:00:00.000000Z","leaseDurationSeconds":2}"#
        try await place.cluster.kubectl(
            "patch lease velokube -n orphaning --type merge -p '{\"spec\":\(lease)}'")
        #expect(try await place.uninstall(["--orphan"], ledger: "other-ledger.db").ends() == 0)
        let object = try await place.object("velo/web")
        #expect(object["metadata"]?["finalizers"] == nil && object["status"] == nil)
        #expect(try await place.rules().count == 1)
    }

    /// What is left of a resource that has vanished is said, too: its rule, while its absence is that of too many.
    @Test func vanishedResourceIsGuarded() async throws {
        let place = try await stoppedOperator(namespace: "guarded")
        try await place.removeResource()
        let guarded = try place.uninstall(["--max-deletes", "0", "--timeout", "3s"])
        let line = try await guarded.says("its VelocloudBP guarded/web is gone")
        #expect(line.contains("rule \"guarded.web\" on profile \"\(World.profile)\""), "\(line)")
        #expect(try await guarded.ends() == 1)
        #expect(try await place.rules().count == 1)
        #expect(try await place.uninstall().ends() == 0)
        #expect(try await place.rules() == [])
    }

    /// A resource that is let go, and that another's finalizer keeps, is no longer ours to clear.
    @Test func keptByAnother() async throws {
        let place = try await stoppedOperator(namespace: "kept")
        let others = #"{"metadata":{"finalizers":["example.com/other"]}}"#
        try await place.cluster.kubectl("patch velo web -n kept --type merge -p '\(others)'")
        try await place.cluster.kubectl("delete velo web -n kept --wait=false")
        #expect(try await place.uninstall(["--timeout", "30s"]).ends() == 0)
        #expect(try await place.rules() == [])
        #expect(try await place.object("velo/web")["status"] != nil)
    }

    /// An API server that is away for a moment does not hide an operator that is at work. Only where we may not read
    /// the Lease is that left to whoever uninstalls.
    @Test func leaseCannotBeRead() async throws {
        let place = try await InstalledOperator(.cluster, namespace: "unread")
        try await place.install()
        let velokube = try place.start()
        try await place.settles()
        try await place.apiFault(#"{"status": 503, "call": "get leases"}"#)
        let refused = try place.uninstall(ledger: "other-ledger.db")
        try await refused.says("The API server cannot be reached")
        try await place.apiFault(nil)
        try await refused.says("holds the Lease")
        #expect(try await refused.ends() == 2)
        velokube.signal(SIGTERM)
        #expect(try await velokube.ends() == 0)

        try await place.apiFault(#"{"status": 403, "call": "get leases", "calls": 1}"#)
        let trusting = try place.uninstall()
        try await trusting.says("make sure that it is not")
        #expect(try await trusting.ends() == 0)
    }

    /// What never found out what is left does not say that nothing is, however it ends: people delete the kinds then.
    @Test(arguments: [true, false])
    func neverReachesTheAPIServer(isStopped: Bool) async throws {
        var template = Array("/tmp/velokube-unreached.XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { rmdir(folder) }
        let uninstall = try ChildProgram(
            "velokube",
            [
                "uninstall", "--kube-url", "http://127.0.0.1:9", "--vco-url", "http://127.0.0.1:9", "--state",
                folder + "/ledger.db", "--timeout", isStopped ? "10m" : "1s",
            ], variables: ["VCO_TOKEN": "t"])
        try await uninstall.says("The API server cannot be reached")
        if isStopped { uninstall.signal(SIGTERM) }
        try await uninstall.says("the uninstallation is not complete")
        #expect(try await uninstall.ends() == 1)
        #expect(!uninstall.lines.contains { $0.contains(Self.success) })
    }
}
