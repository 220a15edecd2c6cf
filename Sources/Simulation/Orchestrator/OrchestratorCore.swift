import HTTPTransport

import enum BusinessPolicy.JSON

/// The whole simulated VCO as one value: what it keeps, how it behaves, what befalls it next, and what it was asked.
struct OrchestratorCore: Sendable {
    var state: OrchestratorState
    var modes = OrchestratorModes()
    var faults = FaultBook()
    var limiter = RateLimiter()
    var log = CallLog()
    /// The one token that is right; nil takes any that is not empty.
    var token: String?
    /// Edits that happen just before the next call of a method.
    var pendingEdits: [(method: String, edit: PortalEdit, isQuiet: Bool)] = []

    /// A call on its way: what was decided when it arrived.
    struct Arrival: Sendable {
        var request: SimulatedRequest
        var call: Call
        var isOverQuota: Bool
        var latency: Int64
        var fault: OrchestratorFault?
    }

    /// What a request asks for, whichever interface it came by.
    enum Call: Sendable {
        case rest(method: String)
        /// The id is echoed as it was spelt.
        case rpc(method: String, id: [UInt8], params: [UInt8])
        /// No call at all: the answer is known.
        case none(SimulatedReply)

        var method: String {
            switch self {
            case .rest(let method), .rpc(let method, _, _): method
            case .none: "-"
            }
        }
    }

    mutating func begin(_ request: SimulatedRequest, now: Int64) -> Arrival {
        let call = Self.call(of: request)
        let isAdmitted = limiter.admit(modes.rateLimit, now: now)
        limiter.began()
        let (latency, fault) = faults.take(method: call.method, now: now)
        return Arrival(request: request, call: call, isOverQuota: !isAdmitted, latency: latency, fault: fault)
    }

    mutating func finish(_ arrival: Arrival, now: Int64) -> OrchestratorSimulator.Answer {
        limiter.ended()
        let (answer, rows) = answer(to: arrival, now: now)
        var fault = arrival.fault?.name ?? (arrival.isOverQuota ? "quota" : nil)
        if fault == nil, arrival.latency > 0 { fault = "latency" }
        log.add(
            .init(
                number: 0, at: now, method: arrival.call.method, status: answer.reply?.status, rows: rows, fault: fault)
        )
        return answer
    }

    private static func call(of request: SimulatedRequest) -> Call {
        let path = request.path
        guard path.hasPrefix("/portal") else { return .none(.html(404, title: "404 Not Found")) }
        guard request.method == "POST" else {
            let allow = [HTTPHeader("Allow", "POST")]
            return .none(.json(405, MethodFailure(message: "only POST").bodyBytes, headers: allow))
        }
        if path.hasPrefix("/portal/rest/") {
            return .rest(method: String(path.dropFirst("/portal/rest/".count)))
        }
        guard path == "/portal" || path == "/portal/" else { return .none(.html(404, title: "404 Not Found")) }
        guard let fields = try? JSONText.fields(of: request.body),
            let method = fields.last(where: { $0.name == "method" }).flatMap({ try? JSONText.text(of: $0.value) })
        else { return .none(MethodFailure(code: -32700, message: "no JSON-RPC request").reply) }
        return .rpc(
            method: method, id: fields.last { $0.name == "id" }?.value ?? Array("null".utf8),
            params: fields.last { $0.name == "params" }?.value ?? [])
    }

    private mutating func answer(to arrival: Arrival, now: Int64) -> (OrchestratorSimulator.Answer, Int?) {
        if arrival.isOverQuota {
            return (.reply(.tooManyRequests(retryAfter: modes.rateLimit?.retryAfter)), nil)
        }
        if case .none(let reply) = arrival.call { return (.reply(reply), nil) }
        if let early = early(arrival) { return (early, nil) }
        if !isAuthorized(arrival.request) { return (.reply(.unauthorized(modes.authFailure)), nil) }
        let method = arrival.call.method
        let due = pendingEdits.filter { $0.method == method }
        pendingEdits.removeAll { $0.method == method }
        for edit in due { try? state.apply(edit.edit, isQuiet: edit.isQuiet, now: now) }
        let (reply, rows) = reply(to: arrival, now: now)
        return (arrival.fault == .dropAfter ? .drop : .reply(reply), rows)
    }

