import HTTPTransport

/// Why a call to the API server failed; cases are named for the step that failed.
package enum KubernetesError: Error, Hashable, Sendable {
    /// The server answered, and not with a success.
    case status(APIStatus)
    /// The transfer did not come to its end; a silent watch is `.transport(.timeout)`.
    case transport(TransportError)
    /// The server answered with a success that is not what was asked for: no JSON, another kind.
    case unreadable(String)
    /// A credential of ours (token, certificate, key) could not be read; nothing was sent.
    case credential(String)
}

extension KubernetesError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .status(let status): status.description
        case .transport(let error): Self.words(for: error)
        case .unreadable(let problem): "the API server's reply cannot be used: \(problem)"
        case .credential(let problem): "the credential for the API server cannot be used: \(problem)"
        }
    }

    private static func words(for error: TransportError) -> String {
        switch error {
        case .request(let problem): "the request to the API server was not sent: \(problem)"
        case .connect(let problem): "the API server cannot be reached: \(problem)"
        case .security(let problem): "no secure connection to the API server: \(problem)"
        case .broken(let problem): "the connection to the API server broke: \(problem)"
        case .timeout(let problem): "the API server took too long: \(problem)"
        case .bodyTooLarge(let limit): "the API server's reply is larger than \(limit) bytes"
        case .cancelled: "the call to the API server was cancelled"
        }
    }
}

/// A configuration that cannot work: the words say which file and entry, and what to do. The process ends with code 2.
///
/// No secret ever stands in it.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
