import ControlLoop
import Testing

@Suite struct WorkQueueStatisticsTests {
    // The metrics count each run that became due once, each failure, and where every key is since when.
    @Test func statisticsCountWhatHappened() {
        var queue = Queue.fresh()
        for key in ["a", "b", "a"] { queue.add(key, at: at(0)) }
        queue.add("c", notBefore: at(9), now: at(0))
        #expect(queue.statistics.adds == 2 && queue.statistics.depth == 2 && queue.statistics.delayed == 1)
        _ = queue.take(now: at(0.5))
        for _ in 1...2 { queue.add("a", at: at(1)) }
        #expect(queue.statistics.waiting == [Queue.Statistics.Span(key: "b", since: at(0))])
        #expect(queue.statistics.working == [Queue.Statistics.Span(key: "a", since: at(0.5))])
        _ = queue.take(now: at(2))
        #expect(queue.statistics.unfinishedWork(now: at(3)) == .seconds(3.5))
        #expect(queue.statistics.longestRun(now: at(3)) == .seconds(2.5))
        queue.finish("a", .done, now: at(3))
        queue.finish("b", .failed, now: at(3))
        let statistics = queue.statistics
        #expect(statistics.adds == 3 && statistics.retries == 1 && statistics.depth == 1 && statistics.delayed == 2)
        #expect(statistics.queueDuration.sum == .seconds(2.5) && statistics.queueDuration.count == 2)
        #expect(statistics.workDuration.sum == .seconds(3.5) && statistics.workDuration.count == 2)
        #expect(statistics.longestRun(now: at(3)) == .zero)
        #expect(queue.takeAll(at(9)) == ["a", "b", "c"])
        #expect(queue.statistics.adds == 5 && queue.statistics.waiting.isEmpty)
    }

    // Durations fall into the buckets that work queue metrics have everywhere; a bound belongs to its bucket.
    @Test func histogramCountsByPowersOfTen() {
        var histogram = DurationHistogram.forWorkQueue
        #expect(histogram.bounds.first == .nanoseconds(10) && histogram.bounds.last == .seconds(1000))
        #expect(histogram.bounds.count == 12 && histogram.bounds[8] == .seconds(1))
        for duration in [Duration.zero, .seconds(1), .milliseconds(1100), .seconds(5000)] {
            histogram.observe(duration)
        }
        #expect(histogram.counts == [1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1])
        #expect(histogram.count == 4 && histogram.sum == .milliseconds(5_002_100))
    }
}
