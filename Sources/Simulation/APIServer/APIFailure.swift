import HTTPTransport

import enum BusinessPolicy.JSON

/// A refusal by the API server: the `Status` object that it answers with.
package struct APIFailure: Error, Hashable, Sendable {
    package var code: Int
    package var reason: String
    package var message: String
    /// The resource it is about; nil leaves `details` without a name.
    package var details: Details?
    /// `reason` and `message` of each cause.
    package var causes: [Cause] = []
    /// Seconds, as a header and in the details.
    package var retryAfter: Int?

    /// Which resource a refusal is about.
    package struct Details: Hashable, Sendable {
        package var name: String?
        package var kind: String
        package var group: String

        package init(name: String?, kind: String, group: String) {
            self.name = name
            self.kind = kind
            self.group = group
        }
    }

    /// One reason among several.
    package struct Cause: Hashable, Sendable {
        package var reason: String
        package var message: String
        package var field: String?
    }

    package init(
        code: Int, reason: String, message: String, details: Details? = nil, causes: [Cause] = [],
        retryAfter: Int? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.causes = causes
        self.retryAfter = retryAfter
    }

    /// 404 that names the resource.
    static func notFound(_ kind: SimulatedKind, _ name: String) -> APIFailure {
        APIFailure(
            code: 404, reason: "NotFound", message: "\(kind.qualified) \"\(name)\" not found",
            details: Details(name: name, kind: kind.plural, group: kind.group))
    }

    /// 409 for a version or an uid that is not the current one.
    static func conflict(_ kind: SimulatedKind, _ name: String, _ problem: String) -> APIFailure {
        APIFailure(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(kind.qualified) \"\(name)\": \(problem)",
            details: Details(name: name, kind: kind.plural, group: kind.group))
    }

    static func alreadyExists(_ kind: SimulatedKind, _ name: String) -> APIFailure {
        APIFailure(
            code: 409, reason: "AlreadyExists", message: "\(kind.qualified) \"\(name)\" already exists",
            details: Details(name: name, kind: kind.plural, group: kind.group))
    }

    /// 422 for what is wrong with some fields.
    static func invalid(_ kind: SimulatedKind, _ name: String, _ causes: [Cause]) -> APIFailure {
        let problems = causes.map { cause in (cause.field.map { "\($0): " } ?? "") + cause.message }
        let text = problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
        let title = kind.group.isEmpty ? kind.name : "\(kind.name).\(kind.group)"
        return APIFailure(
            code: 422, reason: "Invalid", message: "\(title) \"\(name)\" is invalid: \(text)",
            details: Details(name: name, kind: kind.name, group: kind.group), causes: causes)
    }

    /// 410 for a version that has been compacted away.
    package static func gone(_ requested: Int, oldest: Int) -> APIFailure {
        APIFailure(code: 410, reason: "Expired", message: "too old resource version: \(requested) (\(oldest))")
    }

    /// 410 for a continue token that has been compacted away.
    static let continueExpired = APIFailure(
        code: 410, reason: "Expired",
        message: "The provided continue parameter is too old to display a consistent list result. You can start a new "
            + "list without the continue parameter.")

    /// 504 for a version that is not there yet.
    static func tooLarge(_ requested: Int, current: Int) -> APIFailure {
        APIFailure(
            code: 504, reason: "Timeout",
            message: "Too large resource version: \(requested), current: \(current)",
            causes: [Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")],
            retryAfter: 1)
    }

    package static func badRequest(_ message: String) -> APIFailure {
        APIFailure(code: 400, reason: "BadRequest", message: message)
    }

    package static func forbidden(_ message: String) -> APIFailure {
        APIFailure(code: 403, reason: "Forbidden", message: message)
    }

    package static let unauthorized = APIFailure(code: 401, reason: "Unauthorized", message: "Unauthorized")

    package static func tooManyRequests(retryAfter: Int) -> APIFailure {
        APIFailure(
            code: 429, reason: "TooManyRequests", message: "too many requests, please try again later",
            retryAfter: retryAfter)
    }

    package static let serverError = APIFailure(
        code: 500, reason: "InternalError", message: "Internal error occurred: etcdserver: leader changed")

    /// What a server answers for a kind it does not serve, when it answers in JSON.
    package static let noSuchKind = APIFailure(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource")

    /// The `Status` object.
    var json: JSON {
        var details = JSON.record([:])
        if let subject = self.details {
            if let name = subject.name { details = details.setting(["name"], to: .string(name)) }
            if !subject.group.isEmpty { details = details.setting(["group"], to: .string(subject.group)) }
            details = details.setting(["kind"], to: .string(subject.kind))
        }
        if !causes.isEmpty {
            let list = causes.map { cause in
                let json = JSON.record(["reason": .string(cause.reason), "message": .string(cause.message)])
                return cause.field.map { json.setting(["field"], to: .string($0)) } ?? json
            }
            details = details.setting(["causes"], to: .array(list))
        }
        if let retryAfter { details = details.setting(["retryAfterSeconds"], to: .int(retryAfter)) }
        let head = JSON.record([
            "kind": .string("Status"), "apiVersion": .string("v1"), "metadata": .record([:]),
            "status": .string("Failure"), "message": .string(message), "reason": .string(reason),
        ])
        // Only a kind that is not served is told of with details that say nothing.
        let told = code == 404 || details != .record([:]) ? head.setting(["details"], to: details) : head
        return told.setting(["code"], to: .int(code))
    }

    package var reply: SimulatedReply {
        let headers = retryAfter.map { [HTTPHeader("Retry-After", String($0))] } ?? []
        return .json(code, json.serialized(), headers: headers)
    }
}
