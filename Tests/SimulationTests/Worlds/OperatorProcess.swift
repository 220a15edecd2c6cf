import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Kubernetes
import Ledger
import Logging
import Operator
import Orchestrator
import Simulation

/// One run of the operator, from its start to its death.
final class OperatorProcess: Sendable {
    /// The loops that production runs side by side.
    enum Loop: CaseIterable { case election, informer, limitInformer, report, resync, tick, worker }

    let life: Life
    let controller: Controller
    let ledger: Ledger
    private let busy = Locked<Set<Loop>>([])

    /// What outlives the operator's own objects: it says whether they may still act.
    final class Life: Sendable {
        let replica: Int
        let number: Int
        let ledgerPath: String
        private let state = Locked((isAlive: true, listings: 0, relied: LedgerCopy()))
        /// What the VCO last told of the names of profiles, by id.
        let profileNames = Locked<[Int: String]>([:])

        init(replica: Int, number: Int, ledgerPath: String) {
            self.replica = replica
            self.number = number
            self.ledgerPath = ledgerPath
        }

        var isAlive: Bool { state.withLock { $0.isAlive } }
        func end() { state.withLock { $0.isAlive = false } }

        /// While the list of profiles is under way, other workers would wait for it; here nobody else can go on then.
        var listsProfiles: Bool { state.withLock { $0.listings > 0 } }
        func beginListing() { state.withLock { $0.listings += 1 } }
        func endListing() { state.withLock { $0.listings -= 1 } }

        /// Keeps what the disk holds as a call is about to have its effect: this much must be there after it.
        func keepLedger() {
            let copy = LedgerCopy(of: ledgerPath)
            state.withLock { $0.relied = copy }
        }

        /// What a crash leaves on the disk: all, or what was there before the commits since the last effect.
        func ledgerLeft(losingLatest: Bool) -> LedgerCopy {
            losingLatest ? state.withLock { $0.relied } : LedgerCopy(of: ledgerPath)
        }
    }

    init(life: Life, controller: Controller, ledger: Ledger) {
        self.life = life
        self.controller = controller
        self.ledger = ledger
    }

    /// Takes one step of a loop; nil when that cannot be now, since each of them takes one step at a time.
    func step(_ loop: Loop) async -> Wake? {
        guard life.isAlive else { return nil }
        if life.listsProfiles, loop == .worker || loop == .resync { return nil }
        guard loop == .worker || busy.withLock({ $0.insert(loop).inserted }) else { return nil }
        defer { busy.withLock { _ = $0.remove(loop) } }
        switch loop {
        case .election: return await controller.electionStep()
        case .informer: return await controller.informerStep()
        case .limitInformer: return await controller.limitInformerStep()
        case .report: return await controller.reportStep()
        case .resync: return await controller.resyncStep()
        case .tick: return await controller.tickStep()
        case .worker: return await controller.workerStep()
        }
    }
}

/// A ledger's files as bytes.
struct LedgerCopy: Sendable {
    private var files: [(suffix: String, bytes: [UInt8])] = []

    /// Nothing: the ledger is lost.
    init() {}

    init(of path: String) {
        for suffix in ["", "-wal"] {
            guard let file = fopen(path + suffix, "r") else { continue }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
            fclose(file)
            files.append((suffix, bytes))
        }
    }

    var isEmpty: Bool { files.isEmpty }

    func write(to path: String) {
        for (suffix, bytes) in files {
            guard let file = fopen(path + suffix, "w") else { preconditionFailure("cannot write \(path)") }
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
    }
}

extension SeededWorld {
    /// Starts the operator of a replica.
    func start(_ replica: Int) async throws {
        let (path, number) = state.withLock { state in
            state.processesStarted += 1
            return (state.ledgers[replica], state.processesStarted)
        }
        let life = OperatorProcess.Life(replica: replica, number: number, ledgerPath: path)
        let time = time(of: life)
        let ledger = try await Ledger.open(
            path: path, binding: LedgerBinding(clusterID: "cluster", orchestrator: "vco", scope: "*"),
            now: time.wallMilliseconds())
        let controller = try await controller(ledger, life, time)
        life.keepLedger()
        note("process \(number) of replica \(replica) starts")
        state.withLock {
            $0.processes[replica] = OperatorProcess(life: life, controller: controller, ledger: ledger)
        }
    }

