/// One request, with every limit that applies to it.
package struct HTTPRequest: Sendable {
    /// The methods that our servers know.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package var method: Method
    /// Absolute URL, already percent-encoded.
    package var url: String
    /// In order; a bearer token goes here as `Authorization` and is never logged.
    package var headers: [HTTPHeader]
    package var body: [UInt8]?
    package var timeouts: Timeouts
    /// The largest reply body, after decompression, that is accepted; streams set it to `nil` for no limit.
    package var bodyBytesMax: Int?
    package var security: Security
    /// A connection that no request has used before, and that none will use after.
    ///
    /// libcurl resends a request when a reused connection dies before the reply's first byte; a write that must go out
    /// at most once therefore asks for a fresh one. It speaks HTTP/1.1, because others could join one of HTTP/2.
    package var usesFreshConnection: Bool

    package init(
        _ method: Method, url: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil,
        timeouts: Timeouts = Timeouts(), bodyBytesMax: Int? = 64 << 20, security: Security = Security(),
        usesFreshConnection: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.bodyBytesMax = bodyBytesMax
        self.security = security
        self.usesFreshConnection = usesFreshConnection
    }

    /// How long each part of a transfer may take; `nil` means for ever.
    package struct Timeouts: Hashable, Sendable {
        /// Until the connection stands, TLS included.
        package var connect: Duration
        /// From the request's last byte to the reply's first.
        package var firstByte: Duration?
        /// The longest silence inside the body while the reader is waiting for more.
        package var idle: Duration?
        /// The whole transfer.
        package var whole: Duration?

        package init(
            connect: Duration = .seconds(10), firstByte: Duration? = .seconds(30),
            idle: Duration? = .seconds(30),
            whole: Duration? = .seconds(60)
        ) {
            self.connect = connect
            self.firstByte = firstByte
            self.idle = idle
            self.whole = whole
        }
    }

    /// Who we trust, who we are, and by which way we go.
    package struct Security: Hashable, Sendable {
        /// PEM bundle that replaces the system's authorities.
        package var authorities: [UInt8]?
        /// PEM client certificate (chain) and its private key.
        package var clientCertificate: [UInt8]?
        package var clientKey: [UInt8]?
        /// Name to send in SNI and to check the certificate against, when it is not the URL's host.
        package var serverName: String?
        /// Checks neither the chain nor the name. Only ever set by a flag with "insecure" in its name, or a
        /// kubeconfig's
        /// `insecure-skip-tls-verify`.
        package var isVerificationOff: Bool
        /// A proxy for this request; without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide. Loopback is always direct.
        package var proxyURL: String?

        package init(
            authorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil, clientKey: [UInt8]? = nil,
            serverName: String? = nil, isVerificationOff: Bool = false, proxyURL: String? = nil
        ) {
            self.authorities = authorities
            self.clientCertificate = clientCertificate
            self.clientKey = clientKey
            self.serverName = serverName
            self.isVerificationOff = isVerificationOff
            self.proxyURL = proxyURL
        }
    }
}

/// One header field; names compare without regard to case.
package struct HTTPHeader: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Method and URL alone: a request that ends up in a log or a failing test must not take its token and key along.
extension HTTPRequest: CustomStringConvertible {
    package var description: String { "\(method.rawValue) \(redacted(url))" }
}

extension HTTPHeader: CustomStringConvertible {
    /// The name alone.
    package var description: String { "\(name): …" }
}
