import HTTPTransport

/// One way in which a call to the VCO goes wrong.
package enum OrchestratorFault: Hashable, Sendable {
    /// The answer waits; another fault, or none, decides what it is.
    case latency(milliseconds: Int64)
    /// 429 before the effect.
    case tooManyRequests(retryAfter: Int? = nil)
    /// 500 with the common error object, before the effect.
    case serverError
    /// 503 with HTML, as a web tier under maintenance answers.
    case unavailable
    /// Refused as if the token were wrong, in the way the modes say.
    case unauthorized
    /// 200 with an error object.
    case errorObject(String)
    /// 200 with an error string and `rows` 0.
    case errorText(String)
    /// An update that answers `{"rows":0}` and does nothing.
    case rowsZero
    /// 200 with `null`.
    case null
    /// The connection ends without an answer, and nothing was done.
    case dropBefore
    /// The connection ends without an answer, after the work was done.
    case dropAfter
    /// A read answers what was there before the last write.
    case staleRead
    /// This VCO is the standby of a pair: it refuses every call.
    case standby
    /// Any answer at all, before the effect.
    case reply(SimulatedReply)

    /// The fault's name in logs and on the control endpoint.
    package var name: String {
        switch self {
        case .latency: "latency"
        case .tooManyRequests: "429"
        case .serverError: "500"
        case .unavailable: "503"
        case .unauthorized: "401"
        case .errorObject: "error-object"
        case .errorText: "error-text"
        case .rowsZero: "rows-0"
        case .null: "null"
        case .dropBefore: "drop-before"
        case .dropAfter: "drop-after"
        case .staleRead: "stale-read"
        case .standby: "standby"
        case .reply: "reply"
        }
    }
}

/// A fault, and the calls that it befalls.
package struct FaultRule: Hashable, Sendable {
    package var fault: OrchestratorFault
    /// The full name of a method, such as `configuration/updateConfigurationModule`; nil for every call.
    package var method: String?
    /// How many calls it befalls; nil for as many as come.
    package var calls: Int?
    /// Matching calls that pass unharmed first.
    package var skipped: Int
    /// Wall clock milliseconds after which it is over; nil for never.
    package var until: Int64?

    package init(
        _ fault: OrchestratorFault, method: String? = nil, calls: Int? = 1, skipping skipped: Int = 0,
        until: Int64? = nil
    ) {
        self.fault = fault
        self.method = method
        self.calls = calls
        self.skipped = skipped
        self.until = until
    }
}

/// The faults that wait for their calls, in the order in which they were set.
struct FaultBook: Hashable, Sendable {
    private(set) var rules: [FaultRule] = []

    mutating func add(_ rule: FaultRule) {
        rules.append(rule)
    }

    mutating func clear() {
        rules = []
    }

    /// What befalls this call: every latency that matches, and the first other fault that does.
    mutating func take(method: String, now: Int64) -> (latency: Int64, fault: OrchestratorFault?) {
        rules.removeAll { $0.until.map { $0 <= now } ?? false }
        var latency: Int64 = 0
        var fault: OrchestratorFault?
        for index in rules.indices where rules[index].method == nil || rules[index].method == method {
            if case .latency(let milliseconds) = rules[index].fault {
                if consume(index) { latency += milliseconds }
            } else if fault == nil, consume(index) {
                fault = rules[index].fault
            }
        }
        rules.removeAll { $0.calls == 0 }
        return (latency, fault)
    }

    /// Counts a call against a rule; false while the rule still lets calls pass, or is used up.
    private mutating func consume(_ index: Int) -> Bool {
        if rules[index].skipped > 0 {
            rules[index].skipped -= 1
            return false
        }
        guard let calls = rules[index].calls else { return true }
        guard calls > 0 else { return false }
        rules[index].calls = calls - 1
        return true
    }
}

/// What a simulated server is asked.
package struct SimulatedRequest: Hashable, Sendable {
    package var method: String
    /// Path and query.
    package var target: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(_ method: String, _ target: String, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// The target without its query.
    package var path: String {
        String(target.prefix { $0 != "?" })
    }

    /// The first header of that name, without regard to case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// What a simulated server answers.
package struct SimulatedReply: Hashable, Sendable {
    package var status: Int
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer in JSON.
    static func json(_ status: Int, _ body: [UInt8], headers: [HTTPHeader] = []) -> SimulatedReply {
        SimulatedReply(status: status, headers: [HTTPHeader("Content-Type", "application/json")] + headers, body: body)
    }

    /// An answer as a web page.
    static func html(_ status: Int, title: String, headers: [HTTPHeader] = []) -> SimulatedReply {
        let page = "<!DOCTYPE html><html><head><title>\(title)</title></head><body></body></html>"
        return SimulatedReply(
            status: status, headers: [HTTPHeader("Content-Type", "text/html")] + headers, body: Array(page.utf8))
    }
}
