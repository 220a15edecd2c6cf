import ControlLoop
import HTTPTransport
import Ledger
import Operator
import Simulation

/// What the world does between any two acts of the operator.
extension SeededWorld {
    /// Where a call of the operator stands when the world takes a turn.
    enum Place {
        case before(HTTPRequest)
        case after(HTTPRequest)
        case sleep

        /// Between the operator's last look at the module's version and its write nobody can tell it of an edit: the
        /// VCO has no conditional write.
        var isBlindSpot: Bool {
            switch self {
            case .before(let request): request.isUpdate
            case .after(let request): request.readsModule && !request.readsDocument
            case .sleep: false
            }
        }
    }

    /// A few steps of the world, as many as the weather gives, in the midst of a call.
    func interlude(_ place: Place) async {
        let isBlind = place.isBlindSpot
        let isAllowed = state.withLock { state in
            guard state.depth < Self.depthMax else { return false }
            state.depth += 1
            if isBlind { state.blindSpots += 1 }
            return true
        }
        guard isAllowed else { return }
        while chance(weather.interleaving) { await happen() }
        state.withLock { state in
            state.depth -= 1
            if isBlind { state.blindSpots -= 1 }
        }
    }

    /// One step of somebody.
    func happen() async {
        state.withLock { $0.steps += 1 }
        let weather = weather
        let living = state.withLock { $0.living }
        if chance(weather.deaths), !living.isEmpty {
            let process = one(of: living)
            kill(
                process.life.replica, losesLedger: chance(weather.lostLedgers),
                losesLatest: chance(300))
            return
        }
        if chance(weather.edits), state.withLock({ $0.blindSpots == 0 }) { return await edit() }
        if chance(weather.upsets) { return upset() }
        if chance(weather.refusedTokens) {
            let isRight = draw { Bool.random(using: &$0) }
            note("the VCO \(isRight ? "takes" : "refuses") the token")
            return orchestrator.setToken(isRight ? Self.token : "another")
        }
        if chance(weather.limits), !state.withLock({ $0.wantsNothingNew }) { return limitActs() }
        switch draw({ Int.random(in: 0..<100, using: &$0) }) {
        case 0..<60: await stepOfOperator()
        case 60..<85: await pass(draw { .milliseconds(Int64.random(in: 1...3000, using: &$0)) })
        default: if !state.withLock({ $0.wantsNothingNew }) { userActs() }
        }
    }

    private func stepOfOperator() async {
        let living = state.withLock { $0.living }
        guard !living.isEmpty else { return }
        _ = await one(of: living).step(one(of: OperatorProcess.Loop.allCases))
        heedElection()
    }

    private func pass(_ duration: Duration) async {
        advance(to: now + max(duration, chance(20) ? Self.resync : .zero))
    }

    /// What servers and clocks do of themselves.
    private func upset() {
        switch draw({ Int.random(in: 0..<4, using: &$0) }) {
        case 0:
            note("the API server forgets its history")
            apiServer.compact()
        case 1:
            let seconds = draw { Int64.random(in: -3600...3600, using: &$0) }
            note("the wall clock jumps by \(seconds) s")
            state.withLock { $0.wallAhead += .seconds(seconds) }
        case 2:
            note("time stands still for the operator")
            advance(to: now + .seconds(draw { Int64.random(in: 5...400, using: &$0) }))
        default:
            apiServer.pass(versions: draw { Int.random(in: 1...50, using: &$0) })
        }
    }
}
