import HTTPTransport

/// An open watch: lines that wait for their reader, or a reader that waits for lines.
///
/// Appending and taking the waiting reader are one critical section, and the reader is woken outside of it.
final class WatchStream: Sendable {
    private let state: Locked<State>

    private struct State: Sendable {
        /// Bytes not read yet.
        var buffer: [UInt8] = []
        var reader: CheckedContinuation<Chunk, Never>?
        /// How the stream ended; what is in the buffer is read first.
        var ending: Ending?
        /// The largest chunk handed out; small ones cut lines in pieces.
        var chunkBytesMax: Int
    }

    /// What a reader gets.
    typealias Chunk = Result<[UInt8]?, TransportError>

    /// How a stream ends.
    enum Ending: Sendable {
        /// As the server closes it at its time.
        case closed
        /// As a connection that breaks or goes silent.
        case failed(TransportError)
    }

    /// A reader to be woken, once no lock is held.
    struct Waking: Sendable {
        fileprivate var reader: CheckedContinuation<Chunk, Never>
        fileprivate var chunk: Chunk

        func callAsFunction() {
            reader.resume(returning: chunk)
        }
    }

    init(chunkBytesMax: Int) {
        state = Locked(State(chunkBytesMax: max(1, chunkBytesMax)))
    }

    /// Adds lines.
    func append(_ bytes: [UInt8]) -> Waking? {
        state.withLock { state in
            guard state.ending == nil, !bytes.isEmpty else { return nil }
            state.buffer += bytes
            return Self.waking(&state)
        }
    }

    /// Ends the stream; a later ending changes nothing.
    func end(_ ending: Ending) -> Waking? {
        state.withLock { state in
            guard state.ending == nil else { return nil }
            state.ending = ending
            return Self.waking(&state)
        }
    }

    /// The next piece; nil at the end. Cancelling the reader ends the stream.
    func next() async throws(TransportError) -> [UInt8]? {
        let chunk = await withTaskCancellationHandler {
            await withCheckedContinuation { (reader: CheckedContinuation<Chunk, Never>) in
                let waking: Waking? = state.withLock { state in
                    precondition(state.reader == nil, "a body has one reader")
                    state.reader = reader
                    return Self.waking(&state)
                }
                waking?()
            }
        } onCancel: {
            end(.failed(.cancelled))?()
        }
        return try chunk.get()
    }

    /// Takes the reader out together with what it is to get, if there is something.
    private static func waking(_ state: inout State) -> Waking? {
        guard let reader = state.reader else { return nil }
        if case .failed(let error)? = state.ending, error == .cancelled {
            state.reader = nil
            return Waking(reader: reader, chunk: .failure(error))
        }
        if !state.buffer.isEmpty {
            let chunk = Array(state.buffer.prefix(state.chunkBytesMax))
            state.buffer.removeFirst(chunk.count)
            state.reader = nil
            return Waking(reader: reader, chunk: .success(chunk))
        }
        guard let ending = state.ending else { return nil }
        state.reader = nil
        switch ending {
        case .closed: return Waking(reader: reader, chunk: .success(nil))
        case .failed(let error): return Waking(reader: reader, chunk: .failure(error))
        }
    }
}
