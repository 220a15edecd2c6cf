/// The pause that a 429 puts on every call to the VCO: calls made during its penalty would only prolong it.
struct CallPause: Sendable {
    /// The penalty of the VCO's limiter is 5000 ms.
    static let afterRateLimit: Duration = .seconds(5)
    /// The longest `Retry-After` that is believed.
    static let max: Duration = .seconds(300)

    private var until: Int64?

    /// What is left of the pause, or nil when calls may go out.
    func remaining(now: Int64) -> Duration? {
        guard let until, now < until else { return nil }
        return .nanoseconds(until - now)
    }

    /// Starts, or prolongs, the pause.
    mutating func begin(now: Int64, retryAfter: Duration?) {
        let pause = Swift.min(Swift.max(retryAfter ?? Self.afterRateLimit, Self.afterRateLimit), Self.max)
        let (seconds, attoseconds) = pause.components
        let end = now + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        until = Swift.max(until ?? end, end)
    }
}
