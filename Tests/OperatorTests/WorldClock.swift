import ControlLoop
import HTTPTransport
import Operator

/// The time of a world: the machine's own, which a test can push ahead, or let run faster.
///
/// Whoever sleeps in it wakes when it is pushed past his deadline, so a test of an hour takes no longer than its work.
final class WorldClock: Sendable {
    private let ahead = Locked(Int64(0))
    private let pushed = Bell()
    /// The deadlines of those who sleep now.
    private let sleepers = Locked<[Instant]>([])
    private let slept = Bell()
    private let rate: Int64
    private let start = Time.live.now().nanoseconds
    private let wallStart = Time.live.wallMilliseconds()

    init(rate: Int64 = 1) {
        self.rate = rate
    }

    var now: Instant {
        Instant(nanoseconds: start + (Time.live.now().nanoseconds - start) * rate + ahead.withLock { $0 })
    }

    func advance(by duration: Duration) {
        ahead.withLock { $0 += duration.nanoseconds }
        pushed.ring()
    }

    /// What the controller is given.
    var time: Time {
        Time(
            now: { self.now },
            wallMilliseconds: { self.wallStart + (self.now.nanoseconds - self.start) / 1_000_000 },
            sleep: { try await self.sleep(until: $0) })
    }

    /// Waits until somebody sleeps for so long: pushed earlier, he would only start to count afterwards.
    func waitForSleeper(atLeast duration: Duration) async throws {
        while true {
            try Task.checkCancellation()
            let heard = slept.count
            if sleepers.withLock({ sleepers in sleepers.contains { $0 >= now + duration } }) { return }
            await slept.wait(since: heard, until: nil, time: .live)
        }
    }

    private func sleep(until deadline: Instant) async throws {
        sleepers.withLock { $0.append(deadline) }
        slept.ring()
        defer {
            sleepers.withLock { sleepers in
                if let index = sleepers.firstIndex(of: deadline) { sleepers.remove(at: index) }
            }
        }
        while true {
            try Task.checkCancellation()
            let heard = pushed.count
            let rest = deadline.nanoseconds - now.nanoseconds
            guard rest > 0 else { return }
            let live = Time.live.now() + .nanoseconds(rest / rate + 1)
            await pushed.wait(since: heard, until: live, time: .live)
        }
    }
}
