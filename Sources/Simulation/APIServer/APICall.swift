import HTTPTransport

/// What a request asks of the API server.
struct APICall: Sendable {
    var verb: Verb
    var served: ServedKind
    /// Nil for a whole cluster.
    var namespace: String?
    var name: String?
    /// `status`, or `token` of a service account; nil for the resource itself.
    var subresource: String?
    var query: [String: String]

    var kind: SimulatedKind { served.kind }
    var isStatus: Bool { subresource == "status" }

    /// The verbs by which rights are given and calls are counted.
    enum Verb: String, Sendable { case get, list, watch, create, update, patch, delete, deletecollection }

    /// The name under which it is counted: `patch velocloudbps/status`.
    var title: String { "\(verb.rawValue) \(resource)" }

    /// The resource as rights name it: `velocloudbps/status`.
    var resource: String { subresource.map { "\(kind.plural)/\($0)" } ?? kind.plural }

    /// Nothing is kept of what it does.
    var isDryRun: Bool { query["dryRun"] == "All" }

    /// Reads method and path; nil for a path that leads to no resource.
    init?(_ request: SimulatedRequest, _ kinds: KindTable) {
        query = Self.query(of: request)
        var path = Self.path(of: request)
        let prefix = path.first == "api" ? 2 : 3
        guard path.count > prefix, path[0] == "api" || path[0] == "apis" else { return nil }
        let group = path[0] == "api" ? "" : path[1]
        let version = path[prefix - 1]
        path.removeFirst(prefix)
        namespace = nil
        if path.count > 2, path[0] == "namespaces", path[2] != "status", path[2] != "finalize" {
            namespace = path[1]
            path.removeFirst(2)
        }
        guard let served = kinds.kind(group: group, version: version, plural: path[0]) else { return nil }
        self.served = served
        name = path.count > 1 ? path[1] : nil
        subresource = path.count == 3 ? path[2] : nil
        guard path.count <= 3, subresource.map(served.subresources.contains) ?? true else { return nil }
        guard let verb = Self.verb(request.method, isNamed: name != nil, subresource, query) else { return nil }
        self.verb = verb
    }

    private static func verb(
        _ method: String, isNamed: Bool, _ subresource: String?, _ query: [String: String]
    ) -> Verb? {
        switch (method, isNamed) {
        case ("GET", true): .get
        case ("GET", false): isTrue(query["watch"]) ? .watch : .list
        case ("POST", false): .create
        case ("POST", true): subresource == "token" ? .create : nil
        case ("PUT", true): .update
        case ("PATCH", true): .patch
        case ("DELETE", true): .delete
        case ("DELETE", false): .deletecollection
        default: nil
        }
    }

    /// How a query spells a flag.
    static func isTrue(_ text: String?) -> Bool { text == "true" || text == "1" }

    /// The parts of a request's path.
    static func path(of request: SimulatedRequest) -> [String] {
        request.target.prefix { $0 != "?" }.split(separator: "/").map { decoded($0, plusIsSpace: false) }
    }

    /// The parameters of a request.
    static func query(of request: SimulatedRequest) -> [String: String] {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count > 1 ? query(parts[1]) : [:]
    }

    /// The parameters of a query.
    static func query(_ text: Substring) -> [String: String] {
        var query: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[decoded(parts[0], plusIsSpace: true)] = parts.count > 1 ? decoded(parts[1], plusIsSpace: true) : ""
        }
        return query
    }

    private static func decoded(_ text: Substring, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
