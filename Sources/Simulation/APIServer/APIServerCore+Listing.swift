import enum BusinessPolicy.JSON

/// Lists: whole or in pages, at the newest version, at any, or at one.
extension APIServerCore {
    mutating func list(_ call: APICall, form: ResourceForm) throws(APIFailure) -> [UInt8] {
        let selector = try ResourceSelector(call.query, call.served)
        let (items, metadata) = try listed(call, selector)
        guard case .table(let included) = form else {
            return JSONText.object([
                .init(name: "apiVersion", value: JSON.string(call.kind.apiVersion).serialized()),
                .init(name: "items", value: JSONText.array(items.map(\.value.bytes))),
                .init(name: "kind", value: JSON.string(call.served.listName).serialized()),
                .init(name: "metadata", value: metadata.serialized()),
            ])
        }
        return ResourceTable.json(
            items.map(\.value.json), call.served, metadata: metadata, including: included, at: wallMilliseconds
        ).serialized()
    }

    private mutating func listed(_ call: APICall, _ selector: ResourceSelector) throws(APIFailure) -> Page {
        try Self.checkMatch(call.query)
        let limit = call.query["limit"].flatMap { Int($0) } ?? 0
        if let token = call.query["continue"], !token.isEmpty {
            guard (call.query["resourceVersion"] ?? "").isEmpty else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            guard let place = ContinueToken(token) else {
                throw .badRequest("invalid continue token: continue key is not valid")
            }
            guard place.version >= store.oldestVersion else { throw .continueExpired }
            return page(call, selector, version: place.version, after: place, limit: limit)
        }
        let text = call.query["resourceVersion"] ?? ""
        let match = call.query["resourceVersionMatch"] ?? ""
        if text.isEmpty { return page(call, selector, version: store.version, after: nil, limit: limit) }
        guard let wanted = Int(text), wanted >= 0 else { throw .badRequest("Invalid value: \"\(text)\"") }
        if wanted > store.version { throw .tooLarge(wanted, current: store.version) }
        if match == "Exact" || match.isEmpty && limit > 0 && wanted > 0 {
            // A paged list at a version is an exact one, for reasons of history, and goes past the cache.
            guard wanted >= store.oldestVersion else { throw .gone(wanted, oldest: store.oldestVersion) }
            return page(call, selector, version: wanted, after: nil, limit: limit)
        }
        // Not older than that version: out of the cache, which knows no pages.
        let cached = max(modes.cacheVersion ?? store.version, wanted)
        return page(call, selector, version: cached, after: nil, limit: 0)
    }

    /// Everything of a kind at a version, sorted; kept until the next version, as the pages of one list ask for it
    /// again.
    private mutating func items(_ kind: SimulatedKind, at version: Int) -> [ResourceStore.Item] {
        if let listing, listing.kind == kind, listing.version == version { return listing.items }
        let items = store.resources(kind, namespace: nil, at: version)
        listing = (kind, version, items)
        return items
    }

    /// Refuses a way of matching versions where there is none to match.
    private static func checkMatch(_ query: [String: String]) throws(APIFailure) {
        guard let match = query["resourceVersionMatch"], !match.isEmpty else { return }
        let version = query["resourceVersion"] ?? ""
        if version.isEmpty {
            throw .invalidListOptions("resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        if match == "Exact", version == "0" {
            throw .invalidListOptions("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
    }

    /// Resources, and the `metadata` of the list that holds them.
    private typealias Page = (items: [ResourceStore.Item], metadata: JSON)

    private mutating func page(
        _ call: APICall, _ selector: ResourceSelector, version: Int, after last: ContinueToken?, limit: Int
    ) -> Page {
        var items = items(call.kind, at: version)
        if let namespace = call.namespace { items.removeAll { $0.key.namespace != namespace } }
        if let last { items.removeAll { ($0.key.namespace, $0.key.name) <= (last.namespace, last.name) } }
        if !selector.isEmpty { items.removeAll { !selector.matches($0.value.json) } }
        let rest = limit > 0 ? max(0, items.count - limit) : 0
        items.removeLast(rest)
        var metadata = JSON.record(["resourceVersion": .string(String(version))])
        if rest > 0, let end = items.last?.key {
            let token = ContinueToken(version: version, namespace: end.namespace, name: end.name)
            metadata = metadata.setting(["continue"], to: .string(token.text))
            // What a selector will leave of the rest is not known before it is read.
            if selector.isEmpty { metadata = metadata.setting(["remainingItemCount"], to: .int(rest)) }
        }
        return (items, metadata)
    }
}

extension APIFailure {
    /// 422 for the parameters of a list or a watch.
    static func invalidListOptions(_ problem: String, field: String = "resourceVersionMatch") -> APIFailure {
        var failure = APIFailure.invalid(
            SimulatedKind("meta.k8s.io", "", "", "ListOptions"), "",
            [.init(reason: "FieldValueForbidden", message: "Forbidden: \(problem)", field: field)])
        failure.details?.name = nil
        return failure
    }
}

/// Where the next page begins. Its text holds characters that a query must escape, as real tokens do.
private struct ContinueToken {
    var version: Int
    /// Of the last item handed out.
    var namespace: String
    var name: String

    var text: String { "\(version)+\(namespace)/\(name)=" }

    init(version: Int, namespace: String, name: String) {
        self.version = version
        self.namespace = namespace
        self.name = name
    }

    init?(_ text: String) {
        let parts = text.split(separator: "+", maxSplits: 1)
        guard parts.count == 2, let version = Int(parts[0]), parts[1].last == "=" else { return nil }
        let last = parts[1].dropLast().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard last.count == 2 else { return nil }
        self.init(version: version, namespace: String(last[0]), name: String(last[1]))
    }
}
