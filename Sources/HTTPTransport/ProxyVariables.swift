import Glibc

/// The proxy that the environment asks for, by the rules of curl and Go.
///
/// libcurl reads these variables itself, but it matches NO_PROXY against the URL's host, which is not the real one when
/// another server name was asked for, and it sends loopback through the proxy.
package struct ProxyVariables: Sendable {
    private let http: String?
    private let https: String?
    private let exceptions: [String]

    /// Reads variables by name; the lower-case spelling wins.
    package init(_ variable: (String) -> String?) {
        func first(_ names: String...) -> String? {
            names.lazy.compactMap(variable).first { !$0.isEmpty }
        }
        // In a CGI program HTTP_PROXY is the client's `Proxy` header, and must not be believed.
        let isCGI = variable("REQUEST_METHOD") != nil
        http =
            first("http_proxy") ?? (isCGI ? nil : first("HTTP_PROXY")) ?? first("all_proxy", "ALL_PROXY")
        https = first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        exceptions = (first("no_proxy", "NO_PROXY") ?? "").lowercased().split { $0 == "," || $0 == " " }
            .map(
                String.init)
    }

    /// The variables of this process.
    package static var process: ProxyVariables {
        ProxyVariables { name in getenv(name).map { String(cString: $0) } }
    }

    /// The proxy to use, nil to go directly.
    package func proxy(scheme: String, host: String, port: String) -> String? {
        let host = Self.bare(host)
        guard !Self.isLoopback(host),
            !exceptions.contains(where: { Self.covers($0, host: host, port: port) })
        else {
            return nil
        }
        return scheme == "https" ? https : http
    }

    /// True for 127.0.0.0/8, ::1 and localhost: what listens there is on this machine, and no proxy could reach it.
    package static func isLoopback(_ host: String) -> Bool {
        let host = bare(host)
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        guard let address = address(host) else { return false }
        return address.count == 4
            ? address[0] == 127 : address == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// Lower case, without brackets and the root's dot.
    private static func bare(_ host: String) -> String {
        var name = host.lowercased()[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if name.hasSuffix(".") { name = name.dropLast() }
        return String(name)
    }

    /// One entry of NO_PROXY: `*`, a name with all below it, an address, or a network; each but networks with or
    /// without a port.
    private static func covers(_ entry: String, host: String, port: String) -> Bool {
        if entry == "*" { return true }
        let address = address(host)
        if let slash = entry.firstIndex(of: "/") {
            guard let address, let network = self.address(bare(String(entry[..<slash]))),
                let length = Int(entry[entry.index(after: slash)...])
            else { return false }
            return isInside(address, network: network, length: length)
        }
        var name = entry[...]
        if let colon = entry.lastIndex(of: ":"),
            entry.hasPrefix("[") || entry.firstIndex(of: ":") == colon,
            !entry[colon...].contains("]")
        {
            guard entry[entry.index(after: colon)...] == port else { return false }
            name = entry[..<colon]
        }
        if let address {
            return self.address(bare(String(name))) == address
        }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { name = name.dropFirst() }
        let suffix = bare(String(name))
        return !suffix.isEmpty && (host == suffix || host.hasSuffix("." + suffix))
    }

    private static func isInside(_ address: [UInt8], network: [UInt8], length: Int) -> Bool {
        guard address.count == network.count, (0...address.count * 8).contains(length) else {
            return false
        }
        return address.indices.allSatisfy { index in
            let bits = min(8, max(0, length - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            return address[index] & mask == network[index] & mask
        }
    }

    /// The 4 or 16 bytes of an address, nil for a name.
    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
        return nil
    }
}
