/// How long to wait after one failure, the next one, and so on.
///
/// It only counts failures: when they started and when they are over is for its owner to say.
package struct Backoff: Hashable, Sendable {
    /// The delay after the first failure, before jitter.
    package let base: Duration
    /// What each further failure multiplies the delay by.
    package let factor: Double
    /// The longest delay before jitter. May be changed under way: growth goes on from what was really waited.
    package var max: Duration
    /// The largest part of itself that a delay is lengthened by at random, so that many clients do not return together.
    package let jitter: Double
    /// The delay that the next failure gives if `max` allows, before jitter; nil while there was no failure.
    private var grown: Duration?

    package init(base: Duration, factor: Double = 2, max: Duration, jitter: Double) {
        precondition(base >= .zero && factor >= 1 && jitter >= 0, "a backoff grows from a delay that is not negative")
        self.base = base
        self.factor = factor
        self.max = max
        self.jitter = jitter
    }

    /// Takes note of a failure and says how long to wait after it: between the delay and `1 + jitter` times the delay.
    package mutating func next(random: inout some RandomNumberGenerator) -> Duration {
        let delay = Swift.min(grown ?? base, max)
        grown = delay * factor
        return jitter > 0 ? delay * (1 + Double.random(in: 0..<jitter, using: &random)) : delay
    }

    /// Forgets every failure: the next one waits `base` again.
    package mutating func reset() {
        grown = nil
    }
}
