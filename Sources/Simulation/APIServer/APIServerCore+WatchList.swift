import enum BusinessPolicy.JSON

/// Watches that begin with the state of all objects.
extension APIServerCore {
    /// The lines that such a watch begins with; nil for an ordinary one.
    ///
    /// A server that does not know them refuses their parameters, in the words of Kubernetes 1.20.
    func initialEvents(_ call: APICall) throws(APIFailure) -> [UInt8]? {
        let match = call.query["resourceVersionMatch"]
        let isAsked = ["true", "1"].contains(call.query["sendInitialEvents"] ?? "")
        guard isAsked || match != nil else { return nil }
        guard modes.servesWatchList else {
            throw Self.invalidOption("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch")
        }
        guard isAsked, match == "NotOlderThan" else {
            throw Self.invalidOption(
                "sendInitialEvents", "Forbidden: sendInitialEvents requires resourceVersionMatch NotOlderThan")
        }
        let version = call.query["resourceVersion"] ?? ""
        guard let wanted = version.isEmpty ? 0 : Int(version) else {
            throw .badRequest("Invalid value: \"\(version)\"")
        }
        if wanted > store.version { throw .tooLarge(wanted, current: store.version) }
        guard !modes.stallsWatches else { return [] }
        let objects = store.resources(call.kind, namespace: call.namespace)
        let end = JSON.record([
            "kind": .string(call.kind.name), "apiVersion": .string(call.kind.apiVersion),
            "metadata": .record([
                "resourceVersion": .string(String(store.version)),
                "annotations": .record(["k8s.io/initial-events-end": .string("true")]),
            ]),
        ])
        return objects.flatMap { Self.line("ADDED", $0.value.bytes) } + Self.line("BOOKMARK", end.serialized())
    }

    private static func invalidOption(_ field: String, _ problem: String) -> APIFailure {
        APIFailure(
            code: 422, reason: "Invalid",
            message: "ListOptions.meta.k8s.io \"\" is invalid: \(field): \(problem)",
            causes: [.init(reason: "FieldValueForbidden", message: problem, field: field)])
    }
}
