import ControlLoop

/// The pass that the running code belongs to, wherever it is called from: for the lines it logs, and for its time
/// limit.
///
/// A call has a time limit of its own, but a pass is many calls, and while it runs nobody else looks at its profile. So
/// past the pass's limit no further call is begun: it ends like one whose calls fail, and its key comes again after a
/// backoff. Nothing is torn: a stop between any two calls is what a crash would be, and the next pass sorts it out.
/// What cannot be limited is a trap: Swift ends the process for it, and the next start goes on from the ledger.
struct PassScope: Sendable {
    /// Set while a pass runs.
    @TaskLocal static var current: PassScope?

    /// Passes begin in the order of their numbers.
    let number: Int
    let startedAt: Instant

    /// From its beginning a pass may call the VCO for so long.
    static let orchestratorTimeMax = Duration.seconds(300)
    /// And the API server for so long, to tell how it went.
    static let timeMax = Duration.seconds(420)

    /// Whether the pass that runs, if any, has had its time.
    static func isOver(after limit: Duration, now: Instant) -> Bool {
        current.map { now.since($0.startedAt) >= limit } ?? false
    }
}
