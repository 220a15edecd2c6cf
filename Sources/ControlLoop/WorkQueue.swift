/// Which key to work on next: each at most once at a time, none lost, those that fail later and later.
///
/// A value without a clock or a worker: who works asks `take`, and tells `finish` how it went. How many keys are worked
/// on side by side is for the caller to say, by when it takes. A key is all there is: it carries no event and no
/// reason, so a thousand events for one key are one run. Of several priorities that a key was added with the highest
/// counts, until it has run.
package struct WorkQueue<Key: Hashable & Comparable & Sendable>: Sendable {
    /// What to do now.
    package enum Take: Hashable, Sendable {
        /// Work on this key, then call `finish`.
        case key(Key)
        /// Nothing is ready before this time, unless a key is added or finished.
        case wait(until: Instant)
        /// Nothing to wait for but a key that is added or finished.
        case idle
        /// After `shutDown`: all is done, and nothing will come any more.
        case shutDown
    }

    /// How the work on a key went.
    package enum Outcome: Hashable, Sendable {
        /// Well; failures before it are forgotten.
        case done
        /// Not well; the key comes again after its backoff, which events do not shorten.
        case failed
        /// Not finished, but no failure: the key comes again at this time, and failures before it are forgotten.
        case again(at: Instant)
    }

    /// A key that waits for its time, in the order of `delayed`.
    private struct Delay: Sendable {
        /// Before this it must not run, whatever is added: the end of its backoff.
        var floor: Instant?
        var readyAt: Instant
        var priority: WorkPriority
    }

    /// A key that is worked on.
    private struct Run: Sendable {
        let since: Instant
        let priority: WorkPriority
        /// How it must run again, since it was added meanwhile.
        var again: Wish?
    }

    /// When a key is to run, and how soon among others.
    private struct Wish: Sendable {
        var time: Instant
        var priority: WorkPriority

        func joined(with other: Wish?) -> Wish {
            guard let other else { return self }
            return Wish(time: min(time, other.time), priority: max(priority, other.priority))
        }
    }

    /// What is remembered of a key that fails.
    private struct Retry: Sendable {
        var backoff: Backoff
        var failures = 0
    }

    private let backoff: Backoff
    private var random: SeededRandom
    /// The keys whose time has come.
    private var ready = ReadyLines<Key>()
    /// The keys whose time has not come.
    private var delayed = DeadlineHeap<Key>()
    private var delays: [Key: Delay] = [:]
    private var runs: [Key: Run] = [:]
    /// Of the keys whose last run failed.
    private var retries: [Key: Retry] = [:]
    private var isShuttingDown = false
    private var counters = Counters()

    package init(backoff: Backoff, random: SeededRandom) {
        self.backoff = backoff
        self.random = random
    }

    /// How many keys wait, whether their time has come or not.
    package var count: Int { ready.count + delayed.count }

    /// The keys that are worked on.
    package var processing: Set<Key> { Set(runs.keys) }

    /// How often the key has failed since it was last done.
    package func failures(of key: Key) -> Int { retries[key]?.failures ?? 0 }

    /// Asks for a run of the key at or after a time.
    ///
    /// Of several times the earliest counts, but none cuts the key's backoff short; of several priorities the highest.
    /// While the key is worked on both are remembered, and the key runs once more afterwards.
    package mutating func add(_ key: Key, notBefore: Instant, priority: WorkPriority = .user, now: Instant) {
        guard !isShuttingDown else { return }
        promote(now: now)
        let wish = Wish(time: notBefore, priority: priority)
        if let run = runs[key] {
            runs[key]?.again = wish.joined(with: run.again)
        } else if let delay = delays[key] {
            let time = min(delay.readyAt, max(notBefore, delay.floor ?? notBefore))
            let joined = Wish(time: time, priority: max(priority, delay.priority))
            if time < delay.readyAt { self.delay(key, joined, floor: delay.floor, now: now) }
            delays[key]?.priority = joined.priority
        } else if ready.places[key] != nil {
            ready.append(key, priority, since: now)
        } else {
            delay(key, wish, floor: nil, now: now)
        }
    }

    /// Names the key to work on, or what to wait for.
    package mutating func take(now: Instant) -> Take {
        promote(now: now)
        if isShuttingDown {
            _ = delayed.removeAll()
            delays = [:]
        }
        if let (key, place) = ready.popFirst() {
            counters.queueDuration.observe(max(now.since(place.since), .zero))
            runs[key] = Run(since: now, priority: place.priority)
            return .key(key)
        }
        if let earliest = delayed.earliest { return .wait(until: earliest) }
        return isShuttingDown && runs.isEmpty ? .shutDown : .idle
    }

    /// Takes back a key that `take` gave out.
    package mutating func finish(_ key: Key, _ outcome: Outcome, now: Instant) {
        guard let run = runs.removeValue(forKey: key) else {
            preconditionFailure("a key was finished that nobody works on")
        }
        promote(now: now)
        counters.workDuration.observe(max(now.since(run.since), .zero))
        if outcome == .failed { counters.retries += 1 }
        guard !isShuttingDown else {
            // What was asked for before the end is still done, at once; tries that we would make by ourselves are not.
            retries[key] = nil
            if let again = run.again, outcome != .failed { makeReady(key, again.priority, since: now) }
            return
        }
        switch outcome {
        case .done:
            retries[key] = nil
            if let again = run.again { delay(key, again, floor: nil, now: now) }
        case .again(let time):
            retries[key] = nil
            delay(key, Wish(time: time, priority: run.priority).joined(with: run.again), floor: nil, now: now)
        case .failed:
            var retry = retries[key] ?? Retry(backoff: backoff)
            let end = now + retry.backoff.next(random: &random)
            retry.failures += 1
            retries[key] = retry
            // Whoever waited for this run waits for the next one.
            let priority = max(run.priority, run.again?.priority ?? run.priority)
            delay(key, Wish(time: end, priority: priority), floor: end, now: now)
        }
    }

    /// Ends every wait and forgets every failure: what the keys failed for is over.
    package mutating func release(now: Instant) {
        retries = [:]
        for key in delayed.removeAll() {
            makeReady(key, endDelay(of: key), since: now)
        }
        for key in runs.keys { runs[key]?.again?.time = now }
    }

    /// Takes no more keys in. Those whose time has come are still given out, and those worked on are waited for (and
    /// run once more if they were added meanwhile); keys that wait for a later time are dropped.
    package mutating func shutDown() {
        isShuttingDown = true
    }
}

