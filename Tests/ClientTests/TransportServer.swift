import Glibc

/// A TCP server for tests that does to each connection what a script says, with blocking calls on a thread of its own.
///
/// It listens until the process ends, so that a test which only needs its port does not lose it.
final class TransportServer: Sendable {
    typealias Script = @Sendable (TransportConnection) -> Void

    let port: UInt16
    let log = TransportLog()
    /// Nil once closed: the number may then be somebody else's.
    private let listener: TransportBox<Int32?>

    /// Listens on a free port of loopback; the script's return closes the connection.
    init(_ script: @escaping Script) {
        let (socket, port) = Self.bound(isShared: false)
        precondition(listen(socket, 512) == 0, "a bound socket can listen")
        let listener = TransportBox<Int32?>(socket)
        self.listener = listener
        self.port = port
        let log = log
        transportThread {
            while true {
                let descriptor = accept(socket, nil, nil)
                guard descriptor >= 0 else { break }
                let connection = TransportConnection(descriptor: descriptor, log: log)
                transportThread {
                    script(connection)
                    connection.close()
                }
            }
            listener.change { descriptor in
                Glibc.close(socket)
                descriptor = nil
            }
        }
    }

    private static func bound(isShared: Bool) -> (socket: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(listener >= 0, "a socket can be made")
        if isShared {
            var yes: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && getsockname(listener, address, &length) == 0
            }
        }
        precondition(isBound, "loopback has a free port")
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// A port on which nobody listens. It stays reserved, so that no two tests get the same one; a program may listen
    /// on it.
    static func freePort() -> UInt16 {
        bound(isShared: true).port
    }

    /// New connections are refused from now on; those that stand go on.
    func stopListening() {
        listener.change { if let socket = $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// A request as the server saw it.
struct TransportSeen: Sendable {
    var method: String
    var path: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
}

/// What reached a server, for tests to look at and to wait for.
final class TransportLog: Sendable {
    private let seen = TransportBox<[TransportSeen]>([])
    private let opened = TransportBox(0)

    var requests: [TransportSeen] { seen.value }
    var connections: Int { opened.value }

    func add(_ request: TransportSeen) { seen.change { $0.append(request) } }
    func untilRequests(_ count: Int) async { await seen.until { $0.count >= count } }
    func addConnection() { opened.change { $0 += 1 } }
}

/// One accepted connection, used by its script alone.
///
/// `@unchecked Sendable` holds because one thread runs the script, and nobody else has the connection.
final class TransportConnection: @unchecked Sendable {
    private let descriptor: Int32
    private let log: TransportLog
    private var pending: [UInt8] = []
    private var isClosed = false

    init(descriptor: Int32, log: TransportLog) {
        self.descriptor = descriptor
        self.log = log
        log.addConnection()
    }

    /// Waits for a whole request, head and body; nil when the peer closed.
    func request() -> TransportSeen? {
        var end = Self.headEnd(pending)
        while end == nil {
            guard receive() else { return nil }
            end = Self.headEnd(pending)
        }
        guard let end else { return nil }
        let lines = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        let headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst().drop { $0 == " " }
            return (name: line[..<colon].lowercased(), value: String(value))
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while pending.count < end + 4 + length {
            guard receive() else { return nil }
        }
        let seen = TransportSeen(
            method: String(words.first ?? ""), path: words.count > 1 ? String(words[1]) : "",
            headers: headers,
            body: Array(pending[(end + 4)..<(end + 4 + length)]))
        pending.removeFirst(end + 4 + length)
        log.add(seen)
        return seen
    }

    /// Sends all of it, waiting while the peer does not take more; false when the peer is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool { sendSome(bytes) == bytes.count }

    /// Sends until the peer is gone, or takes nothing for the limited time; how much was sent.
    func sendSome(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// A whole reply with a length.
    @discardableResult
    func reply(_ status: Int = 200, headers: [String] = [], body: [UInt8] = []) -> Bool {
        let head = ["HTTP/1.1 \(status) Word", "Content-Length: \(body.count)"] + headers
        return send(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    /// Waits until the peer has said so much.
    func awaitBytes(_ count: Int = 1) {
        while pending.count < count, receive() {}
    }

    /// Waits until the peer has closed.
    func awaitClose() {
        while receive() {}
    }

    /// From now on `send` gives up when the peer takes nothing for so long.
    func limitSendTime(milliseconds: Int) {
        var time = timeval(tv_sec: 0, tv_usec: milliseconds * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(descriptor)
    }

    /// Closes so that the peer sees a reset, not an end.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    private func receive() -> Bool {
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        pending += piece[..<count]
        return true
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0...].starts(with: [13, 10, 13, 10]) }
    }
}
