import HTTPTransport

import enum BusinessPolicy.JSON

/// Why a control request was refused, in words for the person who typed it.
struct ControlProblem: Error, Hashable {
    var text: String
    var status = 400

    init(_ text: String, status: Int = 400) {
        self.text = text
        self.status = status
    }
}

/// The members of a control request; a member that nobody asks for is a mistake, and is said to be one.
struct ControlBody {
    private let fields: [JSONText.Field]

    init(_ bytes: [UInt8], known: [String]) throws(ControlProblem) {
        guard let fields = try? JSONText.fields(of: bytes) else {
            throw ControlProblem("the body must be a JSON object")
        }
        if let stranger = fields.first(where: { !known.contains($0.name) }) {
            throw ControlProblem("unknown member \(stranger.name); known are \(known.joined(separator: ", "))")
        }
        self.fields = fields
    }

    func raw(_ name: String) -> [UInt8]? {
        fields.last { $0.name == name }?.value
    }

    func json(_ name: String) throws(ControlProblem) -> JSON? {
        guard let raw = raw(name) else { return nil }
        guard let json = try? JSON.parse(raw) else { throw ControlProblem("\(name) is not JSON") }
        return json == .null ? nil : json
    }

    func text(_ name: String) throws(ControlProblem) -> String? {
        guard let json = try json(name) else { return nil }
        guard let text = json.string else { throw ControlProblem("\(name) must be a string") }
        return text
    }

    func number(_ name: String) throws(ControlProblem) -> Int? {
        guard let json = try json(name) else { return nil }
        guard let number = json.int, number >= 0 else { throw ControlProblem("\(name) must be a whole number") }
        return number
    }

    func flag(_ name: String) throws(ControlProblem) -> Bool {
        guard let json = try json(name) else { return false }
        guard let flag = json.bool else { throw ControlProblem("\(name) must be true or false") }
        return flag
    }

    func required(_ name: String) throws(ControlProblem) -> String {
        guard let text = try text(name) else { throw ControlProblem("\(name) is required") }
        return text
    }
}

extension FaultRule {
    /// What a fault may be called.
    static let names = [
        "latency", "429", "500", "503", "401", "error-object", "error-text", "rows-0", "null", "drop-before",
        "drop-after", "stale-read", "standby", "reply",
    ]

    /// A fault as the control endpoint and the command line take it.
    init(control bytes: [UInt8], now: Int64) throws(ControlProblem) {
        let known = [
            "fault", "method", "calls", "skip", "for-ms", "ms", "message", "retry-after", "status", "content-type",
            "body",
        ]
        let body = try ControlBody(bytes, known: known)
        let name = try body.required("fault")
        guard let fault = try OrchestratorFault(name, body) else {
            throw ControlProblem("no fault \(name); faults are \(Self.names.joined(separator: ", "))")
        }
        let forMilliseconds = try body.number("for-ms")
        // Once, unless a number or a time is given; `"calls": null` means until the faults are cleared.
        let calls = try body.raw("calls") == nil && forMilliseconds == nil ? 1 : body.number("calls")
        self.init(
            fault, method: try body.text("method"), calls: calls, skipping: try body.number("skip") ?? 0,
            until: forMilliseconds.map { now + Int64($0) })
    }

    /// The fault as it waits.
    var json: JSON {
        .record([
            "fault": .string(fault.name), "method": method.map { .string($0) } ?? .null,
            "calls": calls.map { .int($0) } ?? .null, "skip": .int(skipped),
            "until": until.map { .int(Int($0)) } ?? .null,
        ])
    }
}

