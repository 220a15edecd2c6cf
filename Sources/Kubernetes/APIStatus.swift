/// The API server's own word on why a call failed, or the little that a reply without one allows to say.
///
/// The caller decides by the predicates below and not by codes, because servers of different ages say the same thing
/// in different ways.
package struct APIStatus: Error, Hashable, Sendable {
    /// The HTTP status, or inside a watch the code of the Status object; 0 if there is none.
    package var code: Int
    /// The machine-readable reason, such as `NotFound`; empty if the reply was not a Status.
    package var reason: String
    /// For people: the server's message, or an excerpt of a reply that was not a Status.
    package var message: String
    /// The resource that the server says it is about; a Status gives the plural in `kind`.
    package var detailsName: String?
    package var detailsKind: String?
    package var detailsGroup: String?
    /// The reasons of the single causes, such as `ResourceVersionTooLarge` or `FieldValueInvalid`.
    package var causes: [String]
    /// The messages of the single causes; servers before 1.18.6 say there what newer ones say in the reason.
    package var causeMessages: [String]
    /// The fields that the single causes are about, such as `spec.dport`.
    package var causeFields: [String]
    /// How long the server asks us to stay away.
    package var retryAfter: Duration?

    package init(
        code: Int, reason: String = "", message: String = "", detailsName: String? = nil, detailsKind: String? = nil,
        detailsGroup: String? = nil, causes: [String] = [], causeMessages: [String] = [], causeFields: [String] = [],
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.detailsName = detailsName
        self.detailsKind = detailsKind
        self.detailsGroup = detailsGroup
        self.causes = causes
        self.causeMessages = causeMessages
        self.causeFields = causeFields
        self.retryAfter = retryAfter
    }
}

extension APIStatus {
    /// The resource version asked for is forgotten; only a new list helps. Every 410 counts, whatever its reason.
    package var isGone: Bool { code == 410 || reason == "Gone" || isExpired }

    /// A continue token or an exact resource version is too old: the reason that newer servers give with a 410.
    package var isExpired: Bool { reason == "Expired" }

    /// The server's cache is behind the resource version asked for; an unversioned (quorum) read helps.
    ///
    /// Three spellings, as client-go knows them: a cause's reason (1.18.6 and later), a cause's message (1.17), the
    /// message alone (before).
    package var isResourceVersionTooLarge: Bool {
        guard !causes.contains("ResourceVersionTooLarge") else { return true }
        guard code == 504 || reason == "Timeout" else { return false }
        return causeMessages.contains(Self.tooLarge) || message.contains(Self.tooLarge)
    }

    private static let tooLarge = "Too large resource version"

    /// Something is not there: the resource, its kind, or (from a proxy) the path. See `provesAbsence` for the first.
    package var isNotFound: Bool { code == 404 || reason == "NotFound" }

    /// The object is another than the one the caller looked at: another version, or another uid. Look again.
    ///
    /// For a custom resource, Kubernetes 1.20 says of another uid that this field cannot be changed (422).
    package var isConflict: Bool {
        reason == "Conflict" || (code == 409 && !isAlreadyExists) || causeFields.contains("metadata.uid")
    }

    /// An object of that name is there already.
    package var isAlreadyExists: Bool { reason == "AlreadyExists" }

    /// The server did not take the body: the object breaks its schema, or is no object of that kind.
    package var isInvalid: Bool {
        !isConflict && (code == 422 || code == 400 || reason == "Invalid" || reason == "BadRequest")
    }

    /// We are known, and not allowed to.
    package var isForbidden: Bool { code == 403 || reason == "Forbidden" }

    /// A right is missing in the role that we are bound to; the message then names who, the verb, the resource and
    /// where. Admission refuses as Forbidden, too, and no role helps against that.
    package var lacksRight: Bool {
        isForbidden && message.contains(" cannot ") && message.contains(" resource \"")
    }

    /// We are not known: the credential is missing, wrong or expired.
    package var isUnauthorized: Bool { code == 401 || reason == "Unauthorized" }

    /// The server (or its priority and fairness) asks us to slow down; `retryAfter` may say for how long.
    package var isTooManyRequests: Bool { code == 429 || reason == "TooManyRequests" }

    /// The server has a trouble of its own, which may pass.
    package var isServerError: Bool { code >= 500 || Self.serverReasons.contains(reason) }

    private static let serverReasons: Set = ["InternalError", "ServiceUnavailable", "ServerTimeout", "Timeout"]

    /// Whether the server says of this very resource that it is not there.
    ///
    /// A 404 may also come from a proxy, from a wrong URL or because the kind itself is gone; none of these may delete
    /// a rule. Only a Status whose details name the resource, its kind and its group is proof.
    package func provesAbsence(of name: String, kind: ResourceKind) -> Bool {
        code == 404 && reason == "NotFound" && detailsName == name && detailsKind == kind.plural
            && (detailsGroup ?? "") == kind.group
    }
}

extension APIStatus: CustomStringConvertible {
    package var description: String {
        let said = [reason, message].filter { !$0.isEmpty }.joined(separator: ": ")
        return said.isEmpty ? "the API server answered \(code)" : "the API server answered \(code) \(said)"
    }
}
