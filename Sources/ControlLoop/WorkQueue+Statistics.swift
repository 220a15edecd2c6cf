extension WorkQueue {
    /// A work queue in numbers, under the names of the `workqueue_*` metrics.
    package struct Statistics: Hashable, Sendable {
        /// How often a key's time came (`adds_total`): what is added while it waits already is not counted again.
        package var adds: Int
        /// How often a key failed (`retries_total`).
        package var retries: Int
        /// Keys whose time has come (`depth`).
        package var depth: Int
        /// Keys whose time has not come.
        package var delayed: Int
        /// From the time that a key could be taken until it was (`queue_duration_seconds`).
        package var queueDuration: DurationHistogram
        /// From taken to finished (`work_duration_seconds`).
        package var workDuration: DurationHistogram
        /// Keys whose time has come and since when, sorted by key.
        package var waiting: [Span]
        /// Keys that are worked on and since when, sorted by key.
        package var working: [Span]

        /// A key, and when it came to where it is.
        package struct Span: Hashable, Sendable {
            package var key: Key
            package var since: Instant

            package init(key: Key, since: Instant) {
                self.key = key
                self.since = since
            }
        }

        /// The time that all unfinished runs have taken so far (`unfinished_work_seconds`).
        package func unfinishedWork(now: Instant) -> Duration {
            working.reduce(.zero) { $0 + now.since($1.since) }
        }

        /// The time that the longest unfinished run has taken so far (`longest_running_processor_seconds`).
        package func longestRun(now: Instant) -> Duration {
            working.map { now.since($0.since) }.max() ?? .zero
        }
    }
}
