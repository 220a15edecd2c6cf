import CCurl

/// One request on libcurl's side: its easy handle, what libcurl calls back, and the time-outs libcurl lacks.
///
/// Lives on the libcurl thread alone, from `start` to `close`.
final class CurlTransfer {
    /// The part of a transfer that the time-outs tell apart, with the time of the last progress in it.
    private enum Stage {
        /// libcurl's own time-out watches. Leads to `sent`.
        case connecting
        /// The request, or a part of it, may be out. Leads to `receiving`, or to itself when libcurl tries again.
        case sent(Int64)
        /// Bytes of the reply came. The last stage.
        case receiving(Int64)
    }

    let exchange: Exchange
    let request: HTTPRequest
    let target: CurlTarget
    let easy: UnsafeMutableRawPointer
    var headers: UnsafeMutablePointer<curl_slist>?
    var route: UnsafeMutablePointer<curl_slist>?

    private let errorText: UnsafeMutablePointer<CChar>
    private let startedAt = monotonicNanoseconds()
    private var stage = Stage.connecting
    /// How often libcurl was about to send; with a connection of its own it may only once.
    private var attempts = 0
    private var bytesSent: Int64 = 0
    /// The connection of the last attempt; nil before it stood.
    private(set) var connection: CurlSockets.Connection?
    private var bodyBytes = 0
    private var head = ReplyHeadParser()
    /// Why a callback of ours ended the transfer; it counts more than libcurl's code.
    private var ownError: TransportError?

    init(exchange: Exchange, request: HTTPRequest, target: CurlTarget, easy: UnsafeMutableRawPointer) {
        self.exchange = exchange
        self.request = request
        self.target = target
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    /// Frees everything; the handle must have left the multi handle before.
    func close() {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        curl_slist_free_all(route)
        errorText.deallocate()
    }

    /// Gives libcurl the callbacks; each finds its way back by the context pointer.
    func attach() -> CURLcode {
        let context = Unmanaged.passUnretained(self).toOpaque()
        var codes = [
            ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText),
            ccurl_set_pointer(easy, CURLOPT_PRIVATE, context),
            ccurl_set_header(
                easy,
                { bytes, size, count, context in CurlTransfer.of(context).headerCame(bytes, size * count) },
                context),
            ccurl_set_write(
                easy,
                { bytes, size, count, context in CurlTransfer.of(context).bodyCame(bytes, size * count) },
                context),
            ccurl_set_prerequest(
                easy,
                { context, remoteAddress, _, remotePort, localPort in
                    let address = remoteAddress.map { String(cString: $0) } ?? ""
                    return CurlTransfer.of(context).willSend(
                        .init(localPort: localPort, remotePort: remotePort, remoteAddress: address))
                }, context),
        ]
        // A body that fits into the socket's buffer is gone at once; only for larger ones the way out is watched.
        if (request.body?.count ?? 0) > Self.watchedBodyBytesMin {
            codes.append(
                ccurl_set_progress(
                    easy, { context, _, _, _, sent in CurlTransfer.of(context).didSend(Int64(sent)) }, context
                ))
        }
        return codes.first { $0 != CURLE_OK } ?? CURLE_OK
    }

    /// Request bodies from this size on have their way out watched, so that `firstByte` starts after their last byte.
    private static let watchedBodyBytesMin = 16 << 10

    static func of(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        guard let context else { preconditionFailure("libcurl passes the context it was given") }
        return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: - Called by libcurl

    private func willSend(_ connection: CurlSockets.Connection) -> Int32 {
        self.connection = connection
        attempts += 1
        guard attempts == 1 || !request.usesFreshConnection else {
            ownError = .broken(
                "\(target.name): the connection broke before the reply, and the request is not repeated")
            return CURL_PREREQFUNC_ABORT
        }
        stage = .sent(monotonicNanoseconds())
        return CURL_PREREQFUNC_OK
    }

    private func didSend(_ bytes: Int64) -> Int32 {
        if bytes != bytesSent, case .sent = stage {
            bytesSent = bytes
            stage = .sent(monotonicNanoseconds())
        }
        return 0
    }

    private func headerCame(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        stage = .receiving(monotonicNanoseconds())
        switch head.append(UnsafeRawBufferPointer(start: bytes, count: count)) {
        case .more:
            return count
        case .complete(let head):
            exchange.headArrived(head)
            return count
        case .tooLarge(let limit):
            ownError = .broken("\(target.name): the head of the reply is larger than \(limit) bytes")
            return 0
        }
    }

    private func bodyCame(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard count > 0 else { return 0 }
        stage = .receiving(monotonicNanoseconds())
        if let limit = request.bodyBytesMax, bodyBytes + count > limit {
            ownError = .bodyTooLarge(limit: limit)
            return 0
        }
        guard exchange.received(UnsafeRawBufferPointer(start: bytes, count: count)) else {
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        bodyBytes += count
        return count
    }

    // MARK: - Asked by the loop

    /// What a look at the clock gives.
    enum Check {
        case expired(TransportError)
        /// Nothing can expire before this time.
        case fine(until: Int64)
    }

    func check(now: Int64) -> Check {
        let timeouts = request.timeouts
        var until = Int64.max
        if let whole = timeouts.whole {
            until = startedAt + whole.nanoseconds
            if now >= until { return .expired(expiry("not done within \(whole)")) }
        }
        // A stage that has not begun can begin right now, and nobody looks again before the time returned here.
        var firstByteFrom = now
        var idleFrom = now
        switch stage {
        case .connecting: break
        case .sent(let last): firstByteFrom = last
        case .receiving(let last): idleFrom = max(last, exchange.readerWaitsSince ?? now)
        }
        if let firstByte = timeouts.firstByte, lastReceived == nil {
            let deadline = firstByteFrom + firstByte.nanoseconds
            if now >= deadline { return .expired(expiry("no reply within \(firstByte)")) }
            until = min(until, deadline)
        }
        if let idle = timeouts.idle {
            let deadline = idleFrom + idle.nanoseconds
            if now >= deadline { return .expired(expiry("silent for \(idle) inside the reply")) }
            until = min(until, deadline)
        }
        return .fine(until: until)
    }

    /// When a byte last went out or came in; nil before the connection stood.
    var lastProgress: Int64? {
        switch stage {
        case .connecting: nil
        case .sent(let last), .receiving(let last): last
        }
    }

    /// When a byte of the reply last came.
    var lastReceived: Int64? {
        if case .receiving(let last) = stage { last } else { nil }
    }

    /// The error for libcurl's code; nil when the transfer is complete.
    func error(for code: CURLcode) -> TransportError? {
        if let ownError { return ownError }
        guard code != CURLE_OK else { return nil }
        var systemError = 0
        ccurl_get_long(easy, CURLINFO_OS_ERRNO, &systemError)
        let failure = CurlFailure(
            code: code, detail: String(cString: errorText),
            systemError: Int32(truncatingIfNeeded: systemError),
            isSent: attempts > 0, isAnswered: lastReceived != nil, target: target.name,
            connectTimeout: request.timeouts.connect)
        return failure.error
    }

    private func expiry(_ words: String) -> TransportError {
        // Before the connection stands nothing can have been sent.
        attempts == 0
            ? .connect("no connection to \(target.name): \(words)") : .timeout("\(target.name): \(words)")
    }
}
