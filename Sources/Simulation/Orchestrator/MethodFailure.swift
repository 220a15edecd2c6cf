import HTTPTransport

import enum BusinessPolicy.JSON

/// A call that was understood and refused; the interfaces spell it each in its way.
struct MethodFailure: Error, Hashable {
    /// HTTP status on the REST-like interface; JSON-RPC answers 200.
    var status: Int
    var code: Int?
    var message: String
    /// What is wrong in the request, by path; nil leaves `data` out.
    var faults: [Fault]?

    /// One thing wrong at one place.
    struct Fault: Hashable {
        var path: String
        var message: String
    }

    init(status: Int = 400, code: Int? = -32603, message: String, faults: [Fault]? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.faults = faults
    }

    static let generic = "An error occurred while processing your request"

    /// 400 with what is wrong, or without, as old releases do.
    static func invalid(_ faults: [Fault], isVague: Bool) -> MethodFailure {
        isVague
            ? MethodFailure(code: -32600, message: generic)
            : MethodFailure(code: -32600, message: "validation failed", faults: faults)
    }

    static let unknownMethod = MethodFailure(message: "methodError")

    /// The `error` object.
    var json: JSON {
        var error = JSON.record([:])
        if let code { error = error.setting(["code"], to: .int(code)) }
        error = error.setting(["message"], to: .string(message))
        guard let faults else { return error }
        let list = faults.map { fault in
            JSON.record([
                "code": .string("invalid"), "message": .string(fault.message), "path": .string(fault.path),
            ])
        }
        let data = JSON.record(["valid": .bool(false), "error": .array(list), "warning": .array([])])
        return error.setting(["data"], to: data)
    }

    var reply: SimulatedReply {
        .json(status, JSON.record(["error": json]).serialized())
    }
}

extension SimulatedReply {
    /// 429 as a VCO answers in its penalty time.
    static func tooManyRequests(retryAfter: Int?) -> SimulatedReply {
        let headers = retryAfter.map { [HTTPHeader("Retry-After", String($0))] } ?? []
        let body = JSON.record(["error": MethodFailure(message: "Too Many Requests").json])
        return .json(429, body.serialized(), headers: headers)
    }

    /// A refusal of the credentials, in the way the modes say.
    static func unauthorized(_ mode: OrchestratorModes.AuthFailure) -> SimulatedReply {
        switch mode {
        case .unauthorized: MethodFailure(status: 401, message: "tokenError [invalid token]").reply
        case .tokenError: MethodFailure(status: 200, code: nil, message: "tokenError [expired token]").reply
        case .redirect: .html(302, title: "Login", headers: [HTTPHeader("Location", "/login/")])
        }
    }
}
