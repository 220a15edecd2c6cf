import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Operator
import Simulation

/// The course of a world: trouble, then calm, then the end of everything that was asked for.
extension SeededWorld {
    /// How a run went.
    struct Report: Sendable {
        var seed: UInt64
        var broken: [String]
        var steps: Int
        var digest: UInt64
        var trace: [String]
    }

    /// Steps of somebody before the weather calms.
    private static let troubledSteps = 250
    /// Rounds of all loops in which a calm world must be as it should.
    private static let roundsMax = 3000
    /// Resyncs in which nothing more may be written then.
    private static let quietResyncs = 3

    func run() async throws -> Report {
        try await trouble()
        calm()
        if try await settle("after the troubles", until: { await self.complaints() }) {
            try await rest("after the troubles")
            if hasSeenLimits {
                try await changePlans()
                if chance(500) { try await endNamespace("shop") }
            }
            endAllWishes()
            if try await settle("after the end", until: { await self.remains() }) { try await rest("after the end") }
        }
        // Processes hold the world by its clock: without this, neither ever goes.
        state.withLock { state in
            state.dead += state.living
            state.processes = []
        }
        await buryTheDead()
        return state.withLock {
            Report(seed: seed, broken: $0.broken, steps: $0.steps, digest: $0.traceDigest, trace: $0.trace)
        }
    }

    private func trouble() async throws {
        for replica in 0..<state.withLock({ $0.processes.count }) { try await start(replica) }
        for _ in 0..<Self.troubledSteps {
            await happen()
            await buryTheDead()
            for replica in down where chance(200) { try await start(replica) }
        }
        for replica in down { try await start(replica) }
    }

    private var down: [Int] {
        state.withLock { state in state.processes.indices.filter { state.processes[$0] == nil } }
    }

    private func calm() {
        note("the weather calms")
        orchestrator.setToken(Self.token)
        state.withLock { state in
            state.weather = state.weather.calmed
            state.wantsNothingNew = true
        }
    }

    /// Lets the operator run until nothing is left to complain of.
    @discardableResult
    func settle(_ when: String, until complaints: () async -> [String]) async throws -> Bool {
        var left: [String] = []
        for _ in 0..<Self.roundsMax {
            let isIdle = try await round()
            if isIdle {
                left = await complaints()
                if left.isEmpty { return true }
                advanceToNextWake()
            }
        }
        for complaint in left { breaks("\(when): \(complaint)") }
        return false
    }

    /// Lets some resyncs pass in a world that is as it should be: nothing is to be written any more.
    private func rest(_ when: String) async throws {
        // What was decided just before may still be on its way.
        try await pass(Self.resync)
        orchestrator.clearLog()
        apiServer.clearCounts()
        try await pass(Self.resync * Self.quietResyncs)
        let updates = orchestrator.log.counts["configuration/updateConfigurationModule"] ?? 0
        if updates > 0 { breaks("\(when): \(updates) needless writes to the VCO") }
        let leases = apiServer.counts.filter { $0.key.hasSuffix(" leases") && !$0.key.hasPrefix("get") }
        let writes = apiServer.writes - leases.values.reduce(0, +)
        if writes > 0 { breaks("\(when): \(writes) needless writes to the API server") }
    }

    /// Lets time pass, at most until something holds.
    func pass(_ duration: Duration, until isEnough: () async -> Bool = { false }) async throws {
        let end = now + duration
        var rounds = 0
        while now < end {
            if try await round() {
                if await isEnough() { return }
                advanceToNextWake()
            }
            rounds += 1
            guard rounds < Self.roundsMax else { return breaks("the operator never comes to rest") }
        }
    }

    /// One step of every loop; true when all of them wait.
    private func round() async throws -> Bool {
        var earliest: Instant?
        var isIdle = true
        for process in state.withLock({ $0.living }) {
            for loop in OperatorProcess.Loop.allCases {
                state.withLock { $0.steps += 1 }
                let wake = await process.step(loop)
                heedElection()
                switch wake {
                case .again: isIdle = false
                case .at(let instant): earliest = min(earliest ?? instant, instant)
                case .whenRung, nil: break
                }
            }
        }
        for replica in down {
            try await start(replica)
            isIdle = false
        }
        nextWake.withLock { [isIdle] in $0 = isIdle ? earliest : nil }
        return isIdle
    }

    private func advanceToNextWake() {
        guard let wake = nextWake.withLock({ $0 }) else { return breaks("every loop waits for a bell") }
        advance(to: max(wake, now + .milliseconds(1)))
    }

    /// Every user takes everything back.
    private func endAllWishes() {
        note("every resource is deleted")
        for object in apiServer.objects() {
            let wish = Wish(object)
            guard let name = object["metadata"]?["name"]?.string else { continue }
            let namespace = object["metadata"]?["namespace"]?.string ?? ""
            if wish.isPaused { apiServer.annotate(name, namespace: namespace, Self.paused, nil) }
            apiServer.delete(name, namespace: namespace)
        }
    }

    /// What is left though nobody asks for anything any more.
    private func remains() async -> [String] {
        let forgotten = state.withLock { $0.forgotten }
        return apiServer.objects().map { "\(Wish($0).key) is not let go: \(Wish($0).reason)" }
            + ownRules().filter { !forgotten.contains($0.place) }
            .map { "rule \($0.name) of \($0.profile) was left behind" }
            + (await judgeLimits([]).complaints)
    }
}
