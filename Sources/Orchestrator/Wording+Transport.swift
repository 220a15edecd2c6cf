import HTTPTransport

extension Wording {
    /// The error for a transfer that ended without its whole reply.
    ///
    /// A read can always be repeated. An update can only be called unsent when the server cannot have seen it.
    func lost(_ error: TransportError, isCertainlyUnsent: Bool) -> OrchestratorError {
        let words = self.words(error)
        if method.isUpdate, !isCertainlyUnsent {
            return .outcomeUnknown(self(words + "; the write may have happened"))
        }
        if case .bodyTooLarge = error {
            return .unreadable(self(words))
        }
        return .unreachable(self(words))
    }

    private func words(_ error: TransportError) -> String {
        switch error {
        case .request(let problem): "could not be sent: \(quotation(problem))"
        case .connect(let problem): "cannot connect: \(quotation(problem))"
        case .security(let problem):
            "no trusted connection: \(quotation(problem)). Check the VCO's certificate, or give its CA with --vco-ca"
        case .broken(let problem): "the connection broke: \(quotation(problem))"
        case .timeout(let problem): "no answer in time: \(quotation(problem))"
        case .bodyTooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .cancelled: "was cancelled"
        }
    }
}

extension Reply {
    /// True for the statuses that need no body to be understood.
    var isDecidedByStatus: Bool {
        switch status {
        case 429, 401, 300..<400: true
        default: false
        }
    }
}
