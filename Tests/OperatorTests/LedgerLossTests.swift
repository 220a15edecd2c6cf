import BusinessPolicy
import Glibc
import HTTPTransport
import Operator
import Simulation
import Testing

/// The ledger is gone between two runs: the statuses and the VCO know enough.
@Suite struct LedgerLossTests {
    /// A start without a ledger writes nothing anywhere, and deletion still takes the rule.
    @Test func nothingIsWrittenAndDeletionWorks() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.clearCounts()
        try await world.run {
            try await world.until("the module was read") { world.calls["getConfigurationModules"] ?? 0 > 0 }
            try await world.settle()
            #expect(world.vcoWrites == 0)
            #expect(world.apiServer.writes == 0)
            #expect(world.apiServer.events().count == 1, "only the first run's RuleAdded")
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.names() == foreign)
        }
    }

    /// A spec that changed meanwhile is written in place, in one write.
    @Test func changedSpecIsUpdatedInPlace() async throws {
        let world = try World()
        try await world.run {
            for name in ["a", "b", "c"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("a", "b", "c")
        }
        let names = world.names()
        world.loseLedger()
        world.apiServer.apply("b", spec: world.spec(port: 9090))
        world.clearCounts()
        try await world.run {
            try await world.becomesReady("b")
            #expect(world.vcoWrites == 1)
            #expect(world.names() == names)
            #expect(world.rule("default.b")?["match"]?["dport_low"] == 9090)
        }
    }

    /// A changed name leaves no rule under the old one.
    @Test func changedNameLeavesNoOrphan() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "old"))
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.apiServer.apply("web", spec: world.spec(name: "new"))
        try await world.run {
            try await world.becomesReady("web")
            #expect(world.names() == ["new"] + foreign)
            #expect(world.status("web").rule?.name == "new")
        }
    }

    /// A paused resource keeps its rule, and is found again when it goes on or goes away.
    @Test func pausedResource() async throws {
        let world = try World()
        try await world.run {
            for name in ["stays", "leaves"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("stays", "leaves")
            for name in ["stays", "leaves"] { world.pause(name) }
            try await world.becomes("Paused", "stays")
            try await world.becomes("Paused", "leaves")
        }
        world.loseLedger()
        world.clearCounts()
        try await world.run {
            try await world.requestReconcile("stays", "look")
            #expect(world.vcoWrites == 0)
            world.apiServer.delete("leaves")
            try await world.goes("leaves")
            #expect(world.rule("default.leaves") == nil)
            #expect(world.rule("default.stays") != nil)
            world.apiServer.apply("stays", spec: world.spec(port: 9090))
            world.unpause("stays")
            try await world.becomesReady("stays")
            #expect(world.rule("default.stays")?["match"]?["dport_low"] == 9090)
        }
    }

    /// A paused resource keeps its rule on the old profile though its spec names another by now.
    @Test func pausedResourceThatMoved() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.pause("web")
            try await world.becomes("Paused", "web")
        }
        world.loseLedger()
        world.apiServer.apply("web", spec: world.spec(profile: World.branch))
        world.clearCounts()
        try await world.run {
            try await world.requestReconcile("web", "look")
            try await world.settle()
            #expect(world.rule("default.web") != nil)
            #expect(world.vcoWrites == 0)
            world.unpause("web")
            try await world.until("it moved") { world.status("web").rule?.profile == World.branch }
            #expect(world.rule("default.web") == nil)
        }
    }

    /// A rule removed in the portal meanwhile is made again; one that was edited is put right.
    @Test func driftWhileTheLedgerWasLost() async throws {
        let world = try World()
        try await world.run {
            for name in ["edited", "removed"] { world.apiServer.apply(name, spec: world.spec()) }
            try await world.becomesReady("edited", "removed")
        }
        world.loseLedger()
        try world.edit(.deleteRule(101, segment: World.segment, rule: "default.removed"))
        try world.edit(
            .setMember(101, segment: World.segment, rule: "default.edited", path: "match.dport_low", value: 1))
        try await world.run {
            try await world.until("both are right") {
                world.rule("default.removed") != nil && world.rule("default.edited")?["match"]?["dport_low"] == 8080
            }
            world.apiServer.delete("removed")
            world.apiServer.delete("edited")
            try await world.goes("removed")
            try await world.goes("edited")
            #expect(!world.names().contains("default.edited"))
        }
    }

    /// A resource whose rule was removed in the portal as well can be deleted.
    @Test func deletionWithoutRuleOrLedger() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        world.loseLedger()
        try world.edit(.deleteRule(101, segment: World.segment, rule: "default.web"))
        world.apiServer.delete("web")
        try await world.run {
            try await world.goes("web")
            #expect(world.names() == foreign)
        }
    }

    /// A resource deleted while the VCO cannot be reached waits for it, though the ledger does not know of a rule.
    @Test func deletionWaitsForVCO() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.apiServer.delete("web")
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run {
            try await world.until("it says why") { world.message("web").contains("cannot be reached") }
            world.orchestrator.clearFaults()
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// The first list may be from before the status was written, and the watch be late: a rule is not taken for
    /// somebody else's, which would stay when its resource goes, before the resource itself was looked at.
    @Test func listFromBeforeTheStatus() async throws {
        let world = try World()
        world.apiServer.modes.forbidden = ["patch velocloudbps/status"]
        world.apiServer.apply("web", spec: world.spec())
        try await world.run {
            try await world.until("the status is refused") {
                world.apiServer.counts["patch velocloudbps/status"] ?? 0 > 0
            }
            try await world.settle()
            world.apiServer.modes.cacheVersion = world.apiServer.resourceVersion
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(61))
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.clearCounts()
        world.apiServer.modes.stallsWatches = true
        try await world.run {
            try await world.until("the module was read") { world.calls["getConfigurationModules"] ?? 0 > 0 }
            try await world.settle()
            #expect(world.vcoWrites == 0)
        }
        world.apiServer.modes.stallsWatches = false
        world.apiServer.modes.cacheVersion = nil
        try await world.run {
            try await world.requestReconcile("web", "look")
            #expect(world.status("web").rule?.isAdopted == false)
            #expect(world.vcoWrites == 0)
        }
    }

    /// An adopted rule is never deleted, though its original is forgotten with the ledger.
    @Test func adoptedRuleStays() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine"))
        try await world.run(World.adopting) {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.apiServer.delete("web")
        try await world.run(World.adopting) {
            try await world.goes("web")
            #expect(world.names().contains("mine"))
        }
    }

    /// A name that two want stays with the one whose status names the rule.
    @Test func claimsSurvive() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("a-waits", spec: world.spec(name: "other"))
            try await world.becomesReady("a-waits")
            world.apiServer.apply("holder", spec: world.spec(name: "shared", port: 9090))
            try await world.becomesReady("holder")
            world.apiServer.apply("a-waits", spec: world.spec(name: "shared"))
            try await world.becomes("NameConflict", "a-waits")
            try await world.until("its old rule is gone") { !world.names().contains("other") }
        }
        world.loseLedger()
        world.clearCounts()
        world.orchestrator.inject(.unavailable, calls: nil)
        try await world.run {
            try await world.until("the VCO was asked") { !world.calls.isEmpty }
            try await world.settle()
            #expect(world.isReady("holder"), "also while the VCO is down")
            world.orchestrator.clearFaults()
            try await world.requestReconcile("holder", "look")
            #expect(world.isReady("holder"))
            #expect(world.rule("shared")?["match"]?["dport_low"] == 9090)
            #expect(world.vcoWrites == 0)
        }
    }

    /// Taken away under a running controller: nothing more is written, the resources say why, and whoever has a rule
    /// keeps that word. The file back in its place, all goes on.
    @Test func takenAwayWhileRunning() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            try #require(rename(world.statePath, world.statePath + ".away") == 0)
            world.clearCounts()
            world.apiServer.apply("new", spec: world.spec(port: 9090))
            try await world.becomes("Pending", "new")
            #expect(world.message("new").contains("cannot write its ledger"), "\(world.message("new"))")
            #expect(!world.metrics.snapshot.isLedgerWritable)
            #expect(world.isReady("web"))
            #expect(world.vcoWrites == 0)
            try #require(rename(world.statePath + ".away", world.statePath) == 0)
            world.clock.advance(by: .seconds(300))
            try await world.becomesReady("new")
            #expect(world.metrics.snapshot.isLedgerWritable)
        }
    }

    /// What only a restart mends is told to the kubelet: the probe fails, and says what is wrong.
    @Test func programWithoutItsFileIsUnhealthy() async throws {
        var template = Array("/tmp/velokube-unhealthy.XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        let state = folder + "/ledger.db"
        defer {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink(state + suffix) }
            rmdir(folder)
        }
        let kube = try ChildProgram("velokube-sim", ["kube"])
        let server = try await kube.says("listening on").split(separator: " ").last.map(String.init)
        let velokube = try ChildProgram(
            "velokube",
            [
                "run", "--kube-url", try #require(server), "--vco-url", "http://127.0.0.1:9", "--state", state,
                "--listen", "127.0.0.1:0",
            ], variables: ["VCO_TOKEN": "t"])
        let address = try await velokube.says("listening address=").split(separator: "=").last.map(String.init)
        try await velokube.says("A new ledger was made")
        let curl = CurlTransport(userAgent: "velokube-tests")
        defer { curl.shutDown() }
        let site = "http://\(try #require(address))"
        func ask(_ path: String) async throws -> (status: Int, text: String) {
            let response = try await curl.send(HTTPRequest(.get, url: site + path))
            return (response.status, String(decoding: try await response.body.collect(), as: UTF8.self))
        }
        #expect(try await ask("/healthz").status == 200)
        #expect(try await ask("/metrics").text.contains("\nvelokube_ledger_usable 1\n"))
        unlink(state)
        let (status, text) = try await ask("/healthz")
        #expect(status == 500)
        #expect(try await ask("/metrics").text.contains("\nvelokube_ledger_usable 0\n"))
        #expect(text.contains("[-]ledger failed: the ledger \(state) was removed"), "\(text)")
        let line = try await velokube.says("The ledger is not where it was")
        #expect(line.contains("the ledger \(state) was removed"), "\(line)")
        velokube.signal(SIGTERM)
        #expect(try await velokube.ends() == 0)
    }
}
