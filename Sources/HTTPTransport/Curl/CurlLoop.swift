import CCurl
import Glibc

/// The libcurl thread: takes orders, lets libcurl work, watches the time.
///
/// Nothing else touches the multi handle or an easy handle, so none of it needs a lock.
final class CurlLoop {
    private let multi: UnsafeMutableRawPointer
    private let mailbox: CurlMailbox
    private let userAgent: String
    private let proxies: ProxyVariables
    private let sockets = CurlSockets()
    private var transfers: [ObjectIdentifier: CurlTransfer] = [:]
    /// Nothing expires before this time.
    private var nextCheck = Int64.max

    /// Longest sleep when there is nothing to do; orders and sockets wake the thread earlier.
    private static let pollMillisecondsMax: Int64 = 60_000

    init(
        multi: UnsafeMutableRawPointer, mailbox: CurlMailbox, userAgent: String, proxies: ProxyVariables
    ) {
        self.multi = multi
        self.mailbox = mailbox
        self.userAgent = userAgent
        self.proxies = proxies
    }

    /// Runs until the mailbox is closed, then ends every transfer and frees the handles.
    func run() {
        while true {
            let (orders, isLast) = mailbox.take()
            for order in orders {
                obey(order)
            }
            if isLast { break }
            var running: Int32 = 0
            let code = curl_multi_perform(multi, &running)
            precondition(
                code == CURLM_OK, "libcurl's multi handle is used by one thread, outside of callbacks")
            finishDone()
            expire()
            curl_multi_poll(multi, nil, 0, sleepMilliseconds(), nil)
        }
        for transfer in transfers.values {
            end(transfer, .cancelled)
        }
        curl_multi_cleanup(multi)
    }

    private func obey(_ order: CurlMailbox.Order) {
        switch order {
        case .start(let exchange, let request):
            start(exchange, request)
        case .resume(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }  // it ended meanwhile
            let code = curl_easy_pause(transfer.easy, CURLPAUSE_CONT)
            if code != CURLE_OK {
                end(transfer, transfer.error(for: code))
            }
        case .stop(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }  // it ended meanwhile
            end(transfer, .cancelled)
        }
    }

    private func start(_ exchange: Exchange, _ request: HTTPRequest) {
        guard !exchange.isOver else { return }  // cancelled before it began
        do throws(TransportError) {
            let transfer = try CurlTransfer.make(
                request, exchange: exchange, userAgent: userAgent, proxies: proxies, sockets: sockets)
            let code = curl_multi_add_handle(multi, transfer.easy)
            guard code == CURLM_OK else {
                transfer.close()
                throw .request("\(transfer.target.name): \(String(cString: curl_multi_strerror(code)))")
            }
            transfers[ObjectIdentifier(exchange)] = transfer
            check(transfer, now: monotonicNanoseconds())
        } catch {
            exchange.finished(error)
        }
    }

    /// Tells the readers of transfers that libcurl has done with.
    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let code = ccurl_message_code(message)
            var context: UnsafeMutableRawPointer?
            ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            let transfer = CurlTransfer.of(context)
            end(transfer, transfer.error(for: code))
        }
    }

    /// Ends the transfers whose time is over; looks at all of them, but only when one may be.
    private func expire() {
        let now = monotonicNanoseconds()
        guard now >= nextCheck else { return }
        nextCheck = .max
        for transfer in Array(transfers.values) {
            check(transfer, now: now)
        }
    }

    private func check(_ transfer: CurlTransfer, now: Int64) {
        switch transfer.check(now: now) {
        case .fine(let until):
            nextCheck = min(nextCheck, until)
        case .expired(let error):
            closeIfDead(transfer)
            end(transfer, error)
        }
    }

    /// Shuts the connection of an expired transfer when no other transfer on it heard anything meanwhile.
    ///
    /// An HTTP/2 connection outlives its streams: left alone, a dead one would swallow every later request as well.
    private func closeIfDead(_ expired: CurlTransfer) {
        guard let silentSince = expired.lastProgress, let connection = expired.connection else {
            return
        }
        let isAlive = transfers.values.contains { other in
            other !== expired && other.connection == connection
                && (other.lastReceived ?? .min) > silentSince
        }
        if !isAlive {
            sockets.shut(connection)
        }
    }

    /// Shuts the connection of a transfer that ended too early when no other transfer is on it.
    ///
    /// libcurl since 7.88 keeps the reset of an HTTP/2 stream until the connection's next traffic: on a connection with
    /// other streams that comes soon, on one without the server would go on sending to nobody.
    private func closeIfAlone(_ ended: CurlTransfer) {
        guard let connection = ended.connection,
            !transfers.values.contains(where: { $0.connection == connection })
        else { return }
        sockets.shut(connection)
    }

    /// Takes the transfer from libcurl, which closes its connection or stream where it is not done, and tells its
    /// reader.
    private func end(_ transfer: CurlTransfer, _ error: TransportError?) {
        transfers[ObjectIdentifier(transfer.exchange)] = nil
        curl_multi_remove_handle(multi, transfer.easy)
        if error != nil {
            closeIfAlone(transfer)
        }
        transfer.close()
        transfer.exchange.finished(error)
    }

    private func sleepMilliseconds() -> Int32 {
        guard nextCheck < .max else { return Int32(Self.pollMillisecondsMax) }
        let milliseconds = (nextCheck - monotonicNanoseconds() + 999_999) / 1_000_000
        return Int32(max(0, min(milliseconds, Self.pollMillisecondsMax)))
    }
}
