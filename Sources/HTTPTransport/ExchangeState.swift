/// The head of a reply as the receiving thread hands it over.
struct ReplyHead: Sendable {
    var status: Int
    var headers: [HTTPHeader]
}

/// What passes between the task that reads a reply and the thread that receives it: a value without lock or thread.
///
/// Adding bytes and taking the waiting reader are one step here on purpose: as two, the end of a stream can slip
/// between them and the reader waits for ever.
struct ExchangeState: Sendable {
    typealias HeadReader = CheckedContinuation<Result<ReplyHead, TransportError>, Never>
    typealias BodyReader = CheckedContinuation<Result<[UInt8]?, TransportError>, Never>

    private enum Phase: Sendable {
        /// Nobody has asked yet. Leads to `awaitingHead`, or to `over` when the task was cancelled before.
        case idle
        /// The sender waits for the head. Leads to `open` or `over`.
        case awaitingHead(HeadReader)
        /// The head was handed over, the body flows. Leads to `over`.
        case open(reader: BodyReader?)
        /// No more bytes will come; those in the buffer may still be read. The last phase.
        case over(TransportError?)
    }

    private var phase = Phase.idle
    private var buffer: [UInt8] = []
    private var isPaused = false
    private var waitsSince: Int64 = 0
    private let bufferMax: Int

    /// What the caller has to do once it has left the lock.
    enum Action: Sendable {
        case none
        case giveHead(HeadReader, Result<ReplyHead, TransportError>)
        case giveBody(BodyReader, Result<[UInt8]?, TransportError>)

        func run() {
            switch self {
            case .none: break
            case .giveHead(let reader, let result): reader.resume(returning: result)
            case .giveBody(let reader, let result): reader.resume(returning: result)
            }
        }
    }

    init(bufferMax: Int) {
        self.bufferMax = bufferMax
    }

    var isOver: Bool {
        if case .over = phase { true } else { false }
    }

    /// Since when somebody waits for bytes; nil while the buffer has some or nobody asks, so that a slow reader is
    /// never taken for a silent server.
    var readerWaitsSince: Int64? {
        switch phase {
        case .awaitingHead, .open(reader: .some): waitsSince
        case .idle, .open(reader: nil), .over: nil
        }
    }

    /// The sender waits for the head; answers at once when the task was cancelled before.
    mutating func awaitHead(_ reader: HeadReader, now: Int64) -> Action {
        switch phase {
        case .idle:
            phase = .awaitingHead(reader)
            waitsSince = now
            return .none
        case .over(let error):
            return .giveHead(reader, .failure(error ?? .cancelled))
        case .awaitingHead, .open:
            preconditionFailure("an exchange carries one request")
        }
    }

    mutating func headArrived(_ head: ReplyHead) -> Action {
        switch phase {
        case .awaitingHead(let reader):
            phase = .open(reader: nil)
            return .giveHead(reader, .success(head))
        case .over, .open:
            return .none  // cancelled meanwhile; or a second head, which libcurl does not deliver without a first body
        case .idle:
            preconditionFailure("a transfer is started only for a waiting sender")
        }
    }

    /// What became of bytes that arrived.
    enum Reception: Sendable {
        case taken(Action)
        /// The buffer is full: the bytes were not taken, and come again after the reader made room.
        case full
    }

    mutating func received(_ bytes: UnsafeRawBufferPointer) -> Reception {
        switch phase {
        case .open(reader: .some(let reader)):
            phase = .open(reader: nil)
            return .taken(.giveBody(reader, .success(Array(bytes))))
        case .open(reader: nil):
            guard buffer.count < bufferMax else {
                isPaused = true
                return .full
            }
            buffer.append(contentsOf: bytes)
            return .taken(.none)
        case .over:
            return .taken(.none)  // cancelled; the transfer is about to be stopped
        case .idle, .awaitingHead:
            preconditionFailure("libcurl delivers the head before the body")
        }
    }

    /// The transfer ended; what is in the buffer can still be read before the reader learns of it.
    mutating func finished(_ error: TransportError?) -> Action {
        switch phase {
        case .awaitingHead(let reader):
            phase = .over(error)
            return .giveHead(reader, .failure(error ?? .broken("the transfer ended without a reply")))
        case .open(let reader):
            phase = .over(error)
            guard let reader else { return .none }
            return .giveBody(reader, error.map { .failure($0) } ?? .success(nil))
        case .over:
            return .none  // the first end counts
        case .idle:
            preconditionFailure("a transfer is started only for a waiting sender")
        }
    }

    /// The reader gives up: its task was cancelled, or the body was dropped. False when there is nothing left to stop.
    mutating func cancelled() -> (isTransferRunning: Bool, action: Action) {
        buffer = []
        switch phase {
        case .idle:
            phase = .over(.cancelled)
            return (false, .none)
        case .over:
            phase = .over(.cancelled)
            return (false, .none)
        case .awaitingHead, .open:
            return (true, finished(.cancelled))
        }
    }

    /// What a reader that asks for the next bytes gets.
    enum Read: Sendable {
        /// At once; and whether the transfer stands still for lack of room and must be set going again.
        case ready(Result<[UInt8]?, TransportError>, resumesTransfer: Bool)
        /// Nothing there: wait.
        case nothing
    }

    mutating func read() -> Read {
        if !buffer.isEmpty {
            let bytes = buffer
            buffer = []
            let wasPaused = isPaused
            isPaused = false
            return .ready(.success(bytes), resumesTransfer: wasPaused && !isOver)
        }
        switch phase {
        case .over(let error):
            return .ready(error.map { .failure($0) } ?? .success(nil), resumesTransfer: false)
        case .open(reader: nil):
            return .nothing
        case .open(reader: .some):
            preconditionFailure("a body has one reader at a time")
        case .idle, .awaitingHead:
            preconditionFailure("a body is handed out with its head")
        }
    }

    /// As `read`, but where nothing is there the reader is kept until something is.
    mutating func read(_ reader: BodyReader, now: Int64) -> (action: Action, resumesTransfer: Bool) {
        switch read() {
        case .ready(let result, let resumesTransfer):
            return (.giveBody(reader, result), resumesTransfer)
        case .nothing:
            phase = .open(reader: reader)
            waitsSince = now
            return (.none, false)
        }
    }
}
