import CCurl
import Glibc

/// The sockets that libcurl has open, so that one can be found and shut while a transfer uses it.
///
/// libcurl tells a running transfer's socket to nobody, only its addresses. Lives on the libcurl thread alone.
final class CurlSockets {
    /// A connection by its two ends, as libcurl names them before it sends.
    struct Connection: Hashable {
        var localPort: Int32
        var remotePort: Int32
        var remoteAddress: String
    }

    private var open: Set<curl_socket_t> = []

    /// Gives libcurl the callbacks; sockets outlive the easy handle that opened them, and this outlives them all.
    func attach(to easy: UnsafeMutableRawPointer) -> CURLcode {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return ccurl_set_sockets(
            easy,
            { context, socket, _ in
                CurlSockets.of(context).open.insert(socket)
                return CURL_SOCKOPT_OK
            },
            { context, socket in
                CurlSockets.of(context).open.remove(socket)
                return close(socket)
            }, context)
    }

    /// Ends a connection for everybody on it; libcurl finds it dead and opens another.
    func shut(_ connection: Connection) {
        for socket in open where Self.connection(of: socket) == connection {
            shutdown(socket, Int32(SHUT_RDWR))
        }
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlSockets {
        guard let context else { preconditionFailure("libcurl passes the context it was given") }
        return Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue()
    }

    private static func connection(of socket: curl_socket_t) -> Connection? {
        guard let local = end(of: socket, getsockname), let remote = end(of: socket, getpeername) else {
            return nil
        }
        return Connection(localPort: local.port, remotePort: remote.port, remoteAddress: remote.address)
    }

    private static func end(
        of socket: curl_socket_t,
        _ name: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (address: String, port: Int32)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            let isNamed = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                name(socket, $0, &length) == 0
            }
            guard isNamed else { return nil }
            let family = Int32(storage.pointee.ss_family)
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let port: in_port_t
            switch family {
            case AF_INET:
                port = storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    inet_ntop(family, &address.pointee.sin_addr, &text, socklen_t(text.count))
                    return address.pointee.sin_port
                }
            case AF_INET6:
                port = storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    inet_ntop(family, &address.pointee.sin6_addr, &text, socklen_t(text.count))
                    return address.pointee.sin6_port
                }
            default:
                return nil
            }
            let address = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return (address, Int32(in_port_t(bigEndian: port)))
        }
    }
}