    private func controller(_ ledger: Ledger, _ life: OperatorProcess.Life, _ time: Time) async throws -> Controller {
        let transport = WorldTransport(world: self, life: life)
        let nanoseconds: @Sendable () -> Int64 = { time.now().nanoseconds }
        let seed = draw { $0.next() }
        let log = Logger(label: "world") { _ in WorldLog(world: self, life: life) }
        let kubernetes = KubernetesClient(
            configuration: try ClusterConfiguration.resolve(
                kubeURL: "https://kubernetes.example.test", kubeconfig: nil, context: nil, environment: [:]),
            transport: transport, now: nanoseconds)
        let leadership =
            weather.replicas == 1
            ? nil
            : Leadership(
                client: kubernetes, ledger: ledger, ledgerID: await ledger.id, namespace: "default", time: time,
                log: log, seed: seed)
        return Controller(
            Controller.Parts(
                kubernetes: kubernetes,
                orchestrator: OrchestratorClient(
                    configuration: try OrchestratorConfiguration.resolve(
                        url: "https://vco.example.test", tokenFile: nil, token: Self.token, caFile: nil,
                        enterpriseID: nil, allowsInsecureHTTP: false),
                    transport: transport, now: nanoseconds),
                ledger: ledger, time: time, log: log, metrics: MetricsRegistry(startedAt: time.now()), seed: seed,
                leadership: leadership, batchWidth: 1),
            namespace: nil, notOlderThan: await ledger.watchVersion, policy: ReconcilePolicy(), resync: Self.resync,
            workers: 4)
    }

    /// A process dies where it stands. Its ledger's file is what survives, and not always.
    func kill(_ replica: Int, losesLedger: Bool, losesLatest: Bool) {
        guard let process = state.withLock({ $0.processes[replica] }) else { return }
        let left = losesLedger ? LedgerCopy() : process.life.ledgerLeft(losingLatest: losesLatest)
        process.life.end()
        if losesLedger { forgetUnstatedRules() }
        let path = state.withLock { state in
            state.processes[replica] = nil
            state.dead.append(process)
            state.ledgers[replica] = "\(folder)/\(replica)-\(state.processesStarted).db"
            return state.ledgers[replica]
        }
        left.write(to: path)
        note(
            "process \(process.life.number) dies\(losesLedger ? " with its ledger" : losesLatest ? " in a commit" : "")"
        )
    }

    /// What follows from a step of the election: who has lost the Lease ends, and who took it begins with an empty
    /// ledger.
    func heedElection() {
        for process in state.withLock({ $0.living }) where process.controller.leadership?.ending != nil {
            note("process \(process.life.number) ends")
            kill(process.life.replica, losesLedger: false, losesLatest: false)
        }
        let annotations = apiServer.objects(.lease).first?["metadata"]?["annotations"]
        let ledger = annotations?[Leadership.lastLedgerAnnotation]?.string
        let isAnother = state.withLock { state in
            defer { state.lastLedger = ledger }
            return state.lastLedger != ledger
        }
        if isAnother { forgetUnstatedRules() }
    }

    /// A rule that no ledger knows any more, and no status yet, is found as if somebody else had made it.
    private func forgetUnstatedRules() {
        let stated = Set(
            apiServer.objects().compactMap { object -> String? in
                Wish(object).stated.map { "\($0.profile)/\($0.segment)/\($0.name)" }
            })
        for rule in ownRules() where !stated.contains(rule.place) {
            state.withLock { _ = $0.forgotten.insert(rule.place) }
        }
    }

    /// Ends what is left of dead processes; only when none of their steps is on the stack.
    func buryTheDead() async {
        let dead = state.withLock { state in
            defer { state.dead = [] }
            return state.dead
        }
        for process in dead { await process.ledger.close() }
    }

    /// The process's own view of time.
    private func time(of life: OperatorProcess.Life) -> Time {
        Time(
            now: { self.now },
            wallMilliseconds: { self.state.withLock { $0.wallMilliseconds } },
            sleep: { deadline in
                self.count(life)
                guard life.isAlive else { throw CancellationError() }
                await self.interlude(.sleep)
                guard life.isAlive else { throw CancellationError() }
                self.advance(to: deadline)
            })
    }
}

/// What the operator logs goes into the trace, so that a failure can be read in its words.
struct WorldLog: LogHandler {
    let world: SeededWorld
    let life: OperatorProcess.Life
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.debug

    init(world: SeededWorld, life: OperatorProcess.Life) {
        self.world = world
        self.life = life
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard life.isAlive else { return }
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        world.note("  #\(life.number) \(event.message) \(details.joined(separator: " "))")
    }
}
