/// A backoff that starts anew once all has gone well for a while: one good answer between failures is not yet calm.
struct CalmingBackoff: Hashable, Sendable {
    private var backoff: Backoff
    private let calmTime: Duration
    /// Since when all has gone well; nil after a failure until something goes well.
    private var calmSince: Instant?
    /// When the failures began that are counted.
    private var failingSince: Instant?

    init(_ backoff: Backoff, calmTime: Duration) {
        self.backoff = backoff
        self.calmTime = calmTime
    }

    /// Takes note that something went well.
    mutating func succeeded(now: Instant) {
        calmSince = calmSince ?? now
    }

    /// Takes note of a failure and says how long to wait after it. `max` gives the longest delay (before jitter) for
    /// the time that the failures have lasted; without it the backoff's own stands.
    mutating func failed(
        now: Instant, random: inout some RandomNumberGenerator, max: ((_ lasting: Duration) -> Duration)? = nil
    ) -> Duration {
        if let calmSince, now.since(calmSince) >= calmTime {
            backoff.reset()
            failingSince = nil
        }
        calmSince = nil
        let since = failingSince ?? now
        failingSince = since
        if let max { backoff.max = max(now.since(since)) }
        return backoff.next(random: &random)
    }
}
