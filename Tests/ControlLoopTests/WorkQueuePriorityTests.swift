import ControlLoop
import Testing

/// What a user waits for goes first, and nothing starves.
@Suite struct WorkQueuePriorityTests {
    // A user's key goes before those of the background that were there first.
    @Test func usersGoFirst() {
        var queue = Queue.fresh()
        queue.add("resync", notBefore: at(0), priority: .background, now: at(0))
        queue.add("changed", at: at(0))
        #expect(queue.takeAll(at(0)) == ["changed", "resync"])
    }

    // Within one priority first come is first served.
    @Test(arguments: WorkPriority.allCases) func priorityIsServedInOrder(priority: WorkPriority) {
        var queue = Queue.fresh()
        let keys = (0..<20).map { "\(($0 * 7) % 20)" }
        for key in keys { queue.add(key, notBefore: at(0), priority: priority, now: at(0)) }
        #expect(queue.takeAll(at(0)) == keys)
    }

    // Of several priorities the highest counts, whatever the order; of several times the earliest.
    @Test(arguments: [true, false]) func highestPriorityAndEarliestTimeCount(isUserFirst: Bool) {
        var queue = Queue.fresh()
        let adds: [(Double, WorkPriority)] = [(9, .user), (2, .background)]
        for (time, priority) in isUserFirst ? adds : adds.reversed() {
            queue.add("both", notBefore: at(time), priority: priority, now: at(0))
        }
        queue.add("resync", notBefore: at(1), priority: .background, now: at(0))
        #expect(queue.take(now: at(0)) == .wait(until: at(1)))
        #expect(queue.takeAll(at(2)) == ["both", "resync"])
    }

    // A ready key that a user changes goes to the end of the users' line, once; a later look at everything does not put
    // it back.
    @Test func raisedKeyGoesToTheEndOfTheUsersLine() {
        var queue = Queue.fresh()
        for key in ["a", "b", "c"] { queue.add(key, notBefore: at(0), priority: .background, now: at(0)) }
        queue.add("user", at: at(1))
        queue.add("a", at: at(2))
        queue.add("late", at: at(3))
        queue.add("a", notBefore: at(3), priority: .background, now: at(3))
        #expect(queue.count == 5 && queue.statistics.depth == 5 && queue.statistics.adds == 5)
        #expect(queue.takeAll(at(4)) == ["user", "a", "late", "b", "c"])
        #expect(queue.statistics.queueDuration.sum == .seconds(3 + 4 + 1 + 4 + 4), "a has waited since it was ready")
    }

    // A key that is worked on is not given out, however urgent, and runs again as what it was added as.
    @Test func keyInHandIsNotGivenOutHoweverUrgent() {
        var queue = Queue.fresh()
        queue.add("a", notBefore: at(0), priority: .background, now: at(0))
        #expect(queue.take(now: at(0)) == .key("a"))
        queue.add("a", notBefore: at(1), priority: .background, now: at(1))
        queue.add("a", at: at(1))
        queue.add("resync", notBefore: at(1), priority: .background, now: at(1))
        #expect(queue.takeAll(at(1)) == ["resync"])
        queue.finish("resync", .again(at: at(2)), now: at(1))
        queue.finish("a", .done, now: at(2))
        #expect(queue.takeAll(at(2)) == ["a", "resync"])
    }

    // A key whose time has not come does not count as waiting work, whatever its priority.
    @Test func keysBeforeTheirTimeAreNotInTheDepth() {
        var queue = Queue.fresh()
        queue.add("a", notBefore: at(5), now: at(0))
        queue.add("b", notBefore: at(0), priority: .background, now: at(0))
        #expect(queue.statistics.depth == 1 && queue.statistics.delayed == 1)
        #expect(queue.takeAll(at(0)) == ["b"])
    }

    // A run keeps its priority when it fails or asks to come again; when it is done the next one starts from the
    // bottom.
    @Test func priorityLastsUntilTheRunIsDone() {
        for outcome in [Queue.Outcome.failed, .again(at: at(1)), .done] {
            var queue = Queue.fresh()
            queue.add("user", at: at(0))
            _ = queue.take(now: at(0))
            queue.finish("user", outcome, now: at(0))
            queue.add("resync", notBefore: at(1), priority: .background, now: at(0))
            queue.add("user", notBefore: at(1), priority: .background, now: at(0))
            #expect(
                queue.takeAll(at(1)) == (outcome == .done ? ["resync", "user"] : ["user", "resync"]), "\(outcome)")
        }
    }

    // When an outage is over all waits end, users' first.
    @Test func releaseLetsUsersGoFirst() {
        var queue = Queue.fresh()
        for key in ["a", "b"] { queue.add(key, notBefore: at(5), priority: .background, now: at(0)) }
        queue.add("user", notBefore: at(9), now: at(0))
        queue.release(now: at(1))
        #expect(queue.takeAll(at(1)) == ["user", "a", "b"])
    }

    // One take in four is the background's while users never cease to come.
    @Test func backgroundHasAShare() {
        var queue = Queue.fresh()
        for key in ["x", "y"] { queue.add(key, notBefore: at(0), priority: .background, now: at(0)) }
        var served: [String] = []
        for number in 0..<9 {
            for user in ["u\(number)", "v\(number)"] { queue.add(user, at: at(0)) }
            if case .key(let key) = queue.take(now: at(0)) { served.append(key) }
        }
        #expect(served == ["u0", "v0", "u1", "x", "v1", "u2", "v2", "y", "u3"])
    }

    // The share is earned only while the background waits: it does not go before a user's key when it comes.
    @Test func backgroundDoesNotSaveUpTurns() {
        var queue = Queue.fresh()
        for number in 0..<10 { queue.add("u\(number)", at: at(0)) }
        for _ in 0..<9 { _ = queue.take(now: at(0)) }
        queue.add("resync", notBefore: at(0), priority: .background, now: at(0))
        #expect(queue.takeAll(at(0)) == ["u9", "resync"])
    }

    // Whatever is added, raised and taken: a key with n before it in its line is taken within 4 (n + 1) takes.
    @Test func everyKeyIsTakenWithinABoundedNumberOfTakes() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var queue = WorkQueue<Int>(
                backoff: Backoff(base: .seconds(1), max: .seconds(1), jitter: 0), random: random)
            var lines: [WorkPriority: [Int]] = [.user: [], .background: []]
            var lastTake: [Int: Int] = [:]
            for take in 0..<400 {
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let key = Int.random(in: 0..<40, using: &random)
                    let priority = Int.random(in: 0..<4, using: &random) == 0 ? WorkPriority.background : .user
                    queue.add(key, notBefore: at(0), priority: priority, now: at(0))
                    if lines[.user]?.contains(key) ?? false { continue }
                    if lines[.background]?.contains(key) ?? false {
                        if priority == .background { continue }
                        lines[.background]?.removeAll { $0 == key }
                    }
                    lines[priority]?.append(key)
                    lastTake[key] = take + 4 * (lines[priority]?.count ?? 0)
                }
                guard case .key(let key) = queue.take(now: at(0)) else { continue }
                #expect(take <= lastTake[key] ?? -1, "seed \(seed): \(key) has waited too long")
                #expect(lines.values.contains { $0.first == key }, "seed \(seed): \(key) was not at the head")
                for priority in WorkPriority.allCases { lines[priority]?.removeAll { $0 == key } }
                queue.finish(key, .done, now: at(0))
            }
            let overdue = lines.values.joined().filter { (lastTake[$0] ?? 0) < 400 }
            #expect(overdue.isEmpty, "seed \(seed): \(overdue) were never taken")
        }
    }
}
