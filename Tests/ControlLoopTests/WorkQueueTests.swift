import ControlLoop
import Testing

typealias Queue = WorkQueue<String>

extension WorkQueue<String> {
    /// One whose keys wait 1 s after the first failure, 2 s after the second, up to a minute, without jitter.
    static func fresh() -> Self {
        WorkQueue(backoff: Backoff(base: .seconds(1), max: .seconds(60), jitter: 0), random: SeededRandom(seed: 1))
    }

    mutating func add(_ key: String, at now: Instant) {
        add(key, notBefore: now, now: now)
    }

    /// Everything that can be taken at one time, in order.
    mutating func takeAll(_ now: Instant) -> [String] {
        var keys: [String] = []
        while case .key(let key) = take(now: now) { keys.append(key) }
        return keys
    }
}

@Suite struct WorkQueueTests {
    // A key that is added again while it waits is one run.
    @Test func addsCollapseWhileWaiting() {
        var queue = Queue.fresh()
        for _ in 1...3 { queue.add("a", at: at(0)) }
        #expect(queue.takeAll(at(0)) == ["a"])
        queue.finish("a", .done, now: at(0))
        #expect(queue.take(now: at(9)) == .idle)
    }

    // A key that is added while it is worked on is not given out a second time, and runs exactly once more afterwards.
    @Test func addsWhileProcessingCollapseIntoOneMoreRun() {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        #expect(queue.take(now: at(0)) == .key("a"))
        for _ in 1...3 { queue.add("a", at: at(1)) }
        #expect(queue.take(now: at(1)) == .idle && queue.processing == ["a"])
        queue.finish("a", .done, now: at(2))
        #expect(queue.takeAll(at(2)) == ["a"])
        queue.finish("a", .done, now: at(3))
        #expect(queue.take(now: at(9)) == .idle && queue.processing.isEmpty)
    }

    // The count is of different keys that wait, ready or not; those worked on are not among them.
    @Test func countIsOfUniqueWaitingKeys() {
        var queue = Queue.fresh()
        for key in ["a", "b", "a"] { queue.add(key, at: at(0)) }
        queue.add("c", notBefore: at(5), now: at(0))
        queue.add("c", notBefore: at(6), now: at(0))
        #expect(queue.count == 3)
        _ = queue.take(now: at(0))
        queue.add("a", at: at(0))
        #expect(queue.count == 2)
    }

    // Ready keys are served in the order in which their time came, whether they waited or were added just then.
    @Test func readyKeysAreServedInOrder() {
        var queue = Queue.fresh()
        queue.add("late", notBefore: at(3), now: at(0))
        queue.add("soon", notBefore: at(2), now: at(0))
        queue.add("now", at: at(1))
        queue.add("after", at: at(4))
        queue.add("past", notBefore: at(0), now: at(4))
        queue.add("now", at: at(4))
        #expect(queue.takeAll(at(4)) == ["now", "soon", "late", "after", "past"])
    }

    // Keys of the same time come in the order in which they were added.
    @Test func sameTimeKeepsTheOrderOfAdding() {
        var queue = Queue.fresh()
        let keys = (0..<50).map { "\(($0 * 7) % 50)" }
        for key in keys { queue.add(key, notBefore: at(1), now: at(0)) }
        #expect(queue.takeAll(at(1)) == keys)
    }

    // A key that comes back at once queues up behind the others, so none starves.
    @Test func busyKeyDoesNotStarveOthers() {
        var queue = Queue.fresh()
        for key in ["busy", "b", "c"] { queue.add(key, at: at(0)) }
        var served: [String] = []
        for step in 0..<6 {
            guard case .key(let key) = queue.take(now: at(Double(step))) else { break }
            served.append(key)
            queue.add(key, at: at(Double(step)))
            queue.finish(key, .done, now: at(Double(step)))
        }
        #expect(served == ["busy", "b", "c", "busy", "b", "c"])
    }

    // A key waits for its time, the earliest that was asked for; later ones neither put it off nor bring it twice.
    @Test func earliestTimeWins() {
        var queue = Queue.fresh()
        queue.add("a", notBefore: at(10), now: at(0))
        queue.add("a", notBefore: at(5), now: at(0))
        queue.add("a", notBefore: at(20), now: at(0))
        #expect(queue.take(now: at(4.9)) == .wait(until: at(5)))
        #expect(queue.takeAll(at(5)) == ["a"])
        queue.finish("a", .done, now: at(5))
        #expect(queue.take(now: at(99)) == .idle)
    }

    // A time that is not in the future means now.
    @Test func pastTimeMeansNow() {
        var queue = Queue.fresh()
        queue.add("a", notBefore: at(1), now: at(2))
        queue.add("b", notBefore: at(9), now: at(2))
        queue.add("b", notBefore: at(2), now: at(2))
        #expect(queue.takeAll(at(2)) == ["a", "b"])
    }

    // Keys that wait do not hold up one that is ready, and the wait is for the first of them.
    @Test func waitingKeysDoNotBlockOthers() {
        var queue = Queue.fresh()
        for (index, key) in ["d", "c", "b", "a"].enumerated() {
            queue.add(key, notBefore: at(Double(10 + 5 * index)), now: at(0))
        }
        #expect(queue.take(now: at(0)) == .wait(until: at(10)))
        queue.add("ready", at: at(1))
        #expect(queue.takeAll(at(1)) == ["ready"])
        #expect(queue.takeAll(at(30)) == ["d", "c", "b", "a"])
    }

