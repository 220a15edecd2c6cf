import ControlLoop
import Testing

/// Uses a queue at random as workers, events and time would, and keeps its own account of what is owed to each key.
private struct QueueWorld {
    var queue = Queue.fresh()
    var random: SeededRandom
    var now = at(0)
    /// The earliest time that each key was asked for since its last run began.
    var owed: [String: Instant] = [:]
    /// Before this a key must not run.
    var floors: [String: Instant] = [:]
    var failures: [String: Int] = [:]
    var working: Set<String> = []
    var faults: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<7: add()
        case 7..<12: take()
        case 12..<17: finish()
        case 17: release()
        default: now = now + .milliseconds(Int.random(in: 0...3000, using: &random))
        }
        check(queue.processing == working, "the keys that are worked on")
    }

    mutating func add() {
        let key = "k\(Int.random(in: 0..<6, using: &random))"
        let time = now + .milliseconds(Int.random(in: -500...4000, using: &random))
        queue.add(key, notBefore: time, now: now)
        owed[key] = min(owed[key] ?? time, time)
    }

    mutating func take() {
        let due = owed.filter { !working.contains($0.key) && max($0.value, floors[$0.key] ?? $0.value) <= now }
        switch queue.take(now: now) {
        case .key(let key):
            check(!working.contains(key), "\(key) is worked on twice at once")
            check(due[key] != nil, "\(key) runs though its time has not come")
            working.insert(key)
            owed[key] = nil
            floors[key] = nil
        case .wait(let until):
            let next = owed.filter { !working.contains($0.key) }.map { max($0.value, floors[$0.key] ?? $0.value) }.min()
            check(due.isEmpty, "\(due.keys.sorted()) wait though their time has come")
            check(next == until, "the next time is \(String(describing: next)), not \(until)")
        case .idle:
            check(owed.keys.allSatisfy { working.contains($0) }, "idle though keys wait")
        case .shutDown:
            check(false, "shut down by nobody")
        }
    }

    mutating func finish() {
        guard let key = working.sorted().randomElement(using: &random) else { return }
        working.remove(key)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            queue.finish(key, .done, now: now)
            failures[key] = nil
        case 1:
            let time = now + .milliseconds(Int.random(in: -500...4000, using: &random))
            queue.finish(key, .again(at: time), now: now)
            owed[key] = min(owed[key] ?? time, time)
            failures[key] = nil
        default:
            queue.finish(key, .failed, now: now)
            let count = failures[key] ?? 0
            let delay = min(Duration.seconds(1) * (1 << min(count, 10)), .seconds(60))
            failures[key] = count + 1
            floors[key] = now + delay
            owed[key] = now + delay
        }
    }

    mutating func release() {
        queue.release(now: now)
        floors = [:]
        failures = [:]
        for key in owed.keys { owed[key] = now }
    }

    /// Works everything off; afterwards nothing is owed.
    mutating func drain() {
        for _ in 0..<1000 {
            for key in working.sorted() {
                queue.finish(key, .done, now: now)
                working.remove(key)
            }
            switch queue.take(now: now) {
            case .key(let key):
                working.insert(key)
                owed[key] = nil
            case .wait(let until): now = until
            case .idle:
                check(owed.isEmpty, "lost: \(owed.keys.sorted())")
                return
            case .shutDown: return check(false, "shut down by nobody")
            }
        }
        check(false, "the queue does not come to rest")
    }

    private mutating func check(_ holds: Bool, _ fault: String) {
        if !holds { faults.append(fault) }
    }
}

@Suite struct WorkQueueInvariantTests {
    // Whatever is done in whatever order: no key runs twice at once, before its time or its backoff's end, and none is
    // lost.
    @Test func noKeyIsLostDoubledOrTooEarly() {
        for seed in 0..<500 as Range<UInt64> {
            var world = QueueWorld(seed: seed)
            for _ in 0..<200 { world.step() }
            world.drain()
            #expect(world.faults == [], "seed \(seed)")
            if !world.faults.isEmpty { return }
        }
    }

    // After the end every ready or dirty key is still done once, and then the queue is over, whatever happened before.
    @Test func shutDownAlwaysComesToItsEnd() {
        for seed in 0..<200 as Range<UInt64> {
            var world = QueueWorld(seed: seed)
            for _ in 0..<100 { world.step() }
            let due = Set(world.owed.filter { max($0.value, world.floors[$0.key] ?? $0.value) <= world.now }.keys)
            let dirty = world.working.intersection(world.owed.keys)
            world.queue.shutDown()
            for key in world.working.sorted() { world.queue.finish(key, .done, now: world.now) }
            var served: [String] = []
            while case .key(let key) = world.queue.take(now: world.now) {
                served.append(key)
                world.queue.finish(key, [.done, .failed, .again(at: world.now)][served.count % 3], now: world.now)
            }
            #expect(world.queue.take(now: world.now) == .shutDown, "seed \(seed)")
            #expect(Set(served) == due.union(dirty) && served.count == Set(served).count, "seed \(seed)")
        }
    }

    // A hundred thousand keys, put off and brought forward at random, come out in the order of their times.
    @Test func ordersAHundredThousandKeys() {
        var queue = WorkQueue<Int>(
            backoff: Backoff(base: .seconds(1), max: .seconds(60), jitter: 0), random: SeededRandom(seed: 1))
        var random = SeededRandom(seed: 5)
        var times: [Int: Int] = [:]
        for _ in 0..<200_000 {
            let key = Int.random(in: 0..<100_000, using: &random)
            let time = Int.random(in: 1...1_000_000, using: &random)
            queue.add(key, notBefore: at(Double(time)), now: at(0))
            times[key] = min(times[key] ?? time, time)
        }
        #expect(queue.count == times.count)
        var last = 0
        var misplaced = 0
        while case .wait(let until) = queue.take(now: at(Double(last))) {
            while case .key(let key) = queue.take(now: until) {
                let time = times.removeValue(forKey: key) ?? 0
                if at(Double(time)) != until || time < last { misplaced += 1 }
                last = time
                queue.finish(key, .done, now: until)
            }
        }
        #expect(misplaced == 0 && times.isEmpty && queue.count == 0)
    }
}
