import CCurl
import Glibc

/// What libcurl knew when a transfer failed, and its one translation into our error.
///
/// The words say what to do, stay the same from one attempt to the next (they end up in statuses and events, which
/// would otherwise change for ever), and never hold a header, a query or a password: libcurl's own text is used only
/// for steps before the request.
struct CurlFailure {
    var code: CURLcode
    /// libcurl's own words.
    var detail: String
    /// The last error of a system call, 0 for none.
    var systemError: Int32
    /// Whether the request, or a part of it, may have left on any connection.
    var isSent: Bool
    /// Whether a byte of the reply has come.
    var isAnswered: Bool
    var target: String
    var connectTimeout: Duration

    var error: TransportError {
        if !isSent { return beforeSending }
        if !isAnswered, let refusal = certificateRefusal { return refusal }
        let place = isAnswered ? "inside the reply" : "before the reply"
        return switch code {
        case CURLE_OPERATION_TIMEDOUT:
            .timeout("\(target): no new connection in time, after the first one broke")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            .broken("\(target): the reply is not HTTP")
        case CURLE_BAD_CONTENT_ENCODING:
            .broken("\(target): the reply's compression is damaged or unknown")
        default:
            .broken(
                "\(target): the connection broke \(place) (\(String(cString: curl_easy_strerror(code))))")
        }
    }

    private var beforeSending: TransportError {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT,
            CURLE_UNKNOWN_OPTION,
            CURLE_NOT_BUILT_IN, CURLE_OUT_OF_MEMORY:
            .request("\(target): \(String(cString: curl_easy_strerror(code)))")
        case CURLE_COULDNT_RESOLVE_HOST:
            .connect(
                "the name of \(target) is not known: check the host in the URL, and this machine's DNS")
        case CURLE_COULDNT_RESOLVE_PROXY:
            .connect(
                "the proxy's name is not known: check the proxy settings, or add the host of \(target) to NO_PROXY"
            )
        case CURLE_OPERATION_TIMEDOUT:
            .connect("no connection to \(target) within \(connectTimeout)")
        case CURLE_COULDNT_CONNECT:
            .connect("no connection to \(target)\(systemReason)")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_CLIENTCERT,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_USE_SSL_FAILED:
            security
        case CURLE_RECV_ERROR where detail.contains("from proxy after CONNECT"), CURLE_PROXY:
            .connect("the proxy would not connect to \(target): \(detail)")
        default:
            .connect("no connection to \(target) (\(String(cString: curl_easy_strerror(code))))")
        }
    }

    /// Which step of TLS failed, and the way out.
    private var security: TransportError {
        // A connection cut inside the handshake says nothing about trust: trying again may help.
        for cut in ["Connection reset", "SSL_ERROR_SYSCALL", "unexpected eof"]
        where detail.contains(cut) {
            return .connect("the connection to \(target) was cut inside the TLS handshake")
        }
        let untrusted = "the server's certificate is signed by an authority that is not trusted: give that certificate"
        let remedies = [
            (
                "certificate has expired",
                "the server's certificate has expired: renew it, or set this machine's clock"
            ),
            (
                "certificate is not yet valid",
                "the server's certificate is not yet valid: check this machine's clock"
            ),
            (
                "unable to get local issuer certificate",
                untrusted
            ),
            (
                "self-signed certificate",
                untrusted
            ),
            (
                "certificate subject name",
                "the server's certificate is for another name: check the host in the URL, or set the TLS server name"
            ),
            (
                "does not match target host name",
                "the server's certificate is for another name: check the host in the URL, or set the TLS server name"
            ),
            (
                "wrong version number",
                "the server does not speak TLS on this port: check scheme and port of the URL"
            ),
        ]
        if let (_, remedy) = remedies.first(where: { detail.contains($0.0) }) {
            return .security("\(target): \(remedy)")
        }
        if let certificateRefusal { return certificateRefusal }
        switch code {
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CLIENTCERT:
            return .security("\(target): our client certificate or its key cannot be used: \(detail)")
        case CURLE_SSL_CACERT_BADFILE:
            return .security(
                "\(target): the authorities' certificates are no PEM that can be read: \(detail)")
        default:
            return .security("\(target): no TLS connection: \(detail)")
        }
    }

    /// The server's word that it does not accept us. In TLS 1.3 it comes only after we think the handshake done, and a
    /// server that says so has not looked at the request.
    private var certificateRefusal: TransportError? {
        let alerts = [
            "alert certificate required", "alert bad certificate", "alert unknown ca",
            "alert certificate expired",
            "alert certificate revoked", "alert certificate unknown", "alert handshake failure",
            "alert unsupported certificate", "alert access denied",
        ]
        guard let alert = alerts.first(where: { detail.contains($0) }) else { return nil }
        return .security(
            "\(target): the server ended the handshake (\(alert)): it wants a client certificate, or refuses ours")
    }

    private var systemReason: String {
        systemError == 0 ? "" : ": \(String(cString: strerror(systemError)))"
    }
}