    /// What a fault answers before anything is done; nil when the call goes on.
    private func early(_ arrival: Arrival) -> OrchestratorSimulator.Answer? {
        func failure(_ failure: MethodFailure) -> OrchestratorSimulator.Answer { .reply(failure.reply) }
        switch arrival.fault {
        case nil, .latency, .dropAfter, .staleRead: return nil
        case .tooManyRequests(let seconds): return .reply(.tooManyRequests(retryAfter: seconds))
        case .serverError: return failure(MethodFailure(status: 500, message: MethodFailure.generic))
        case .unavailable: return .reply(.html(503, title: "503 Service Temporarily Unavailable"))
        case .unauthorized: return .reply(.unauthorized(modes.authFailure))
        case .errorObject(let message): return failure(MethodFailure(status: 200, message: message))
        case .errorText(let message):
            return .reply(.json(200, JSON.record(["error": .string(message), "rows": .int(0)]).serialized()))
        case .rowsZero: return .reply(.json(200, JSON.record(["rows": .int(0)]).serialized()))
        case .null: return .reply(.json(200, JSON.null.serialized()))
        case .dropBefore: return .drop
        case .standby: return failure(MethodFailure(status: 503, message: "this orchestrator is in standby"))
        case .reply(let reply): return .reply(reply)
        }
    }

    private func isAuthorized(_ request: SimulatedRequest) -> Bool {
        guard let header = request.header("Authorization"), header.hasPrefix("Token ") else { return false }
        let sent = header.dropFirst("Token ".count)
        return token.map { $0 == sent } ?? !sent.isEmpty
    }

    private mutating func reply(to arrival: Arrival, now: Int64) -> (SimulatedReply, rows: Int?) {
        let isStale = arrival.fault == .staleRead
        do {
            switch arrival.call {
            case .rest(let method):
                let result = try guarded(method, arrival.request.body, isStale: isStale, now: now)
                return (.json(200, result), Self.rows(result))
            case .rpc(let method, let id, let params):
                let result = try guarded(method, params, isStale: isStale, now: now)
                return (.json(200, Self.envelope(id, "result", result)), Self.rows(result))
            case .none(let reply): return (reply, nil)
            }
        } catch {
            guard case .rpc(_, let id, _) = arrival.call else { return (error.reply, nil) }
            return (.json(200, Self.envelope(id, "error", error.json.serialized())), nil)
        }
    }

    /// Carries a method out if the caller may.
    private mutating func guarded(
        _ method: String, _ body: [UInt8], isStale: Bool, now: Int64
    ) throws(MethodFailure) -> [UInt8] {
        let parameters = try MethodParameters(body)
        let isMissing = modes.missingPrivilege == .all || modes.missingPrivilege == .update && Self.writes(method)
        if isMissing, method != "system/getVersionInfo" {
            let privilege = Self.writes(method) ? "UPDATE" : "READ"
            throw MethodFailure(
                status: modes.privilegeStatus,
                message: "missing privilege \(privilege) ENTERPRISE_PROFILE for \(method)")
        }
        let enterprise = parameters.json("enterpriseId")
        if Self.concernsCustomer(method) {
            if modes.requiresEnterpriseID, enterprise == nil {
                let fault = MethodFailure.Fault(path: "enterpriseId", message: "is required for this user")
                throw .invalid([fault], isVague: modes.hasVagueErrors)
            }
            if let enterprise, enterprise.int != state.enterprise.value(at: ["id"])?.int {
                throw MethodFailure(status: modes.privilegeStatus, message: "missing privilege for this enterprise")
            }
        }
        return try perform(method, parameters, isStale: isStale, now: now)
    }

    private static func envelope(_ id: [UInt8], _ name: String, _ value: [UInt8]) -> [UInt8] {
        JSONText.object([
            .init(name: "jsonrpc", value: Array("\"2.0\"".utf8)), .init(name: "id", value: id),
            .init(name: name, value: value),
        ])
    }

    /// `rows` of a write's result.
    private static func rows(_ result: [UInt8]) -> Int? {
        guard result.count < 200 else { return nil }
        return (try? JSON.parse(result))?.value(at: ["rows"])?.int
    }
}

extension MethodFailure {
    fileprivate var bodyBytes: [UInt8] {
        JSON.record(["error": json]).serialized()
    }
}
