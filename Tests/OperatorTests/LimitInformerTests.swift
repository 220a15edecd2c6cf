import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Logging
import Operator
import Simulation
import Testing

/// The second kind that the operator watches, in a whole world.
@Suite struct LimitInformerTests {
    private static let refused = ["list velocloudlimits", "watch velocloudlimits"]

    /// Where VelocloudLimit is not installed, nobody waits for limits.
    @Test(arguments: [APIServerModes.CRD.missing, .missingAsStatus])
    func missingKindHoldsNothing(_ absence: APIServerModes.CRD) async throws {
        let world = try World()
        world.apiServer.modes.limitCRD = absence
        try await world.run {
            try await world.establish()
            #expect(world.names().contains("web"))
        }
    }

    /// That the kind is missing is said once in words, and once more when it has come and gone; it is asked for all the
    /// time.
    @Test(arguments: [false, true]) func missingKindIsSaidOnce(servesWatchList: Bool) async throws {
        let world = try World()
        world.apiServer.modes.servesWatchList = servesWatchList
        world.apiServer.modes.endsWatchesAtOnce = true
        let lines = Locked<[String]>([])
        let log = Logger(label: "test") { _ in
            LineLogHandler(format: .text, level: LogLevel(.info), now: world.clock.time.wallMilliseconds) { line in
                lines.withLock { $0.append(line) }
            }
        }
        let ledger = try await Ledger.open(
            path: world.statePath, binding: LedgerBinding(clusterID: "cluster", orchestrator: "vco", scope: "*"), now: 0
        )
        let controller = try await world.controller(ledger, World.Settings(), log: log)
        for round in 1...3 {
            world.apiServer.modes.limitCRD = round == 2 ? .installed : .missing
            world.clearCounts()
            for _ in 1...10 {
                guard case .at(let time) = await controller.limitInformerStep() else { continue }
                world.clock.advance(by: time.since(world.clock.now))
            }
            #expect(controller.cache.isComplete(VelocloudLimit.self))
            #expect(world.apiServer.counts.values.reduce(0, +) >= 5, "it asks again and again")
            let said = lines.withLock { $0 }
            #expect(said.count == (round + 1) / 2, "round \(round): \(said)")
            #expect(
                said.allSatisfy {
                    $0.contains("limits per namespace are not enforced until manifests/crd is applied")
                        && $0.contains("kind=velocloudlimits")
                })
        }
        await ledger.close()
    }

    /// Whoever may not read limits could overlook one: nothing is written until the right is there.
    @Test func refusedKindHoldsEverything() async throws {
        let world = try World()
        world.apiServer.modes.forbidden = Set(Self.refused)
        world.apiServer.apply("web", spec: world.spec())
        try await world.run {
            let cache = try #require(world.controller.withLock { $0 }?.cache)
            try await world.until("it is refused") { world.apiServer.counts["list velocloudlimits"] ?? 0 >= 1 }
            try await world.until("the resources are listed") { cache.isComplete(VelocloudBP.self) }
            try await world.settle()
            #expect(world.vcoWrites == 0 && world.apiServer.writes == 0 && !cache.isSynced)
            #expect(cache.unsyncedBecause == "the service account may not list and watch velocloudlimits.vcn.cloud")
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(60))
            try await world.becomesReady("web")
            #expect(cache.unsyncedBecause == nil)
        }
    }

    /// A limit works on resources that nobody touched, when it is made and when it goes; until then its namespace is
    /// free.
    @Test func limitActsOnWhatIsThere() async throws {
        let world = try World()
        try await world.run {
            try await world.establish("web", ["bandwidth-limit": .int(75)])
            try await world.establish("small", ["bandwidth-limit": .int(10)])
            world.apply(limit: "preprod", #"{"bandwidth-limit":{"maximum":50}}"#)
            try await world.becomes("OutOfLimits", "web")
            #expect(!world.names().contains("web") && world.names().contains("small") && world.isReady("small"))
            world.apiServer.delete("preprod", kind: .velocloudLimit)
            try await world.becomesReady("web")
            #expect(world.names().contains("web"))
        }
    }

    /// Under a quota the next in line is let in when one goes, on whatever profile it is.
    @Test func roomIsFoundOnAnotherProfile() async throws {
        let world = try World()
        world.apply(limit: "few", #"{"max-rules":1}"#)
        try await world.run {
            try await world.establish("first")
            world.apiServer.apply("second", spec: world.spec(profile: World.otherProfile, name: "second"))
            try await world.becomes("OutOfLimits", "second")
            world.apiServer.delete("first")
            try await world.becomesReady("second")
        }
    }
}

extension World {
    func apply(limit name: String, namespace: String = "default", _ spec: String) {
        let spec = (try? JSON.parse(Array(spec.utf8))) ?? .null
        apiServer.apply(name, namespace: namespace, kind: .velocloudLimit, spec: spec)
    }
}
