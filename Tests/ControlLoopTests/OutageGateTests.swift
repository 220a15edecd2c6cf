import ControlLoop
import Testing

@Suite struct OutageGateTests {
    private func gate(resync: Duration = .seconds(300), seed: UInt64 = 1) -> OutageGate {
        OutageGate(resync: resync, random: SeededRandom(seed: seed))
    }

    /// When the gate lets somebody through next.
    private func opening(_ gate: OutageGate, _ now: Instant) -> Instant {
        var gate = gate
        return if case .wait(let until) = gate.admit(now: now) { until } else { now }
    }

    // While all is well everybody may go.
    @Test func openGateLetsEverybodyThrough() {
        var gate = gate()
        for _ in 1...10 { #expect(gate.admit(now: at(0)) == .go) }
        let isOpening = gate.succeeded(now: at(0))
        #expect(gate.reason == nil && !isOpening)
    }

    // After one failure nobody goes until the time has come, and then exactly one, whose success lets all others go.
    @Test func oneProbeGoesAndItsSuccessOpensTheGate() {
        var gate = gate()
        gate.unreachable(now: at(0))
        #expect(gate.reason == .unreachable)
        let time = opening(gate, at(0))
        #expect(time >= at(0.8) && time <= at(1))
        #expect(gate.admit(now: at(0.5)) == .wait(until: time))
        #expect(gate.admit(now: time) == .go)
        for _ in 1...3 {
            guard case .wait(let until) = gate.admit(now: time) else { return #expect(Bool(false), "a second probe") }
            #expect(until > time && until <= time + .seconds(1), "asked again soon, for the probe may fail")
        }
        let isOpening = gate.succeeded(now: at(1.2))
        #expect(isOpening && gate.reason == nil)
        for _ in 1...3 { #expect(gate.admit(now: at(1.2)) == .go) }
    }

    // The waits between probes double from one second to five minutes, each a little shorter at random.
    @Test func waitsDoubleFromOneSecondToFiveMinutes() {
        var gate = gate()
        gate.unreachable(now: at(0))
        var now = at(0)
        var ratios: Set<Double> = []
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let wait = opening(gate, now).since(now)
            let ratio = wait / .seconds(seconds)
            #expect(ratio <= 1 && ratio >= 0.8, "\(wait) for \(seconds) s")
            ratios.insert(ratio)
            now = now + wait
            #expect(gate.admit(now: now) == .go)
            gate.unreachable(now: now)
        }
        #expect(ratios.count > 5)
    }

    // For the first two minutes of an outage the waits stay within 15 s, or within a resync if that is longer; then
    // they grow on.
    @Test(arguments: [(1, 15), (15, 15), (40, 40), (3600, 300)]) func earlyWaitsStayShort(resync: Int, longest: Int) {
        for seed in 0..<20 as Range<UInt64> {
            var gate = gate(resync: .seconds(resync), seed: seed)
            gate.unreachable(now: at(0))
            var now = at(0)
            var late: [Duration] = []
            for _ in 0..<100 where now < at(3000) {
                let wait = opening(gate, now).since(now)
                if now < at(120) { #expect(wait <= .seconds(longest)) } else { late.append(wait) }
                now = now + wait
                #expect(gate.admit(now: now) == .go)
                gate.unreachable(now: now)
            }
            #expect(late.first ?? .zero <= .seconds(longest * 2), "no leap")
            #expect(late.max() ?? .zero > .seconds(240) && late.max() ?? .zero <= .seconds(300))
        }
    }

    // Calls that were under way when the gate closed fail as well, and are the same outage: the wait does not grow by
    // them.
    @Test func failuresOfCallsUnderWayAreOneFailure() {
        var (one, many) = (gate(), gate())
        one.unreachable(now: at(0))
        for _ in 1...4 { many.unreachable(now: at(0)) }
        many.refused(now: at(0))
        #expect(opening(one, at(0)) == opening(many, at(0)))
        #expect(many.reason == .unreachable)
    }

    // A call that was under way and does succeed shows that the VCO is there, so the gate opens.
    @Test func successOfACallUnderWayEndsAnOutage() {
        var gate = gate()
        gate.unreachable(now: at(0))
        let isOpening = gate.succeeded(now: at(0.1))
        #expect(isOpening && gate.admit(now: at(0.1)) == .go)
    }

    // An outage after a recovery is a new one.
    @Test func recoveryForgetsTheOutage() {
        var gate = gate()
        var now = at(0)
        for _ in 1...6 {
            gate.unreachable(now: now)
            now = opening(gate, now)
            _ = gate.admit(now: now)
        }
        _ = gate.succeeded(now: now)
        gate.unreachable(now: now)
        #expect(opening(gate, now) <= now + .seconds(1))
    }

    // After a 429 nobody calls for 5 s, not even when another call has still succeeded; then one tries.
    @Test func rateLimitStopsEveryCallForFiveSeconds() {
        var gate = gate()
        gate.rateLimited(now: at(0))
        #expect(gate.reason == .rateLimited)
        let isOpening = gate.succeeded(now: at(0.1))
        #expect(!isOpening && gate.admit(now: at(4.9)) == .wait(until: at(5)))
        #expect(gate.admit(now: at(5)) == .go)
        #expect(gate.admit(now: at(5)) != .go)
        gate.rateLimited(now: at(5.5))
        #expect(gate.admit(now: at(6)) == .wait(until: at(10.5)), "5 s each time, it does not grow")
        #expect(gate.admit(now: at(10.5)) == .go)
        let isOpeningNow = gate.succeeded(now: at(11))
        #expect(isOpeningNow && gate.admit(now: at(11)) == .go)
    }

    // Further 429s, and any during an outage, count from when they came; a longer time that the VCO names is kept to.
    @Test func laterRateLimitsCountFromThen() {
        var limited = gate()
        limited.rateLimited(now: at(0))
        limited.rateLimited(now: at(3))
        #expect(opening(limited, at(3)) == at(8))
        var closed = gate()
        closed.unreachable(now: at(0))
        closed.rateLimited(now: at(0.1))
        #expect(opening(closed, at(0.1)) == at(5.1) && closed.reason == .unreachable)
        var named = gate()
        named.rateLimited(now: at(0), retryAfter: .seconds(30))
        #expect(opening(named, at(0)) == at(30))
        named = gate()
        named.rateLimited(now: at(0), retryAfter: .seconds(1_000_000))
        #expect(opening(named, at(0)) == at(300))
    }

    // A refusal is tried again like an outage, by one probe at a time; success opens the gate.
    @Test func refusalIsProbedLikeAnOutage() {
        var gate = gate()
        gate.refused(now: at(0))
        #expect(gate.reason == .refused)
        let first = opening(gate, at(0))
        #expect(first <= at(1) && gate.admit(now: first) == .go && gate.admit(now: first) != .go)
        gate.refused(now: first)
        let second = opening(gate, first)
        #expect(second.since(first) >= .seconds(1.6) && gate.admit(now: second) == .go)
        let isOpening = gate.succeeded(now: second)
        #expect(isOpening && gate.reason == nil)
    }

    // Where reads succeed and writes are refused, opening for the reads does not make the refusals come every second.
    @Test func refusalsBetweenSuccessesStillBackOff() {
        var gate = gate()
        var now = at(0)
        var waits: [Duration] = []
        for _ in 1...12 {
            gate.refused(now: now)
            let isStraggling = gate.succeeded(now: now)
            #expect(!isStraggling, "a read that was under way does not open it")
            waits.append(opening(gate, now).since(now))
            now = opening(gate, now)
            #expect(gate.admit(now: now) == .go)
            let isOpening = gate.succeeded(now: now)
            #expect(isOpening)
        }
        #expect(waits[0] <= .seconds(1) && waits[11] >= .seconds(240))
        gate.refused(now: now + .seconds(120))
        let calm = now + .seconds(120)
        #expect(opening(gate, calm).since(calm) <= .seconds(1), "after two minutes of calm it is a first one")
    }

    // Another credential ends a refusal at once, and lets an outage be tried at once: the CA may be what was wrong.
    @Test func changedCredentialClearsTheWait() {
        var gate = gate()
        for _ in 1...5 {
            gate.refused(now: at(0))
            _ = gate.admit(now: at(300))
        }
        let clears = gate.credentialChanged(now: at(1))
        #expect(clears && gate.reason == nil && gate.admit(now: at(1)) == .go)
        gate.refused(now: at(1))
        #expect(opening(gate, at(1)) <= at(2), "with the new one it is a first refusal")
        _ = gate.credentialChanged(now: at(1))
        gate.unreachable(now: at(2))
        let tries = gate.credentialChanged(now: at(2))
        #expect(tries && gate.reason == .unreachable && gate.admit(now: at(2)) == .go && gate.admit(now: at(2)) != .go)
        gate.rateLimited(now: at(3))
        let ends = gate.credentialChanged(now: at(3))
        #expect(!ends && opening(gate, at(3)) == at(8), "a credential does not end a penalty")
    }

    // A probe that was cancelled makes room for another at once, and one that never tells makes room in the end.
    @Test func lostProbeMakesRoomForAnother() {
        var gate = gate()
        gate.unreachable(now: at(0))
        #expect(gate.admit(now: at(1)) == .go)
        gate.abandoned(now: at(2))
        #expect(gate.admit(now: at(2)) == .go)
        #expect(gate.admit(now: at(100)) != .go)
        #expect(gate.admit(now: at(122)) == .go)
        #expect(gate.reason == .unreachable)
    }

    // What the probe meets instead is what the gate is closed for from then on.
    @Test func probeMayMeetAnotherReason() {
        var gate = gate()
        gate.unreachable(now: at(0))
        _ = gate.admit(now: at(1))
        gate.rateLimited(now: at(1))
        #expect(gate.reason == .rateLimited && opening(gate, at(1)) == at(6))
        _ = gate.admit(now: at(6))
        gate.refused(now: at(6))
        #expect(gate.reason == .refused)
        let time = opening(gate, at(6))
        _ = gate.admit(now: time)
        gate.unreachable(now: time)
        #expect(gate.reason == .unreachable && opening(gate, time) <= time + .seconds(1), "the VCO had answered")
    }
}