    // A burst that is added with a small delay is one run, at the delay of its first.
    @Test func burstIsDebounced() {
        var queue = Queue.fresh()
        for step in 0..<10 {
            let now = at(Double(step) / 250)
            queue.add("a", notBefore: now + .milliseconds(50), now: now)
        }
        #expect(queue.take(now: at(0.049)) == .wait(until: at(0.05)))
        #expect(queue.takeAll(at(0.05)) == ["a"])
    }

    // A key that is asked for at a later time while it is worked on runs again at that time.
    @Test func delayedAddWhileProcessingIsKept() {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        _ = queue.take(now: at(0))
        queue.add("a", notBefore: at(20), now: at(1))
        queue.add("a", notBefore: at(10), now: at(1))
        queue.finish("a", .done, now: at(2))
        #expect(queue.take(now: at(2)) == .wait(until: at(10)))
    }

    // Each failure of a key waits longer; success, or an asked-for time, makes the next failure a first one.
    @Test(arguments: [Queue.Outcome.done, .again(at: at(100))])
    func failureBacksOffUntilForgotten(outcome: Queue.Outcome) {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        var now = at(0)
        for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
            _ = queue.take(now: now)
            queue.finish("a", .failed, now: now)
            #expect(queue.take(now: now) == .wait(until: now + .seconds(delay)))
            now = now + .seconds(delay)
        }
        #expect(queue.failures(of: "a") == 8 && queue.failures(of: "b") == 0)
        _ = queue.take(now: now)
        queue.finish("a", outcome, now: now)
        #expect(queue.failures(of: "a") == 0)
        queue.add("a", at: at(300))
        #expect(queue.takeAll(at(300)) == ["a"])
        queue.finish("a", .failed, now: at(300))
        #expect(queue.take(now: at(300)) == .wait(until: at(301)))
    }

    // Keys that fail do not make others wait.
    @Test func backoffIsPerKey() {
        var queue = Queue.fresh()
        queue.add("bad", at: at(0))
        for second in [0, 1, 3, 7] {
            #expect(queue.takeAll(at(Double(second))) == ["bad"])
            queue.finish("bad", .failed, now: at(Double(second)))
        }
        queue.add("good", at: at(8))
        #expect(queue.takeAll(at(8)) == ["good"])
        queue.finish("good", .failed, now: at(8))
        #expect(queue.take(now: at(8)) == .wait(until: at(9)))
    }

    // Events do not cut a backoff short: not while the key waits, and not when they came while it was worked on.
    @Test func eventsDoNotCutABackoff() {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        _ = queue.take(now: at(0))
        queue.add("a", at: at(0))
        queue.finish("a", .failed, now: at(0))
        queue.add("a", at: at(0.1))
        queue.add("a", notBefore: at(30), now: at(0.1))
        #expect(queue.take(now: at(0.1)) == .wait(until: at(1)))
        #expect(queue.takeAll(at(1)) == ["a"])
    }

    // An asked-for time gives way to an earlier event.
    @Test func eventComesBeforeAnAskedForTime() {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        _ = queue.take(now: at(0))
        queue.finish("a", .again(at: at(300)), now: at(0))
        #expect(queue.take(now: at(0)) == .wait(until: at(300)))
        queue.add("a", at: at(1))
        #expect(queue.takeAll(at(1)) == ["a"])
        queue.add("a", notBefore: at(3), now: at(2))
        queue.finish("a", .again(at: at(300)), now: at(2))
        #expect(queue.take(now: at(2)) == .wait(until: at(3)))
    }

    // When what they failed for is over, all waiting keys are ready, first those that would have come first.
    @Test func releaseEndsEveryWait() {
        var queue = Queue.fresh()
        for key in ["a", "b", "c"] { queue.add(key, at: at(0)) }
        _ = queue.takeAll(at(0))
        queue.finish("a", .again(at: at(300)), now: at(0))
        queue.finish("b", .failed, now: at(0))
        queue.add("c", notBefore: at(200), now: at(0))
        queue.add("ready", at: at(0))
        queue.release(now: at(0.5))
        #expect(queue.takeAll(at(0.5)) == ["ready", "b", "a"])
        queue.finish("c", .done, now: at(0.5))
        #expect(queue.takeAll(at(0.5)) == ["c"], "also what is asked for while it is worked on")
        #expect(queue.failures(of: "b") == 0)
        queue.finish("b", .failed, now: at(1))
        #expect(queue.take(now: at(1)) == .wait(until: at(2)), "a first failure again")
    }

    // Nothing is kept of a key once it is done.
    @Test func nothingIsKeptOfAFinishedKey() {
        final class Name: Hashable, Comparable, Sendable {
            static func == (left: Name, right: Name) -> Bool { left === right }
            static func < (left: Name, right: Name) -> Bool { false }
            func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
        }
        var queue = WorkQueue<Name>(
            backoff: Backoff(base: .seconds(1), max: .seconds(1), jitter: 0), random: SeededRandom(seed: 1))
        weak var gone: Name?
        do {
            let name = Name()
            gone = name
            queue.add(name, notBefore: at(1), now: at(0))
            queue.add(Name(), notBefore: at(1), now: at(0))
            _ = queue.take(now: at(1))
            queue.add(name, notBefore: at(1), now: at(1))
            queue.finish(name, .failed, now: at(1))
            _ = (queue.take(now: at(1)), queue.take(now: at(2)))
            #expect(queue.processing.contains(name))
            queue.finish(name, .done, now: at(2))
        }
        #expect(gone == nil)
        do {
            let name = Name()
            gone = name
            queue.add(name, notBefore: at(3), now: at(3))
            for _ in 1...8 { queue.add(Name(), notBefore: at(3), now: at(3)) }
            #expect(queue.take(now: at(3)) == .key(name))
            queue.finish(name, .done, now: at(3))
        }
        #expect(gone == nil, "nor in the line that it stood in")
    }
}
