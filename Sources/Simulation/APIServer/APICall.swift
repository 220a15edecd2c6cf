import HTTPTransport

/// What a request asks of the API server.
struct APICall: Sendable {
    var verb: Verb
    var kind: SimulatedKind
    /// Nil for a whole cluster.
    var namespace: String?
    var name: String?
    var isStatus: Bool
    var query: [String: String]

    /// The verbs by which rights are given and calls are counted.
    enum Verb: String, Sendable { case get, list, watch, create, update, patch, delete }

    /// The name under which it is counted: `patch velocloudbps/status`.
    var title: String { "\(verb.rawValue) \(kind.plural)\(isStatus ? "/status" : "")" }

    /// Reads method and path; nil for a path that leads nowhere.
    init?(_ request: SimulatedRequest) {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        query = parts.count > 1 ? Self.query(parts[1]) : [:]
        var path = first.split(separator: "/").map { Self.decoded($0, plusIsSpace: false) }
        let prefix = path.first == "api" ? 2 : 3
        guard path.count > prefix, path[0] == "api" || path[0] == "apis" else { return nil }
        let group = path[0] == "api" ? "" : path[1]
        let version = path[prefix - 1]
        path.removeFirst(prefix)
        namespace = nil
        if path.count > 2, path[0] == "namespaces" {
            namespace = path[1]
            path.removeFirst(2)
        }
        let kinds: [SimulatedKind] = [.velocloudBP, .event, .lease, .namespace]
        guard let kind = kinds.first(where: { $0.group == group && $0.version == version && $0.plural == path[0] })
        else { return nil }
        self.kind = kind
        name = path.count > 1 ? path[1] : nil
        isStatus = path.count == 3 && path[2] == "status"
        guard path.count < 3 || isStatus, let verb = Self.verb(request.method, isNamed: name != nil, query) else {
            return nil
        }
        self.verb = verb
    }

    private static func verb(_ method: String, isNamed: Bool, _ query: [String: String]) -> Verb? {
        switch (method, isNamed) {
        case ("GET", true): .get
        case ("GET", false): ["true", "1"].contains(query["watch"] ?? "") ? .watch : .list
        case ("POST", false): .create
        case ("PUT", true): .update
        case ("PATCH", true): .patch
        case ("DELETE", true): .delete
        default: nil
        }
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
