import CCurl

/// Everything a request says, as libcurl's options.
extension CurlTransfer {
    /// A transfer that is ready to be added to a multi handle; throws what is wrong with the request.
    static func make(
        _ request: HTTPRequest, exchange: Exchange, userAgent: String, proxies: ProxyVariables,
        sockets: CurlSockets
    ) throws(TransportError) -> CurlTransfer {
        let target = try CurlTarget(request.url, serverName: request.security.serverName)
        guard let easy = curl_easy_init() else { throw .request("out of memory") }
        let transfer = CurlTransfer(exchange: exchange, request: request, target: target, easy: easy)
        do throws(TransportError) {
            try transfer.check(sockets.attach(to: easy), "sockets")
            try transfer.configure(userAgent: userAgent, proxies: proxies)
        } catch {
            transfer.close()
            throw error
        }
        return transfer
    }

    private func configure(userAgent: String, proxies: ProxyVariables) throws(TransportError) {
        try check(attach(), "callbacks")
        try set(CURLOPT_URL, target.url, "URL")
        try set(CURLOPT_USERAGENT, userAgent, "user agent")
        // The reply's path is compared with nothing: it goes out as it was written.
        try set(CURLOPT_PATH_AS_IS, 1, "path")
        try set(CURLOPT_ACCEPT_ENCODING, "gzip", "compression")
        try check(ccurl_allow_only_http(easy), "protocols")
        ccurl_do_not_wait_for_resolver(easy)
        try set(CURLOPT_FOLLOWLOCATION, 0, "redirects")
        // Signals are the process's affair; SIGPIPE is ignored for all of it when the transport is made.
        try set(CURLOPT_NOSIGNAL, 1, "signals")
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, "proxy's headers")
        try set(
            CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(request.timeouts.connect.nanoseconds / 1_000_000)),
            "time-out")
        try configureConnection()
        try configureBody()
        try configureHeaders()
        try configureSecurity()
        try configureProxy(proxies)
    }

    private func configureConnection() throws(TransportError) {
        try set(CURLOPT_TCP_KEEPALIVE, 1, "keep-alive")
        try set(CURLOPT_TCP_KEEPIDLE, 30, "keep-alive")
        try set(CURLOPT_TCP_KEEPINTVL, 15, "keep-alive")
        if request.usesFreshConnection {
            // HTTP/2 would let other requests join the connection; libcurl then takes it for a reused one, and resends.
            try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1), "HTTP version")
            try set(CURLOPT_FRESH_CONNECT, 1, "fresh connection")
            try set(CURLOPT_FORBID_REUSE, 1, "fresh connection")
        } else {
            try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS), "HTTP version")
            // A burst waits for the first connection to say whether it can be shared.
            try set(CURLOPT_PIPEWAIT, target.scheme == "https" ? 1 : 0, "HTTP version")
        }
    }

    private func configureBody() throws(TransportError) {
        switch (request.method, request.body) {
        case (.get, nil):
            try set(CURLOPT_HTTPGET, 1, "method")
        case (.delete, nil):
            try set(CURLOPT_CUSTOMREQUEST, "DELETE", "method")
        case (let method, let body):
            let body = body ?? []
            try set(CURLOPT_POST, 1, "method")
            if method != .post {
                try set(CURLOPT_CUSTOMREQUEST, method.rawValue, "method")
            }
            // The size first: the copy is of that many bytes.
            try check(ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)), "body")
            let code = body.withUnsafeBytes { bytes in
                bytes.baseAddress.map { ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0) }
                    ?? ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
            }
            try check(code, "body")
        }
    }

    private func configureHeaders() throws(TransportError) {
        // libcurl would wait for a "100 Continue", and name a form's content type.
        try append("Expect:", to: &headers)
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            try append("Content-Type:", to: &headers)
        }
        if target.serverName != nil,
            !request.headers.contains(where: { $0.name.lowercased() == "host" })
        {
            try append("Host: \(target.authority)", to: &headers)
        }
        for header in request.headers {
            guard Self.isToken(header.name),
                !header.value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 })
            else {
                // The value may be a secret: only the name is told.
                throw .request(
                    "the header \(header.name.prefix(64).debugDescription) has a line break or is no header")
            }
            // libcurl takes "Name:" for an order to leave the header out; this is its way to write an empty one.
            try append(
                header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)", to: &headers)
        }
        try check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers), "headers")
    }

    private func configureSecurity() throws(TransportError) {
        let security = request.security
        if let authorities = security.authorities {
            try set(CURLOPT_CAINFO_BLOB, authorities, "authorities")
            // Else the system's folder of authorities would be trusted as well.
            try check(ccurl_set_string(easy, CURLOPT_CAPATH, nil), "authorities")
        }
        if let certificate = security.clientCertificate {
            try set(CURLOPT_SSLCERTTYPE, "PEM", "client certificate")
            try set(CURLOPT_SSLCERT_BLOB, certificate, "client certificate")
        }
        if let key = security.clientKey {
            try set(CURLOPT_SSLKEYTYPE, "PEM", "client key")
            try set(CURLOPT_SSLKEY_BLOB, key, "client key")
        }
        if security.isVerificationOff {
            try set(CURLOPT_SSL_VERIFYPEER, 0, "verification")
            try set(CURLOPT_SSL_VERIFYHOST, 0, "verification")
        }
        if let serverName = target.serverName {
            try append("\(serverName):\(target.port):\(target.host):\(target.port)", to: &route)
            try check(ccurl_set_list(easy, CURLOPT_CONNECT_TO, route), "server name")
        }
    }

    private func configureProxy(_ proxies: ProxyVariables) throws(TransportError) {
        let proxy =
            if ProxyVariables.isLoopback(target.host) {
                ""
            } else {
                request.security.proxyURL
                    ?? proxies.proxy(scheme: target.scheme, host: target.host, port: target.port) ?? ""
            }
        // Said in any case, also when there is none: libcurl would read the environment by rules of its own.
        try set(CURLOPT_PROXY, proxy, "proxy")
        try set(CURLOPT_NOPROXY, "", "proxy")
    }

    // MARK: - One option

    private func set(_ option: CURLoption, _ value: Int, _ name: String) throws(TransportError) {
        try check(ccurl_set_long(easy, option, value), name)
    }

    private func set(_ option: CURLoption, _ value: String, _ name: String) throws(TransportError) {
        try check(ccurl_set_string(easy, option, value), name)
    }

    private func set(_ option: CURLoption, _ value: [UInt8], _ name: String) throws(TransportError) {
        let code = value.withUnsafeBytes { ccurl_set_blob(easy, option, $0.baseAddress, $0.count) }
        try check(code, name)
    }

    private func append(_ line: String, to list: inout UnsafeMutablePointer<curl_slist>?)
        throws(TransportError)
    {
        guard let longer = curl_slist_append(list, line) else { throw .request("out of memory") }
        list = longer
    }

    private func check(_ code: CURLcode, _ name: String) throws(TransportError) {
        guard code == CURLE_OK else {
            throw .request(
                "\(target.name): the \(name) was refused: \(String(cString: curl_easy_strerror(code)))")
        }
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
