extension EventRecorder {
    /// More occurrences than this out of one reconcile are folded.
    package static let perReconcileMax = 20
    /// So many names of resources stand in a folded message.
    private static let namesShownMax = 5

    /// The occurrences of one reconcile: as they are, or, if they are too many, one per namespace, shown under the
    /// namespace and naming the first resources of each reason.
    ///
    /// A namespace with a single occurrence keeps it, as it says more.
    package static func fold(_ occurrences: [EventOccurrence]) -> [EventOccurrence] {
        guard occurrences.count > perReconcileMax else { return occurrences }
        var namespaces: [String: [EventOccurrence]] = [:]
        for occurrence in occurrences {
            namespaces[occurrence.subject.namespace, default: []].append(occurrence)
        }
        return namespaces.sorted { $0.key < $1.key }.map { namespace, occurrences in
            occurrences.count == 1 ? occurrences[0] : one(of: occurrences, in: namespace)
        }
    }

    private static func one(of occurrences: [EventOccurrence], in namespace: String) -> EventOccurrence {
        var reasons: [String: [EventOccurrence]] = [:]
        for occurrence in occurrences {
            reasons[occurrence.reason, default: []].append(occurrence)
        }
        let hasWarning = occurrences.contains { $0.severity == .warning }
        let sorted = reasons.sorted { left, right in
            let leftIsWarning = left.value.contains { $0.severity == .warning }
            let rightIsWarning = right.value.contains { $0.severity == .warning }
            return leftIsWarning == rightIsWarning ? left.key < right.key : leftIsWarning
        }
        let parts = sorted.map { reason, occurrences in
            let names = Array(Set(occurrences.map(\.subject.name))).sorted()
            let shown = names.prefix(namesShownMax).joined(separator: ", ")
            let rest = names.count - namesShownMax
            let what = names.count == 1 ? "1 resource" : "\(names.count) resources"
            return "\(reason) for \(what) (\(shown)\(rest > 0 ? " and \(rest) more" : ""))"
        }
        return EventOccurrence(
            subject: EventSubject(apiVersion: "v1", kind: "Namespace", namespace: namespace, name: namespace),
            severity: hasWarning ? .warning : .normal,
            reason: sorted.count == 1 ? sorted[0].key : "SeveralChanges",
            message: parts.joined(separator: "; "))
    }
}
