import ControlLoop
import Orchestrator
import Testing

@testable import Operator

/// What the queue is told at the end of a pass.
@Suite struct PassOutcomeTests {
    private func pass() -> Pass {
        Pass(
            key: "p", startedAt: Instant(nanoseconds: 0), epoch: 1, subjects: [], visitors: [], recorded: [],
            firstRecord: [:], knownIDs: [])
    }

    // Nothing left to do: the key is done and its failures are forgotten.
    @Test func nothingLeftIsDone() {
        #expect(pass().outcome == .done && pass().metric == .unchanged)
    }

    // Of several times to look again the earliest counts.
    @Test func earliestTimeToLookAgainCounts() {
        var pass = pass()
        for second in [9, 3, 7] { pass.lookAgain(at: Instant(nanoseconds: Int64(second))) }
        #expect(pass.outcome == .again(at: Instant(nanoseconds: 3)) && pass.metric == .deferred)
    }

    // A failure backs off whatever else the pass has asked for, before and after it.
    @Test func failureBeatsATimeToLookAgain() {
        var pass = pass()
        pass.lookAgain(at: Instant(nanoseconds: 3))
        pass.fail(SessionError(error: .failed("odd"), retryAt: nil))
        pass.lookAgain(at: Instant(nanoseconds: 4))
        pass.hasWritten = true
        #expect(pass.outcome == .failed && pass.metric == .failed)
    }

    // A call that may be tried at a known time is no failure of this key.
    @Test func knownTimeIsNoFailure() {
        var pass = pass()
        pass.fail(SessionError(error: .rateLimited(retryAfter: nil), retryAt: Instant(nanoseconds: 5)))
        #expect(pass.outcome == .again(at: Instant(nanoseconds: 5)))
    }
}
