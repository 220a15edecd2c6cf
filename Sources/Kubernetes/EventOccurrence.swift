import BusinessPolicy

/// The resource that an Event is shown under.
package struct EventSubject: Hashable, Sendable {
    package var apiVersion: String
    package var kind: String
    package var namespace: String
    package var name: String
    package var uid: String?
    package var resourceVersion: String?

    package init(
        apiVersion: String, kind: String, namespace: String, name: String, uid: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    /// A VelocloudBP, or another kind of our group.
    package init(_ owner: Owner, kind: String = "VelocloudBP", resourceVersion: String? = nil) {
        self.init(
            apiVersion: "vcn.cloud/v1", kind: kind, namespace: owner.namespace, name: owner.name, uid: owner.uid,
            resourceVersion: resourceVersion)
    }
}

/// Something worth an Event that happened to a resource.
package struct EventOccurrence: Hashable, Sendable {
    /// As Kubernetes knows them: a warning is for someone to act on.
    package enum Severity: String, Hashable, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    package var subject: EventSubject
    package var severity: Severity
    /// One word in UpperCamelCase, such as `RuleAdded`.
    package var reason: String
    /// For people; cut at 1024 bytes.
    package var message: String

    package init(subject: EventSubject, severity: Severity, reason: String, message: String) {
        self.subject = subject
        self.severity = severity
        self.reason = reason
        self.message = message.held(toBytes: Self.messageBytesMax)
    }

    static let messageBytesMax = 1024
}

/// One write of an Event: what `EventRecorder` asks its caller for.
package struct EventWrite: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// Make a new Event; the name in it is ours, so a repeated create is refused and does no harm.
        case create(JSON)
        /// Merge into the Event of that name.
        case patch(name: String, JSON)
    }

    package var namespace: String
    package var action: Action
    /// The whole Event: to be created when the one to patch is not found, since the server drops Events after an hour.
    package var event: JSON
}

extension String {
    /// The text itself, or its beginning with an ellipsis if it has more bytes than that; never half a character.
    func held(toBytes bytesMax: Int) -> String {
        guard utf8.count > bytesMax else { return self }
        var end = utf8.index(startIndex, offsetBy: bytesMax - "…".utf8.count)
        while end > startIndex, end.samePosition(in: self) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end]) + "…"
    }
}
