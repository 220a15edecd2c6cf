import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Ledger
import Logging
import Operator
import Simulation
import Testing

/// One of several controllers in one world that hold an election, each with a ledger and a way to the network of its
/// own.
final class Replica: Sendable {
    let name: String
    let controller: Controller
    let ledger: Ledger
    let stop: StopSignal
    let isOver = Locked(false)
    private let leaseRoad: Road
    private let lines: Locked<[String]>

    init(_ name: String, in world: World, _ settings: World.Settings = World.Settings()) async throws {
        let time = world.clock.time
        let (leaseRoad, lines) = (Road(to: world), Locked<[String]>([]))
        ledger = try await Ledger.open(
            path: Self.path(name, world), binding: LedgerBinding(clusterID: "cluster", orchestrator: "vco", scope: "*"),
            now: time.wallMilliseconds())
        let log = Logger(label: "test") { _ in
            LineLogHandler(format: .text, level: LogLevel(.info), now: time.wallMilliseconds) { line in
                lines.withLock { $0.append(line) }
                world.look()
            }
        }
        controller = try await world.controller(ledger, settings, isElected: true, over: leaseRoad, log: log)
        stop = StopSignal(bell: controller.cache.bell)
        (self.name, self.leaseRoad, self.lines) = (name, leaseRoad, lines)
    }

    var isLeading: Bool { controller.isLeading }
    var ending: LeaderElection.Ending? { controller.leadership?.ending }

    func logged(_ words: String) -> Int { lines.withLock { $0.count { $0.contains(words) } } }

    /// The Lease cannot be reached from here any more; everything else can.
    func cutOff() { leaseRoad.isCut.withLock { $0 = true } }

    static func path(_ name: String, _ world: World) -> String { "\(world.statePath)-\(name)" }

    /// The way to the API server, which can be cut where it leads to the Lease.
    private final class Road: HTTPTransport {
        let isCut = Locked(false)
        private let world: World

        init(to world: World) { self.world = world }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            if request.url.contains("/leases"), isCut.withLock({ $0 }) { throw .connect("cut off") }
            return try await world.transport.send(request)
        }
    }
}

extension World {
    /// Runs replicas round what the test does; those that have not ended by then are stopped.
    func run(_ replicas: [Replica], _ body: () async throws -> Void) async throws {
        let failure: (any Error)? = await withTaskGroup(of: Void.self) { group in
            for replica in replicas {
                group.addTask {
                    await replica.controller.run(isStopping: replica.stop)
                    replica.isOver.withLock { $0 = true }
                    self.look()
                }
            }
            do {
                try await body()
                for replica in replicas { replica.stop.set() }
            } catch {
                group.cancelAll()
                return error
            }
            await group.waitForAll()
            return nil
        }
        for replica in replicas { await replica.ledger.close() }
        if let failure { throw failure }
    }

    /// Takes the replicas' ledgers away, at the end.
    func removeLedgers(_ names: String...) {
        for name in names {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink(Replica.path(name, self) + suffix) }
        }
    }

    /// The one that leads, once there is one, and another.
    func leader(_ one: Replica, _ other: Replica) async throws -> (leader: Replica, standby: Replica) {
        try await until("one leads") { one.isLeading || other.isLeading }
        return one.isLeading ? (one, other) : (other, one)
    }

    /// Writes to the API server, those of the Lease aside.
    var resourceWrites: Int {
        apiServer.writes - (apiServer.counts["patch leases"] ?? 0) - (apiServer.counts["create leases"] ?? 0)
    }

    /// Who has the Lease; empty for nobody.
    var leaseHolder: String? { apiServer.objects(.lease).first?["spec"]?["holderIdentity"]?.string }
}
