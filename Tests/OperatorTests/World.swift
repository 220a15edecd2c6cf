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
import Testing

/// A whole world for the controller: a simulated API server, a simulated VCO, and a real ledger on disk.
///
/// The controller runs in it as it does in production; only the network ends in memory. A test changes the world and
/// waits until it looks as it should; every request that was answered wakes those who wait.
final class World: Sendable {
    static let profile = "Quick Start Profile"
    static let segment = "Global Segment"

    let orchestrator: OrchestratorSimulator
    let apiServer: SimulatedAPIServer
    let transport: SimulatedTransport
    let metrics: MetricsRegistry
    let statePath: String
    /// The time that all of this happens in; a test can push it ahead.
    let clock: WorldClock
    /// Where the VCO's token is read from by runs that ask for it.
    let tokenPath: String
    /// The controller that runs now.
    let controller = Locked<Controller?>(nil)
    /// Reads of modules since the counts were cleared: of the document, and of its version alone.
    private let moduleReads = Locked((whole: 0, version: 0))
    /// What a test does after a request's effect, while its answer is on the way.
    private let afterEffect = Locked<(@Sendable (HTTPRequest) -> Void)?>(nil)
    /// Rung after every request that had its effect.
    private let changed = Bell()
    private let folder: String
    private let time: Time

    /// How the controller is to run.
    struct Settings: Sendable {
        var policy = ReconcilePolicy()
        var resync = Duration.seconds(3600)
        var workers = 4
        /// The token comes from the world's file, as from a mounted Secret.
        var readsTokenFile = false
        /// A real API server in the place of the simulated one; the VCO stays simulated.
        var kubeconfig: String?
        var namespace: String?
    }

    init(
        modes: OrchestratorModes = OrchestratorModes(), includingNetworkBased: Bool = false,
        clock: WorldClock = WorldClock()
    ) throws {
        let time = clock.time
        self.clock = clock
        self.time = time
        orchestrator = OrchestratorSimulator(
            token: "secret-token", modes: modes, includingNetworkBased: includingNetworkBased)
        apiServer = SimulatedAPIServer(wallMilliseconds: time.wallMilliseconds)
        transport = SimulatedTransport(
            orchestrator: orchestrator, apiServer: apiServer, wallMilliseconds: time.wallMilliseconds,
            sleep: { try await time.sleep(time.now() + $0) })
        metrics = MetricsRegistry(startedAt: time.now())
        var template = Array("/tmp/velokube-world.XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template))
        folder = String(cString: path)
        statePath = folder + "/ledger.db"
        tokenPath = folder + "/token"
        try write(token: "secret-token")
        transport.afterEffect { [changed, moduleReads, afterEffect] request in
            if request.url.hasSuffix("getConfigurationModules") {
                let isWhole = !String(decoding: request.body ?? [], as: UTF8.self).contains("noData")
                moduleReads.withLock { if isWhole { $0.whole += 1 } else { $0.version += 1 } }
            }
            afterEffect.withLock { $0 }?(request)
            changed.ring()
        }
    }

    deinit {
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(statePath + suffix) }
        unlink(tokenPath)
        rmdir(folder)
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs the controller from start to stop round what the test does.
    func run(
        _ settings: Settings = Settings(), log: Logger = World.silent, _ body: () async throws -> Void
    ) async throws {
        let ledger = try await Ledger.open(
            path: statePath, binding: LedgerBinding(clusterID: "cluster", orchestrator: "vco", scope: "*"),
            now: time.wallMilliseconds())
        let controller = try await controller(ledger, settings, log: log)
        self.controller.withLock { $0 = controller }
        let stop = StopSignal(bell: controller.cache.bell)
        let failure: (any Error)? = await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run(isStopping: stop) }
            do {
                try await body()
                stop.set()
            } catch {
                group.cancelAll()
                return error
            }
            await group.waitForAll()
            return nil
        }
        self.controller.withLock { $0 = nil }
        await ledger.close()
        if let failure { throw failure }
    }

    /// A controller in this world; `isElected` lets it take part in an election over `network`.
    func controller(
        _ ledger: Ledger, _ settings: Settings, isElected: Bool = false, over network: (any HTTPTransport)? = nil,
        log: Logger = World.silent
    ) async throws -> Controller {
        let nanoseconds: @Sendable () -> Int64 = { [time] in time.now().nanoseconds }
        let orchestrator = OrchestratorClient(
            configuration: try OrchestratorConfiguration.resolve(
                url: "https://vco.example.test", tokenFile: settings.readsTokenFile ? tokenPath : nil,
                token: "secret-token", caFile: nil, enterpriseID: nil, allowsInsecureHTTP: false),
            transport: transport, now: nanoseconds,
            onCall: { [metrics] method, result, duration in
                metrics.update { $0.observeCall(method: method, result: result, duration: .nanoseconds(duration)) }
            })
        let cluster = try ClusterConfiguration.resolve(
            kubeURL: settings.kubeconfig == nil ? "https://kubernetes.example.test" : nil,
            kubeconfig: settings.kubeconfig, context: nil, environment: [:])
        let wire: any HTTPTransport =
            settings.kubeconfig == nil ? transport : WireTransport { [changed] in changed.ring() }
        let kubernetes = KubernetesClient(configuration: cluster, transport: network ?? wire, now: nanoseconds)
        let leadership = Leadership(
            client: kubernetes, ledger: ledger, ledgerID: await ledger.id, namespace: "default", time: time, log: log,
            seed: .random(in: .min ... .max))
        return Controller(
            Controller.Parts(
                kubernetes: kubernetes, orchestrator: orchestrator, ledger: ledger, time: time, log: log,
                metrics: metrics, seed: 1, leadership: isElected ? leadership : nil),
            namespace: settings.namespace, notOlderThan: await ledger.watchVersion, policy: settings.policy,
            resync: settings.resync,
            workers: settings.workers)
    }

    /// Something happened that is no request: those who wait look again.
    func look() { changed.ring() }

    /// Waits until the world looks so; every answered request is a reason to look again.
    func until(
        _ what: Comment, within limit: Duration = .seconds(30), location: SourceLocation = #_sourceLocation,
        _ isSo: () async throws -> Bool
    ) async throws {
        let deadline = Time.live.now() + limit
        while true {
            let heard = changed.count
            if try await isSo() { return }
            guard Time.live.now() < deadline else {
                Issue.record("never happened: \(what)", sourceLocation: location)
                throw CancellationError()
            }
            await changed.wait(since: heard, until: deadline, time: .live)
        }
    }

    /// A pause in which something that must not happen could: long enough for the debounce and a write.
    func settle() async throws {
        let quiet = Time.live.now() + .milliseconds(700)
        while Time.live.now() < quiet { await changed.wait(since: changed.count, until: quiet, time: .live) }
    }
}

