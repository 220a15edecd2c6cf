import HTTPTransport

/// One kind of call to the API server, as it is counted. Every value is one of few.
package struct KubernetesCall: Hashable, Comparable, Sendable {
    package enum Verb: String, CaseIterable, Sendable {
        case create, get, list, patch, watch
    }

    /// How a call went.
    package enum Result: String, CaseIterable, Sendable {
        /// The server did what was asked; of a watch, that it began.
        case ok
        /// The server, or the way to it, gave no whole answer.
        case unreachable
        /// The server does not know our credential, or there is none that could be sent.
        case unauthorized
        /// No role gives us the right.
        case forbidden
        /// The object, or its kind, is not there (any more).
        case notFound = "not_found"
        /// The object is not as we saw it any more.
        case conflict
        /// The server wants us to slow down.
        case throttled
        /// The server does not take what was sent: schema, admission, a version that is too old.
        case rejected
        /// The server has a trouble of its own.
        case failed
        /// What came was not what was asked for.
        case unreadable
    }

    package var verb: Verb
    /// `velocloudbps`, or with its subresource `velocloudbps/status`.
    package var resource: String
    package var result: Result

    package init(verb: Verb, resource: String, result: Result) {
        self.verb = verb
        self.resource = resource
        self.result = result
    }

    /// By resource, verb and result: the order of the rendered text.
    package static func < (left: KubernetesCall, right: KubernetesCall) -> Bool {
        (left.resource, left.verb.rawValue, left.result.rawValue)
            < (right.resource, right.verb.rawValue, right.result.rawValue)
    }
}

extension KubernetesCall.Result {
    /// What a failed call counts as; nil for one that we broke off ourselves.
    package init?(_ error: KubernetesError) {
        switch error {
        case .transport(let error):
            switch error {
            case .cancelled: return nil
            case .bodyTooLarge: self = .unreadable
            case .request, .connect, .security, .broken, .timeout: self = .unreachable
            }
        case .unreadable: self = .unreadable
        case .credential: self = .unauthorized
        case .status(let status): self.init(status)
        }
    }

    private init(_ status: APIStatus) {
        self =
            if status.isUnauthorized {
                .unauthorized
            } else if status.lacksRight {
                .forbidden
            } else if status.isNotFound {
                .notFound
            } else if status.isConflict || status.isAlreadyExists {
                .conflict
            } else if status.isTooManyRequests {
                .throttled
            } else if status.isServerError {
                .failed
            } else {
                .rejected
            }
    }
}

extension KubernetesClient {
    /// Makes a call and tells the observer how it went.
    func counted<Value>(
        _ verb: KubernetesCall.Verb, _ resource: String, _ call: () async throws(KubernetesError) -> Value
    ) async throws(KubernetesError) -> Value {
        do throws(KubernetesError) {
            let value = try await call()
            onCall(KubernetesCall(verb: verb, resource: resource, result: .ok))
            return value
        } catch {
            if let result = KubernetesCall.Result(error) {
                onCall(KubernetesCall(verb: verb, resource: resource, result: result))
            }
            throw error
        }
    }
}
