/// Why a transfer ended without its whole reply; cases are named for the step that failed.
package enum TransportError: Error, Hashable, Sendable {
    /// The URL or an option was refused before anything was sent.
    case request(String)
    /// No connection: name not resolved, refused, unreachable, connect timeout. Nothing was sent.
    case connect(String)
    /// The TLS handshake or the certificate check failed. Nothing was sent.
    case security(String)
    /// The connection broke, or the reply was no HTTP, after the request may have been sent: its effect is unknown.
    case broken(String)
    /// A timeout after the request may have been sent: which one, in words.
    case timeout(String)
    /// The body grew over the request's limit, in bytes.
    case bodyTooLarge(limit: Int)
    /// The task was cancelled.
    case cancelled

    /// True when the server cannot have seen the request.
    package var isCertainlyUnsent: Bool {
        switch self {
        case .request, .connect, .security: true
        case .broken, .timeout, .bodyTooLarge, .cancelled: false
        }
    }
}
