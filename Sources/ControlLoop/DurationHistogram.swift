/// Counts durations by size: the plain numbers behind a Prometheus histogram.
package struct DurationHistogram: Hashable, Sendable {
    /// The upper end of each bucket, ascending and inclusive.
    package let bounds: [Duration]
    /// How many fell into each bucket (not cumulative), and one count more for what is beyond the last bound.
    package private(set) var counts: [Int]
    /// Of all that was observed.
    package private(set) var sum: Duration = .zero

    package init(bounds: [Duration]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// 10 ns to 1,000 s by powers of ten: the buckets that `workqueue_*` histograms have everywhere.
    package static var forWorkQueue: DurationHistogram {
        DurationHistogram(bounds: (0..<12).map { .nanoseconds((0..<$0).reduce(Int64(10)) { sum, _ in sum * 10 }) })
    }

    /// How many were observed.
    package var count: Int { counts.reduce(0, +) }

    package mutating func observe(_ duration: Duration) {
        counts[bounds.firstIndex { duration <= $0 } ?? bounds.count] += 1
        sum += duration
    }
}
