import CCurl

/// Where a request goes, as libcurl itself reads the URL: two readers of one URL would sooner or later disagree.
struct CurlTarget: Sendable {
    /// The URL to give to libcurl; it bears the server name in place of the host when there is one.
    let url: String
    let scheme: String
    /// As written in the URL; an IPv6 address in brackets.
    let host: String
    let port: String
    /// The name for SNI and the certificate check, when it is not the host.
    let serverName: String?

    init(_ text: String, serverName: String?) throws(TransportError) {
        guard let handle = curl_url() else { throw .request("out of memory") }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK else {
            throw .request("not a URL: \(redacted(text))")
        }
        guard let scheme = Self.part(CURLUPART_SCHEME, of: handle),
            scheme == "http" || scheme == "https"
        else {
            throw .request("neither http nor https: \(redacted(text))")
        }
        guard let host = Self.part(CURLUPART_HOST, of: handle), !host.isEmpty,
            let port = Self.part(CURLUPART_PORT, of: handle)
        else { throw .request("a URL without a host: \(redacted(text))") }
        self.scheme = scheme
        self.host = host
        self.port = port
        guard scheme == "https", let serverName, !serverName.isEmpty, serverName != host else {
            self.url = text
            self.serverName = nil
            return
        }
        guard curl_url_set(handle, CURLUPART_HOST, serverName, 0) == CURLUE_OK,
            let renamed = Self.part(CURLUPART_URL, of: handle)
        else { throw .request("not a server name: \(serverName)") }
        self.url = renamed
        self.serverName = serverName
    }

    /// Host and port for people.
    var name: String { "\(host):\(port)" }

    /// What the `Host` header says when libcurl sees the server name in the URL.
    var authority: String { port == (scheme == "https" ? "443" : "80") ? host : name }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text
        else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
