import Glibc

/// Where the health server listens: `--listen`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, IPv6 without brackets; nil for every interface.
    package var host: String?
    /// 0 lets the system pick a free one.
    package var port: Int

    package init(host: String?, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `:8080`, `127.0.0.1:0`, `[::1]:8080` or `localhost:8080`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits), (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.contains(":") else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let isHost = host.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || ".:-_%".contains($0) }
        guard isHost else { return nil }
        self.init(host: host.isEmpty ? nil : String(host), port: port)
    }

    package var description: String {
        guard let host else { return ":\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// What to bind for every interface: IPv6 takes IPv4 along, but is switched off in some containers.
    static var everyInterface: String {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return "0.0.0.0" }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        return code == 0 ? "::" : "0.0.0.0"
    }
}
