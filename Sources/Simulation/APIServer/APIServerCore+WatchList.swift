import enum BusinessPolicy.JSON

/// Watches that begin with the state of all objects.
extension APIServerCore {
    /// The lines that such a watch begins with; nil for an ordinary one.
    ///
    /// A server that does not know them refuses their parameters, in the words of Kubernetes 1.20.
    func initialEvents(_ call: APICall, _ watch: OpenWatch) throws(APIFailure) -> [UInt8]? {
        let match = call.query["resourceVersionMatch"]
        let isAsked = APICall.isTrue(call.query["sendInitialEvents"])
        guard isAsked || match != nil else { return nil }
        guard modes.servesWatchList else {
            throw .invalidListOptions("resourceVersionMatch is forbidden for watch")
        }
        guard isAsked, match == "NotOlderThan" else {
            throw .invalidListOptions(
                "sendInitialEvents requires resourceVersionMatch NotOlderThan", field: "sendInitialEvents")
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
        return objects.filter { watch.selector.matches($0.value.json) }
            .flatMap { watch.line("ADDED", $0.value, at: wallMilliseconds) }
            + OpenWatch.line("BOOKMARK", end.serialized())
    }
}
