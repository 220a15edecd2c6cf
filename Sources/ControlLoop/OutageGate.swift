/// The gate before the VCO: when one call has shown that calls cannot succeed, all wait, and one at a time tries again.
///
/// Ask `admit` before work that calls the VCO, and tell how it went. A value without a clock; time comes in.
package struct OutageGate: Sendable {
    /// May the caller go?
    package enum Admission: Hashable, Sendable {
        /// Yes; while the gate is closed, as the one probe, whose outcome must be told (`abandoned` if there is none).
        case go
        /// Not before this time; then ask again. `succeeded` tells when to stop waiting earlier.
        case wait(until: Instant)
    }

    /// What closed the gate.
    package enum Reason: Hashable, Sendable {
        /// No answer, or one that says the VCO is not well.
        case unreachable
        /// Too many calls.
        case rateLimited
        /// The credential was not accepted, or does not allow the call.
        case refused
    }

    /// The gate while it is closed.
    private struct Closure: Sendable {
        var reason: Reason
        /// When the next probe may go.
        var retryAt: Instant
        /// When the probe that is under way went.
        var probeSince: Instant?
    }

    /// The longest wait between two probes.
    private static var delayMax: Duration { .seconds(300) }
    /// At the beginning of an outage the waits stay short, since most outages are.
    private static var earlyTime: Duration { .seconds(120) }
    /// The longest wait in that time, or a resync if that is longer.
    private static var earlyDelayMax: Duration { .seconds(15) }
    /// The VCO's own penalty, within which it refuses every call.
    private static var rateLimitTime: Duration { .seconds(5) }
    /// How long to wait for what a probe under way will tell, before asking again.
    private static var probePollTime: Duration { .seconds(1) }
    /// A probe that told nothing for this long is taken for lost, so that the gate cannot stay closed by mistake.
    private static var probeTimeMax: Duration { .seconds(120) }
    /// Refusals this close together are one: where only writes are refused, each read that succeeds opens the gate.
    private static var refusalCalmTime: Duration { .seconds(120) }
    /// Waits are 1 s and its doubles, less up to a fifth at random; put as a backoff that starts low and is lengthened,
    /// so that no wait is ever longer than the longest.
    private static var jitter: Double { 0.25 }
    private static var backoff: Backoff {
        Backoff(base: .milliseconds(800), max: delayMax / (1 + jitter), jitter: jitter)
    }

    private let resync: Duration
    private var random: SeededRandom
    private var closure: Closure?
    private var outages = CalmingBackoff(Self.backoff, calmTime: .zero)
    private var refusals = CalmingBackoff(Self.backoff, calmTime: Self.refusalCalmTime)

    package init(resync: Duration, random: SeededRandom) {
        self.resync = resync
        self.random = random
    }

    /// What keeps the gate closed; nil when it is open.
    package var reason: Reason? { closure?.reason }

    /// Asks whether to call the VCO now.
    ///
    /// Whoever must wait is to be put aside in the same critical section, or an opening in between would not reach it.
    package mutating func admit(now: Instant) -> Admission {
        guard let closed = closure else { return .go }
        if let probeSince = closed.probeSince, now.since(probeSince) < Self.probeTimeMax {
            return .wait(until: now + Self.probePollTime)
        }
        guard now >= closed.retryAt else { return .wait(until: closed.retryAt) }
        closure?.probeSince = now
        return .go
    }

    /// A call has succeeded. True when this opened the gate: whoever waits is to come now.
    package mutating func succeeded(now: Instant) -> Bool {
        // After a 429 or a refusal, a call that had been let in before says nothing about the next one.
        guard let closed = closure, closed.reason == .unreachable || closed.probeSince != nil else { return false }
        outages.succeeded(now: now)
        refusals.succeeded(now: now)
        closure = nil
        return true
    }

    /// A call got no answer, or a 5xx: 1 s, doubling to 5 minutes.
    package mutating func unreachable(now: Instant) {
        guard closure == nil || isProbing else { return }  // let in before the gate closed: the same outage
        let delay = outages.failed(now: now, random: &random, max: delayMax)
        closure = Closure(reason: .unreachable, retryAt: now + delay)
    }

    /// A call got a 429: nobody calls for 5 s, or for as long as the VCO says.
    package mutating func rateLimited(now: Instant, retryAfter: Duration? = nil) {
        let end = now + max(Self.rateLimitTime, min(retryAfter ?? .zero, Self.delayMax))
        if let closed = closure, !isProbing {
            // Let in before the gate closed, but the penalty counts from now.
            closure?.retryAt = max(closed.retryAt, end)
        } else {
            outages.succeeded(now: now)
            closure = Closure(reason: .rateLimited, retryAt: end)
        }
    }

    /// A call was refused for its credential or for what that may do: tried again like an outage, until the credential
    /// changes.
    package mutating func refused(now: Instant) {
        guard closure == nil || isProbing else { return }  // let in before the gate closed: the same refusal
        outages.succeeded(now: now)
        let delay = refusals.failed(now: now, random: &random, max: delayMax)
        closure = Closure(reason: .refused, retryAt: now + delay)
    }

    /// The credential or the CA is another one: a refusal is over, and an outage may have been for the old CA.
    ///
    /// True when whoever waits is to come now.
    @discardableResult
    package mutating func credentialChanged(now: Instant) -> Bool {
        switch closure?.reason {
        case .refused:
            refusals = CalmingBackoff(Self.backoff, calmTime: Self.refusalCalmTime)
            closure = nil
            return true
        case .unreachable:
            closure?.retryAt = now
            return true
        case .rateLimited, nil:
            return false
        }
    }

    /// The probe ended without an outcome (it was cancelled, or had nothing to call for): the next one may go at once.
    package mutating func abandoned(now: Instant) {
        closure?.probeSince = nil
    }

    private var isProbing: Bool { closure?.probeSince != nil }

    /// The longest delay in an outage that has lasted for this long, before jitter.
    private func delayMax(lasting: Duration) -> Duration {
        let early = min(max(Self.earlyDelayMax, resync), Self.delayMax)
        return (lasting < Self.earlyTime ? early : Self.delayMax) / (1 + Self.jitter)
    }
}