// MARK: - Waiting

extension WorkQueue {
    private mutating func delay(_ key: Key, _ wish: Wish, floor: Instant?, now: Instant) {
        guard wish.time > now else {
            delays[key] = nil
            delayed.remove(key)
            makeReady(key, wish.priority, since: now)
            return
        }
        delays[key] = Delay(floor: floor, readyAt: wish.time, priority: wish.priority)
        delayed.set(key, to: wish.time)
    }

    /// Lines up every key whose time has come, so that those go before any that is added now.
    private mutating func promote(now: Instant) {
        while let due = delayed.popDue(now: now) {
            makeReady(due.key, endDelay(of: due.key), since: due.deadline)
        }
    }

    private mutating func endDelay(of key: Key) -> WorkPriority {
        guard let delay = delays.removeValue(forKey: key) else {
            preconditionFailure("a key stands in the heap without a delay")
        }
        return delay.priority
    }

    private mutating func makeReady(_ key: Key, _ priority: WorkPriority, since: Instant) {
        ready.append(key, priority, since: since)
        counters.adds += 1
    }
}

// MARK: - Counting

extension WorkQueue {
    /// What has been counted since the start.
    private struct Counters: Sendable {
        var adds = 0
        var retries = 0
        var queueDuration = DurationHistogram.forWorkQueue
        var workDuration = DurationHistogram.forWorkQueue
    }

    /// The numbers of the `workqueue_*` metrics.
    package var statistics: Statistics {
        Statistics(
            adds: counters.adds, retries: counters.retries, depth: ready.count, delayed: delayed.count,
            queueDuration: counters.queueDuration, workDuration: counters.workDuration,
            waiting: spans(ready.places.mapValues(\.since)), working: spans(runs.mapValues(\.since)))
    }

    private func spans(_ times: [Key: Instant]) -> [Statistics.Span] {
        times.map { Statistics.Span(key: $0.key, since: $0.value) }.sorted { $0.key < $1.key }
    }
}
