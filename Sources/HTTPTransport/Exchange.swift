/// One request's meeting point: a task on one side, the libcurl thread on the other, one lock between them.
final class Exchange: Sendable {
    private let state: Locked<ExchangeState>
    private let mailbox: CurlMailbox

    init(mailbox: CurlMailbox, bufferMax: Int) {
        self.mailbox = mailbox
        state = Locked(ExchangeState(bufferMax: bufferMax))
    }

    // MARK: - The task's side

    /// Sends the request and waits for the head of the reply.
    func head(of request: HTTPRequest) async -> Result<ReplyHead, TransportError> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let now = monotonicNanoseconds()
                state.withLock { $0.awaitHead(reader, now: now) }.run()
                if !mailbox.post(.start(self, request)) {
                    finished(.request("the transport was shut down"))
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// The next bytes of the body, nil at its end.
    func next() async -> Result<[UInt8]?, TransportError> {
        await withTaskCancellationHandler {
            if case .ready(let result, let resumesTransfer) = state.withLock({ $0.read() }) {
                if resumesTransfer {
                    mailbox.post(.resume(self))
                }
                return result
            }
            return await withCheckedContinuation { reader in
                let now = monotonicNanoseconds()
                let (action, resumesTransfer) = state.withLock { $0.read(reader, now: now) }
                if resumesTransfer {
                    mailbox.post(.resume(self))
                }
                action.run()
            }
        } onCancel: {
            cancel()
        }
    }

    /// Ends the transfer, if it still runs, and answers whoever waits.
    func cancel() {
        let (isTransferRunning, action) = state.withLock { $0.cancelled() }
        if isTransferRunning {
            mailbox.post(.stop(self))
        }
        action.run()
    }

    // MARK: - The libcurl thread's side

    var isOver: Bool {
        state.withLock { $0.isOver }
    }

    var readerWaitsSince: Int64? {
        state.withLock { $0.readerWaitsSince }
    }

    func headArrived(_ head: ReplyHead) {
        state.withLock { $0.headArrived(head) }.run()
    }

    /// False when there is no room: the bytes were not taken.
    func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch state.withLock({ $0.received(bytes) }) {
        case .taken(let action):
            action.run()
            return true
        case .full:
            return false
        }
    }

    func finished(_ error: TransportError?) {
        state.withLock { $0.finished(error) }.run()
    }
}