extension OrchestratorFault {
    /// A fault by its name; nil for a name that is none.
    fileprivate init?(_ name: String, _ body: ControlBody) throws(ControlProblem) {
        let message = try body.text("message") ?? "made to fail"
        switch name {
        case "latency": self = .latency(milliseconds: Int64(try body.number("ms") ?? 1000))
        case "429": self = .tooManyRequests(retryAfter: try body.number("retry-after"))
        case "500": self = .serverError
        case "503": self = .unavailable
        case "401": self = .unauthorized
        case "error-object": self = .errorObject(message)
        case "error-text": self = .errorText(message)
        case "rows-0": self = .rowsZero
        case "null": self = .null
        case "drop-before": self = .dropBefore
        case "drop-after": self = .dropAfter
        case "stale-read": self = .staleRead
        case "standby": self = .standby
        case "reply":
            let type = HTTPHeader("Content-Type", try body.text("content-type") ?? "application/json")
            let text = try body.text("body") ?? ""
            self = .reply(
                SimulatedReply(status: try body.number("status") ?? 200, headers: [type], body: Array(text.utf8)))
        default: return nil
        }
    }
}

extension PortalEdit {
    /// What an edit may be called.
    static let names = [
        "set-member", "add-rule", "delete-rule", "reorder", "rename-profile", "delete-profile", "create-profile",
        "rename-segment", "delete-segment", "create-segment", "replace-data", "touch", "upgrade",
    ]

    static let members = [
        "edit", "profile", "segment", "rule", "path", "value", "index", "rules", "to", "name", "id", "data",
        "release", "quiet", "before",
    ]

    /// An edit as the control endpoint takes it.
    init(control body: ControlBody) throws(ControlProblem) {
        let segment = try body.text("segment") ?? "Global Segment"
        let name = try body.required("edit")
        switch name {
        case "create-profile": self = .createProfile(name: try body.required("name"))
        case "upgrade":
            let text = try body.required("release")
            guard let release = OrchestratorModes.Release(rawValue: text) else {
                let all = OrchestratorModes.Release.allCases.map(\.rawValue)
                throw ControlProblem("release is one of \(all.joined(separator: ", "))")
            }
            self = .upgrade(release)
        case "rename-profile": self = .renameProfile(try Self.profile(body), to: try body.required("to"))
        case "delete-profile": self = .deleteProfile(try Self.profile(body))
        case "rename-segment":
            self = .renameSegment(try Self.profile(body), segment: segment, to: try body.required("to"))
        case "delete-segment": self = .deleteSegment(try Self.profile(body), segment: segment)
        case "create-segment":
            let id = try body.number("id") ?? 9
            self = .createSegment(try Self.profile(body), name: try body.required("name"), id: id)
        case "touch": self = .touch(try Self.profile(body))
        case "replace-data":
            guard let data = body.raw("data") else { throw ControlProblem("data is required") }
            self = .replaceData(try Self.profile(body), data)
        case "set-member", "add-rule", "delete-rule", "reorder":
            self = try Self.ofRule(name, try Self.profile(body), segment, body)
        default: throw ControlProblem("no edit \(name); edits are \(Self.names.joined(separator: ", "))")
        }
    }

    private static func ofRule(
        _ name: String, _ profile: ProfileKey, _ segment: String, _ body: ControlBody
    ) throws(ControlProblem) -> PortalEdit {
        switch name {
        case "set-member":
            // An explicit null is a value here; no value at all takes the member away.
            let value = try body.raw("value") == nil ? nil : body.json("value") ?? JSON.null
            return .setMember(
                profile, segment: segment, rule: try body.required("rule"), path: try body.required("path"),
                value: value)
        case "add-rule":
            guard let rule = try body.json("rule"), rule.members != nil else {
                throw ControlProblem("rule must be an object: the rule to add")
            }
            return .addRule(profile, segment: segment, index: try body.number("index"), rule: rule)
        case "delete-rule": return .deleteRule(profile, segment: segment, rule: try body.required("rule"))
        default:
            guard let rules = try body.json("rules")?.array?.compactMap(\.string), !rules.isEmpty else {
                throw ControlProblem("rules must be a list of names")
            }
            return .reorder(profile, segment: segment, rules: rules)
        }
    }

    private static func profile(_ body: ControlBody) throws(ControlProblem) -> ProfileKey {
        guard let json = try body.json("profile") else { throw ControlProblem("profile is required: an id or a name") }
        if let id = json.int { return .id(id) }
        if let name = json.string { return .name(name) }
        throw ControlProblem("profile must be an id or a name")
    }
}
