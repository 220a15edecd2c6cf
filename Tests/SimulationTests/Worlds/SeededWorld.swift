import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Ledger
import Operator
import Simulation

/// A whole world from one seed: API server, VCO, people, the network, time, and the operator in the midst of it.
///
/// Everything happens in one task. The operator is the production code; at each of its calls, and each time it sleeps,
/// the world may first take a few steps: somebody edits something, time passes, another of the operator's own loops
/// takes a step, the call fails before its effect or its reply is lost after it, the process dies. The seed alone
/// decides which, so a run that went wrong can be played again.
final class SeededWorld: Sendable {
    let seed: UInt64
    let orchestrator: OrchestratorSimulator
    let apiServer: SimulatedAPIServer
    let network: SimulatedTransport
    /// Ledgers of all processes that ever ran here; in memory, as an fsync that waits for a disk proves nothing.
    let folder: String
    /// When the next loop has something to do, in a calm world.
    let nextWake = Locked<Instant?>(nil)
    let state: Locked<State>

    /// What changes while the world goes on.
    struct State: Sendable {
        var random: SeededRandom
        var weather: Weather
        var now = Instant(nanoseconds: 1_000_000_000_000)
        /// What the wall clock is ahead of `now`: it can jump.
        var wallAhead = Duration.seconds(1_767_225_600)
        /// The operator's processes: one for each replica, nil while it is down.
        var processes: [OperatorProcess?]
        /// Where each replica finds its ledger when it starts.
        var ledgers: [String]
        var processesStarted = 0
        /// Processes that died, with steps of theirs still on the stack.
        var dead: [OperatorProcess] = []
        /// How many calls the world's steps are nested in.
        var depth = 0
        /// Calls under way after which nothing looks at the module's version again before it is written.
        var blindSpots = 0
        /// Names of rules that are not the operator's, by profile and segment.
        var foreignNames: [String: Set<String>] = [:]
        /// Rules that nobody can know to be ours any more, as `profile/segment/name`.
        var forgotten: Set<String> = []
        /// Every limit that was ever there, as it was made or changed.
        var limitsSeen: [WorldLimit] = []
        /// Rules of resources that were ready when a limit came that lets them be, by uid.
        var kept: [String: KeptRule] = [:]
        /// Processes that were told by watches, by the kind that they watch, since everybody was last asked to wait.
        var told: [SimulatedKind: Set<Int>] = [:]
        var wantsNothingNew = false
        /// The ledger of who led last, as the Lease tells.
        var lastLedger: String?
        var named = 0
        var steps = 0
        /// Calls and naps of the operator.
        var acts = 0
        var broken: [String] = []
        var trace: [String] = []
        var traceDigest: UInt64 = 0xCBF2_9CE4_8422_2325
    }

    init(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let weather = Weather(random: &random)
        self.seed = seed
        var template = Array("/dev/shm/velokube-world.XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Unusable() }
        let folder = String(cString: path)
        self.folder = folder
        let state = Locked(
            State(
                random: random, weather: weather, processes: Array(repeating: nil, count: weather.replicas),
                ledgers: (0..<weather.replicas).map { "\(folder)/\($0).db" }))
        self.state = state
        let wall: @Sendable () -> Int64 = { state.withLock { $0.wallMilliseconds } }
        orchestrator = OrchestratorSimulator(token: Self.token, modes: weather.modes)
        apiServer = SimulatedAPIServer(wallMilliseconds: wall)
        apiServer.createNamespace("shop")
        apiServer.modes.endsWatchesAtOnce = true
        apiServer.modes.goneWatch = weather.goneWatch
        apiServer.modes.servesWatchList = weather.servesWatchList
        network = SimulatedTransport(orchestrator: orchestrator, apiServer: apiServer, wallMilliseconds: wall)
        for profile in orchestrator.profiles {
            for segment in profile.segments {
                let names = Set(segment.names.compactMap { $0 })
                state.withLock { $0.foreignNames["\(profile.id)/\(segment.id ?? -1)"] = names }
            }
        }
    }

    deinit {
        runProgram("rm", "-rf", folder)
    }

    struct Unusable: Error {}

    static let token = "secret-token"
    /// Between two resyncs of the operator.
    static let resync = Duration.seconds(60)
    /// Calls nest no deeper: the operator lets four calls go to the VCO at once.
    static let depthMax = 2
    /// A whole world takes some hundreds of calls: after so many, a loop of the operator has no end.
    private static let actsMax = 20_000
    /// Lines of the trace that are kept for the one who has to find out.
    private static let traceMax = 4000

    /// Draws from the seed.
    func draw<Value>(_ body: (inout SeededRandom) -> Value) -> Value {
        state.withLock { body(&$0.random) }
    }

    /// True that often, of a thousand.
    func chance(_ permille: Int) -> Bool {
        permille > 0 && draw { Int.random(in: 0..<1000, using: &$0) } < permille
    }

    /// One of these; there must be one.
    func one<Choices: RandomAccessCollection>(of choices: Choices) -> Choices.Element {
        let offset = draw { Int.random(in: 0..<choices.count, using: &$0) }
        return choices[choices.index(choices.startIndex, offsetBy: offset)]
    }

    /// Notes what happened, for people, and for the comparison of two runs.
    func note(_ line: @autoclosure () -> String) {
        let line = line()
        state.withLock { state in
            let stamp = "\(state.now.nanoseconds / 1_000_000) "
            for byte in (stamp + line).utf8 {
                state.traceDigest = (state.traceDigest ^ UInt64(byte)) &* 0x100_0000_01B3
            }
            if state.trace.count >= Self.traceMax { state.trace.removeFirst(Self.traceMax / 2) }
            state.trace.append(stamp + String(repeating: "  ", count: state.depth) + line)
        }
    }

    /// Counts a call or a nap of a process; one that never ends is ended, so that the run can tell.
    func count(_ life: OperatorProcess.Life) {
        let isTooMuch = state.withLock { state in
            state.acts += 1
            return state.acts > Self.actsMax
        }
        guard isTooMuch, life.isAlive else { return }
        breaks("the operator never comes to rest")
        life.end()
    }

    /// Notes that something happened which never may.
    func breaks(_ law: String) {
        note("BROKEN: \(law)")
        state.withLock { $0.broken.append(law) }
    }

    var now: Instant { state.withLock { $0.now } }

    func advance(to instant: Instant) {
        state.withLock { $0.now = max($0.now, instant) }
    }
}

extension SeededWorld.State {
    var wallMilliseconds: Int64 {
        now.nanoseconds / 1_000_000 + wallAhead.nanoseconds / 1_000_000
    }

    var living: [OperatorProcess] { processes.compactMap { $0 } }
}

/// Runs a program and waits for it; its exit code.
@discardableResult
private func runProgram(_ program: String, _ arguments: String...) -> Int32 {
    var process = pid_t()
    var vector = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in vector { free(pointer) } }
    guard posix_spawnp(&process, program, nil, nil, &vector, environ) == 0 else { return -1 }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return status
}
