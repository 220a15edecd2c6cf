import ControlLoop
import Ledger
import Simulation

/// What a world is like: how servers answer, and how often what goes wrong. Rates are of a thousand.
struct Weather: Sendable {
    /// Calls that never arrive.
    var requestLost = 0
    /// Calls whose effect is there and whose reply is not.
    var replyLost = 0
    /// Answers of 429.
    var refused = 0
    /// 5xx, some of them as a web page.
    var failing = 0
    /// Watches that break in the midst of a line, or tell things twice.
    var raggedWatches = 0
    /// Calls that take seconds.
    var slow = 0
    /// Steps in which a process dies.
    var deaths = 0
    /// Of the deaths, those that take the ledger along.
    var lostLedgers = 0
    /// Steps in which somebody edits the VCO by hand.
    var edits = 0
    /// Steps in which the API server forgets its history, or a clock jumps.
    var upsets = 0
    /// Steps in which the VCO starts or ends to refuse the token.
    var refusedTokens = 0
    /// Steps in which a resource is gone without its finalizer having run.
    var vanishing = 0
    /// Steps in which the WAN team makes, changes or removes a limit.
    var limits = 0
    /// Steps that come between a call and its effect, and between that and its reply.
    var interleaving = 0
    /// Whether profiles are renamed and made.
    var movesProfiles = false
    var modes = OrchestratorModes()
    var goneWatch = APIServerModes.GoneWatch.event
    /// How many processes of the operator there are; with two, one leads.
    var replicas = 1
    /// Whether the API server can tell its list as the beginning of a watch.
    var servesWatchList = false
    /// Objects on a page of a list.
    var pageSize = 500

    /// Nothing goes wrong.
    init() {}

    /// A world draws half of the troubles there are: were all of them everywhere, none would meet the rare path alone.
    init(random: inout SeededRandom) {
        func rate(_ most: Int) -> Int {
            Bool.random(using: &random) ? 0 : Int.random(in: 1...most, using: &random)
        }
        requestLost = rate(80)
        replyLost = rate(80)
        refused = rate(40)
        failing = rate(60)
        raggedWatches = rate(200)
        slow = rate(60)
        deaths = rate(12)
        lostLedgers = rate(700)
        edits = rate(60)
        upsets = rate(40)
        refusedTokens = rate(10)
        replicas = Int.random(in: 0..<3, using: &random) == 0 ? 2 : 1
        // Another leader begins with an empty ledger.
        let losesLedgers = lostLedgers > 0 || replicas > 1
        vanishing = losesLedgers ? 0 : rate(15)
        interleaving = rate(500)
        movesProfiles = !losesLedgers && Bool.random(using: &random)
        pageSize = [1, 2, 3, 500].randomElement(using: &random) ?? 500
        goneWatch = Bool.random(using: &random) ? .event : .status
        servesWatchList = Bool.random(using: &random)
        modes.respelling = OrchestratorModes.Respelling.allCases.randomElement(using: &random) ?? .off
        modes.ruleIDs = Bool.random(using: &random) ? .kept : .replaced
        modes.noData = OrchestratorModes.NoData.allCases.randomElement(using: &random) ?? .absent
        modes.unknownID = Bool.random(using: &random) ? .null : .badRequest
        modes.authFailure = OrchestratorModes.AuthFailure.allCases.randomElement(using: &random) ?? .unauthorized
        modes.release = Bool.random(using: &random) ? .asSent : .v6
        if Int.random(in: 0..<4, using: &random) == 0 { modes.rejectedPorts = [Self.rejectedPort] }
        modes.hasVagueErrors = Bool.random(using: &random)
        limits = rate(60)
    }

    /// The port that no rule may have in worlds where the VCO rejects some.
    static let rejectedPort = 6666

    /// The same world on a fine day: what servers are like stays, troubles end.
    var calmed: Weather {
        var calm = Weather()
        calm.modes = modes
        calm.goneWatch = goneWatch
        calm.pageSize = pageSize
        calm.replicas = replicas
        calm.servesWatchList = servesWatchList
        calm.movesProfiles = movesProfiles
        return calm
    }
}
