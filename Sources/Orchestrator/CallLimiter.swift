import HTTPTransport

/// Lets so many calls through at once and no more; the others wait in the order they came.
///
/// The VCO limits requests in flight by tenant, and its own advice is a handful at most.
package final class CallLimiter: Sendable {
    private let state: Locked<State>

    package init(callsMax: Int) {
        state = Locked(State(free: callsMax))
    }

    /// Waits for a slot. True: the slot is the caller's, who must `release` it. False: the task was cancelled first.
    package func acquire() async -> Bool {
        let ticket = state.withLock { $0.issueTicket() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let isGranted = state.withLock({ $0.enter(ticket, continuation) }) {
                    continuation.resume(returning: isGranted)
                }
            }
        } onCancel: {
            state.withLock { $0.cancel(ticket) }?.resume(returning: false)
        }
    }

    /// Gives a slot back; the one who has waited longest gets it.
    package func release() {
        state.withLock { $0.release() }?.resume(returning: true)
    }

    /// How many wait for a slot.
    var waiting: Int {
        state.withLock { $0.waiters.count }
    }

    private typealias Continuation = CheckedContinuation<Bool, Never>

    private struct State {
        var free: Int
        var ticketNext = 0
        /// Tickets between `issueTicket` and `enter`, and whether they were cancelled in that short time.
        var entering: [Int: Bool] = [:]
        var waiters: [(ticket: Int, continuation: Continuation)] = []

        init(free: Int) {
            self.free = free
        }

        mutating func issueTicket() -> Int {
            ticketNext += 1
            entering[ticketNext] = false
            return ticketNext
        }

        /// The answer, if there is one already; otherwise the continuation is kept.
        mutating func enter(_ ticket: Int, _ continuation: Continuation) -> Bool? {
            if entering.removeValue(forKey: ticket) == true {
                return false
            }
            if free > 0 {
                free -= 1
                return true
            }
            waiters.append((ticket, continuation))
            return nil
        }

        mutating func cancel(_ ticket: Int) -> Continuation? {
            if entering[ticket] != nil {
                entering[ticket] = true
                return nil
            }
            // A ticket that is neither entering nor waiting has its slot already: too late to cancel here.
            guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return waiters.remove(at: index).continuation
        }

        mutating func release() -> Continuation? {
            if waiters.isEmpty {
                free += 1
                return nil
            }
            return waiters.removeFirst().continuation
        }
    }
}
