/// The seam between the program and time: a small table of functions.
///
/// Production fills it with the clocks of the machine, tests with a clock that they move by hand.
package struct Time: Sendable {
    /// The monotonic clock: for deadlines, backoff and pacing.
    package var now: @Sendable () -> Instant
    /// Wall clock, in whole milliseconds since 1970 UTC: for what people read (statuses, events, the journal).
    package var wallMilliseconds: @Sendable () -> Int64
    /// Returns at or after the deadline, or throws `CancellationError` when the task is cancelled.
    package var sleep: @Sendable (_ until: Instant) async throws -> Void

    package init(
        now: @escaping @Sendable () -> Instant,
        wallMilliseconds: @escaping @Sendable () -> Int64,
        sleep: @escaping @Sendable (_ until: Instant) async throws -> Void
    ) {
        self.now = now
        self.wallMilliseconds = wallMilliseconds
        self.sleep = sleep
    }
}
