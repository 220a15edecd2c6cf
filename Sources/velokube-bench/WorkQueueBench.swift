import ArgumentParser
import ControlLoop

/// `velokube-bench queue`
struct WorkQueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Adds, takes and finishes keys of a work queue that holds few or many.")

    private static let rounds = 200_000

    func run() async {
        for count in [1, 1000, 100_000] {
            let keys = (0..<count).map { "Retail Branches \($0)" }
            let taken = await best(of: 3) { turn(keys) }
            row("queue operations with keys: \(count)", Double(3 * max(Self.rounds, count)) / taken, "a second")
        }
    }

    /// Each key is added, taken, and added again when it is finished, so that the queue stays as full as it was.
    private func turn(_ keys: [String]) {
        var queue = WorkQueue<String>(
            backoff: Backoff(base: .seconds(1), factor: 2, max: .seconds(30), jitter: 0.2),
            random: SeededRandom(seed: 1))
        var now = Instant(nanoseconds: 0)
        for key in keys { queue.add(key, notBefore: now, now: now) }
        for _ in 0..<max(Self.rounds, keys.count) {
            now = now + .nanoseconds(1)
            guard case .key(let key) = queue.take(now: now) else { preconditionFailure("all keys are ready") }
            queue.finish(key, .done, now: now)
            queue.add(key, notBefore: now, now: now)
        }
    }
}