// MARK: - What a user does and sees

extension World {
    func spec(
        profile: String = World.profile, name: String? = nil, fqdn: String = "app.vcn.cloud", port: Int = 8080,
        _ others: [String: JSON] = [:]
    ) -> JSON {
        var members: [JSON.Member] = [
            .init("profile", .string(profile)), .init("fqdn", .string(fqdn)), .init("dport", .int(port)),
        ]
        if let name { members.append(.init("name", .string(name))) }
        members += others.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value) }
        return .object(members)
    }

    func status(_ name: String, namespace: String = "default") -> Status {
        Status(json: apiServer.object(name, namespace: namespace)?["status"])
    }

    func isReady(_ name: String, namespace: String = "default") -> Bool {
        guard let object = apiServer.object(name, namespace: namespace),
            let ready = status(name, namespace: namespace).condition(.ready)
        else { return false }
        return ready.isTrue && ready.observedGeneration == object["metadata"]?["generation"]?.int
    }

    /// The reason why a resource is not ready, for its newest generation.
    func reason(_ name: String, namespace: String = "default") -> String? {
        guard let ready = status(name, namespace: namespace).condition(.ready), !ready.isTrue,
            ready.observedGeneration == apiServer.object(name, namespace: namespace)?["metadata"]?["generation"]?.int
        else { return nil }
        return ready.reason
    }

    func names(_ profile: ProfileKey = 101, segment: String = World.segment) -> [String?] {
        orchestrator.profile(profile)?.segment(segment)?.names ?? []
    }

    func rule(_ name: String, _ profile: ProfileKey = 101, segment: String = World.segment) -> JSON? {
        orchestrator.profile(profile)?.segment(segment)?.rule(name)
    }

    func edit(_ edit: PortalEdit) throws {
        try orchestrator.edit(edit, now: time.wallMilliseconds())
    }

    /// Calls to the VCO since the log was cleared, by the last part of the method.
    var calls: [String: Int] {
        orchestrator.log.counts.reduce(into: [:]) { counts, entry in
            counts[String(entry.key.split(separator: "/").last ?? ""), default: 0] += entry.value
        }
    }

    var vcoWrites: Int { calls["updateConfigurationModule"] ?? 0 }

    func clearCounts() {
        orchestrator.clearLog()
        apiServer.clearCounts()
        transport.clearRequests()
        clearReads()
    }

    func clearReads() {
        moduleReads.withLock { $0 = (0, 0) }
    }

    var wholeReads: Int { moduleReads.withLock { $0.whole } }
    var versionReads: Int { moduleReads.withLock { $0.version } }

    /// What befalls requests; each of them is a reason to look at the world again, though it may have no effect for
    /// long.
    func onRequest(_ hook: (@Sendable (HTTPRequest) -> SimulatedTransport.Fault?)?) {
        guard let hook else { return transport.onRequest(nil) }
        transport.onRequest { [changed] request in
            defer { changed.ring() }
            return hook(request)
        }
    }

    func onEffect(_ hook: (@Sendable (HTTPRequest) -> Void)?) {
        afterEffect.withLock { $0 = hook }
    }

    /// Writes the token's file anew, as a changed Secret does.
    func write(token: String) throws {
        let file = try #require(fopen(tokenPath, "w"))
        fputs(token, file)
        fclose(file)
    }
}
