/// Why a call to the VCO did not do what was asked: one case for each thing that a caller can do next.
///
/// The texts name the VCO, the method and what to do; they never hold the token.
package enum OrchestratorError: Error, Hashable, Sendable {
    /// No answer, or a failing server (5xx): try again with backoff. An update with this error was not sent.
    case unreachable(String)
    /// The VCO's rate limiter turned the call away unread: no call to this VCO before the pause is over.
    case rateLimited(retryAfter: Duration?)
    /// The token is not accepted: no more writes until the credential changes.
    case authentication(String)
    /// The token's role lacks a privilege: nothing changes until its owner changes the role.
    case permission(String)
    /// The VCO looked at the content and refused it; `faults` are its own findings, each `path: message`.
    case rejected(message: String, faults: [String])
    /// The VCO said that it did not do it, without a finding about the content.
    case failed(String)
    /// An update whose answer was lost or unclear: it may or may not have happened, so read before anything else.
    case outcomeUnknown(String)
    /// An answer that is not what the method promises: often a wrong VCO URL.
    case unreadable(String)
}

extension OrchestratorError: CustomStringConvertible {
    /// What people read, in a log line or in a condition.
    package var description: String {
        switch self {
        case .unreachable(let words), .authentication(let words), .permission(let words), .failed(let words),
            .outcomeUnknown(let words), .unreadable(let words):
            words
        case .rateLimited(let pause):
            "the VCO's rate limiter answered 429; all calls to it pause for \(pause ?? CallPause.afterRateLimit)"
        case .rejected(let message, let faults):
            faults.isEmpty ? message : message + " (" + faults.joined(separator: "; ") + ")"
        }
    }
}

/// How a call ended, for the label of a metric: the same classes as the errors, and `ok`.
package enum CallResult: String, CaseIterable, Sendable {
    /// The VCO did what was asked.
    case ok
    case unreachable
    case rateLimited = "rate_limited"
    case authentication
    case permission
    case rejected
    case failed
    case outcomeUnknown = "outcome_unknown"
    case unreadable
    /// The token's or the CA's file cannot be used, so that nothing was sent.
    case noCredential = "no_credential"

    package init(_ error: OrchestratorError) {
        self =
            switch error {
            case .unreachable: .unreachable
            case .rateLimited: .rateLimited
            case .authentication: .authentication
            case .permission: .permission
            case .rejected: .rejected
            case .failed: .failed
            case .outcomeUnknown: .outcomeUnknown
            case .unreadable: .unreadable
            }
    }
}
