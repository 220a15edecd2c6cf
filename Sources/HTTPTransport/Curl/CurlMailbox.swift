import CCurl

/// The one way into the libcurl thread: orders are left here, and the thread is woken.
final class CurlMailbox: Sendable {
    /// What other threads may ask of the libcurl thread.
    enum Order: Sendable {
        case start(Exchange, HTTPRequest)
        /// The reader made room in a full buffer.
        case resume(Exchange)
        /// Nobody wants the rest.
        case stop(Exchange)
    }

    /// `@unchecked Sendable` holds because off the libcurl thread the handle is only passed to `curl_multi_wakeup`,
    /// which libcurl allows from any thread, and only while `isClosed` is false, under the lock.
    private struct MultiHandle: @unchecked Sendable {
        var pointer: UnsafeMutableRawPointer
    }

    private struct State: Sendable {
        var orders: [Order] = []
        var isClosing = false
        var multi: MultiHandle
    }

    private let state: Locked<State>

    init(multi: UnsafeMutableRawPointer) {
        state = Locked(State(multi: MultiHandle(pointer: multi)))
    }

    /// Leaves an order; false when the thread takes none any more.
    @discardableResult
    func post(_ order: Order) -> Bool {
        state.withLock { state in
            guard !state.isClosing else { return false }
            state.orders.append(order)
            // Whoever left the first order woke the thread, which takes all of them.
            if state.orders.count == 1 {
                curl_multi_wakeup(state.multi.pointer)
            }
            return true
        }
    }

    /// No more orders; the thread ends what it has and returns. False when this was said before.
    func close() -> Bool {
        state.withLock { state in
            guard !state.isClosing else { return false }
            state.isClosing = true
            curl_multi_wakeup(state.multi.pointer)
            return true
        }
    }

    /// For the libcurl thread: all orders, and whether they are the last (then the handle may go).
    func take() -> (orders: [Order], isLast: Bool) {
        state.withLock { state in
            let orders = state.orders
            state.orders = []
            return (orders, state.isClosing)
        }
    }
}
