/// A VCO's two limiters: requests in a short window, and requests in flight; over either, a penalty for everybody.
struct RateLimiter: Hashable, Sendable {
    private var arrivals: [Int64] = []
    private var penaltyUntil: Int64?
    private(set) var inFlight = 0

    /// Counts a request in; false when it is answered 429.
    mutating func admit(_ limit: OrchestratorModes.RateLimit?, now: Int64) -> Bool {
        guard let limit else { return true }
        if let penaltyUntil, now < penaltyUntil { return false }
        penaltyUntil = nil
        arrivals.removeAll { $0 <= now - limit.windowMilliseconds }
        let isOverCalls = limit.calls.map { arrivals.count >= $0 } ?? false
        let isOverConcurrency = limit.concurrency.map { inFlight >= $0 } ?? false
        if isOverCalls || isOverConcurrency {
            penaltyUntil = now + limit.penaltyMilliseconds
            return false
        }
        arrivals.append(now)
        return true
    }

    mutating func began() {
        inFlight += 1
    }

    mutating func ended() {
        precondition(inFlight > 0, "a request ended that had not begun")
        inFlight -= 1
    }
}
