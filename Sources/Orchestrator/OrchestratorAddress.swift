/// Where a VCO is: its URL taken apart, checked, and put together in one spelling.
///
/// One spelling, because the ledger is bound to it: `https://VCO.example:443/portal/rest/` is the VCO that
/// `https://vco.example` is.
struct OrchestratorAddress: Hashable, Sendable {
    var isSecure: Bool
    /// Lower case; IPv6 in brackets.
    var host: String
    /// Nil for the scheme's own port.
    var port: Int?
    /// What stands before `/portal/rest`, for a VCO behind a gateway; empty or `/…` without a slash at the end.
    var prefix: String

    /// `host` or `host:port`.
    var authority: String {
        port.map { "\(host):\($0)" } ?? host
    }

    /// The URL below which the methods are, without a slash at the end.
    var base: String {
        (isSecure ? "https://" : "http://") + authority + prefix + "/portal/rest"
    }

    /// True for the machine itself, where plain HTTP leaves nothing on a wire.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        // All four parts must be numbers: `127.0.0.1.example.net` is somebody else's machine.
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Why a text is no address, in words that never repeat user information or a query: they may hold secrets.
    struct Fault: Error, Hashable, Sendable {
        var words: String

        init(_ words: String) {
            self.words = words
        }
    }

    init(parsing text: String) throws(Fault) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Fault("holds a space, a control character or a character outside ASCII")
        }
        let (scheme, rest) = try Self.scheme(of: text)
        isSecure = scheme == "https"
        let end = rest.firstIndex(where: { "/?#".contains($0) }) ?? rest.endIndex
        let authority = rest[..<end]
        // Anywhere, not only before the path: a password may hold a slash.
        if rest.contains("@") {
            throw Fault("holds user information (…@); give the token by --vco-token-file or VCO_TOKEN instead")
        }
        let path = rest[end...]
        if path.contains(where: { "?#".contains($0) }) {
            throw Fault("holds a query or a fragment (? or #); give only the address, such as https://vco.example.net")
        }
        (host, port) = try Self.hostAndPort(authority, portDefault: isSecure ? 443 : 80)
        prefix = Self.prefix(of: path)
    }

    private static func scheme(of text: String) throws(Fault) -> (String, Substring) {
        guard let separator = text.firstRange(ofText: "://") else {
            throw Fault("is not a URL: it must begin with https://")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else {
            throw Fault("is not a URL that can be used: it must begin with https://")
        }
        return (scheme, text[separator.upperBound...])
    }

    private static func hostAndPort(_ authority: Substring, portDefault: Int) throws(Fault) -> (String, Int?) {
        var host = authority
        var portText: Substring?
        let afterHost = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : authority.startIndex
        guard let afterHost else { throw Fault("has an IPv6 address without its closing bracket") }
        if let colon = authority[afterHost...].firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard isHost(host) else { throw Fault("has no usable host name") }
        var port: Int?
        if let portText, !portText.isEmpty {
            guard portText.allSatisfy(\.isNumber), let number = Int(portText), (1...65535).contains(number) else {
                throw Fault("has a port that is not a number from 1 to 65535")
            }
            port = number == portDefault ? nil : number
        }
        return (host.lowercased(), port)
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            let isAddress = inner.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
            return host.hasSuffix("]") && inner.contains(":") && isAddress
        }
        return !host.isEmpty && host.first != "." && host.first != "-"
            && host.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }
    }

    private static func prefix(of path: Substring) -> String {
        var parts = path.split(separator: "/")
        if parts.suffix(2) == ["portal", "rest"] {
            parts.removeLast(2)
        } else if parts.last == "portal" {
            parts.removeLast()
        }
        return parts.map { "/" + $0 }.joined()
    }
}

extension String {
    fileprivate func firstRange(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
