import ControlLoop
import HTTPTransport

/// Wakes loops that have nothing to do; rung whenever there may be something again.
///
/// A ring is never lost: one that comes while nobody waits is kept for the next to wait. Waking needlessly is harmless,
/// as every loop looks at the state of the world before it acts.
package final class Bell: Sendable {
    private struct State {
        var count: UInt64 = 0
        var nextID: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Locked(State())

    package init() {}

    /// Wakes everyone who waits.
    package func ring() {
        let woken = state.withLock { state in
            state.count += 1
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in woken { continuation.resume() }
    }

    /// How often it has rung: read before looking at the world, handed to `wait` after.
    package var count: UInt64 { state.withLock { $0.count } }

    /// Returns at the deadline, or once it has rung since `count` was read, or when the task is cancelled.
    package func wait(since count: UInt64, until deadline: Instant?, time: Time) async {
        await withTaskGroup { group in
            group.addTask { await self.waitForRing(since: count) }
            if let deadline {
                group.addTask { try? await time.sleep(deadline) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForRing(since count: UInt64) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.count != count || Task.isCancelled { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}
