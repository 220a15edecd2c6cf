import HTTPTransport

import enum BusinessPolicy.JSON

/// The whole simulated API server as one value, and the watches that are open on it.
struct APIServerCore: Sendable {
    var store: ResourceStore
    var kinds: KindTable
    /// Nil takes any request, as long as no mode says otherwise.
    var access: AccessControl?
    var modes = APIServerModes()
    var faults: [APIFault] = []
    /// Calls by their titles; writes that changed something are counted in `effects` as well.
    var counts: [String: Int] = [:]
    var effects: [String: Int] = [:]
    var watches: [Int: OpenWatch] = [:]
    /// The list that was last asked for.
    var listing: (kind: SimulatedKind, version: Int, items: [ResourceStore.Item])?
    var watchesOpened = 0
    /// The time of the last request or change: the age of resources is told by it.
    var wallMilliseconds: Int64 = 0

    init(store: ResourceStore = ResourceStore(), kinds: KindTable = .operatorOnly, access: AccessControl? = nil) {
        self.store = store
        self.kinds = kinds
        self.access = access
    }

    /// What a call is answered with, and readers to wake once no lock is held.
    struct Outcome: Sendable {
        var reply: SimulatedReply?
        var watch: (id: Int, stream: WatchStream)?
        var wakings: [WatchStream.Waking] = []
    }

    /// Whether it is a cluster with rights and definitions, and not just what the operator touches.
    var isCluster: Bool { access != nil }

    /// Carries out a request.
    mutating func handle(_ request: SimulatedRequest, wallMilliseconds: Int64) -> Outcome {
        self.wallMilliseconds = wallMilliseconds
        guard let call = APICall(request, kinds) else { return document(request) }
        counts[call.title, default: 0] += 1
        do {
            let user = try check(request, call)
            if modes.presence(of: call.kind) == .missing { return Outcome(reply: Self.pageNotFound) }
            if call.verb == .watch { return try watch(call, form: ResourceForm(request, call.query)) }
            return try answer(request, call, user)
        } catch {
            return Outcome(reply: error.reply)
        }
    }

    private func isRightToken(_ request: SimulatedRequest) -> Bool {
        modes.token.map { request.header("Authorization") == "Bearer \($0)" } ?? true
    }

    private mutating func check(
        _ request: SimulatedRequest, _ call: APICall
    ) throws(APIFailure) -> AccessControl.User {
        if let failure = takeFault(call) { throw failure }
        if !isRightToken(request) { throw .unauthorized }
        if modes.forbidden.contains(call.title) {
            let right = "\(call.verb.rawValue) resource \"\(call.kind.plural)\""
            throw .forbidden("\(call.kind.qualified) is forbidden: User cannot \(right)")
        }
        if modes.presence(of: call.kind) == .missingAsStatus { throw .noSuchKind }
        return try allowedUser(request, to: AccessRequest(call))
    }

    /// The user who asks, or in whose name is asked, if that user may.
    func allowedUser(
        _ request: SimulatedRequest, to wanted: AccessRequest
    ) throws(APIFailure) -> AccessControl.User {
        guard let access else { return .administrator }
        let rights = RoleBasedAccess(store: store)
        var user = try access.user(of: request, in: store, at: wallMilliseconds)
        if let named = AccessControl.impersonated(by: request) {
            for impersonation in AccessControl.impersonations(by: request) {
                guard rights.allows(user, impersonation) else { throw .forbidden(user, impersonation) }
            }
            user = named
        }
        guard rights.allows(user, wanted) else { throw .forbidden(user, wanted) }
        return user
    }

    private mutating func takeFault(_ call: APICall) -> APIFailure? {
        for index in faults.indices where faults[index].call == nil || faults[index].call == call.title {
            if faults[index].skipped > 0 {
                faults[index].skipped -= 1
                continue
            }
            let failure = faults[index].failure
            if let calls = faults[index].calls {
                faults[index].calls = calls - 1
                if calls <= 1 { faults.remove(at: index) }
            }
            return failure
        }
        return nil
    }

    private mutating func answer(
        _ request: SimulatedRequest, _ call: APICall, _ user: AccessControl.User
    ) throws(APIFailure) -> Outcome {
        switch call.verb {
        case .list: return Outcome(reply: .json(200, try list(call, form: ResourceForm(request, call.query))))
        case .get:
            let key = try key(call)
            guard let stored = store.resource(key) else { throw .notFound(key.kind, key.name) }
            guard case .table(let included) = ResourceForm(request, call.query) else {
                return Outcome(reply: .json(200, stored.bytes))
            }
            let table = ResourceTable.json(stored.json, call.served, including: included, at: wallMilliseconds)
            return Outcome(reply: .json(200, table.serialized()))
        case .create where call.subresource == "token": return try grantToken(request, call)
        case .create where call.served.isReview: return try review(request, call, user)
        case .create, .update, .patch, .delete, .deletecollection: return try write(request, call)
        case .watch: preconditionFailure("a watch is opened before")
        }
    }

    func key(_ call: APICall) throws(APIFailure) -> ResourceKey {
        guard let name = call.name else { throw .badRequest("a name is missing") }
        return ResourceKey(kind: call.kind, namespace: call.namespace ?? "", name: name)
    }

    /// Paths that are no resource's: discovery, OpenAPI, health.
    private func document(_ request: SimulatedRequest) -> Outcome {
        guard isCluster else { return Outcome(reply: Self.pageNotFound) }
        let path = APICall.path(of: request)
        let text = "/" + path.joined(separator: "/")
        do throws(APIFailure) {
            let verb = request.method == "GET" ? "get" : request.method.lowercased()
            _ = try allowedUser(request, to: AccessRequest(verb: verb, path: text))
        } catch {
            return Outcome(reply: error.reply)
        }
        guard request.method == "GET" else { return Outcome(reply: APIFailure.noSuchKind.reply) }
        if ["/healthz", "/livez", "/readyz"].contains(text) { return Outcome(reply: Self.text(200, "ok")) }
        if text == "/openapi/v2" {
            // An empty description: clients that ask for it then leave the checking of fields to the server.
            let type = HTTPHeader("Content-Type", "application/octet-stream")
            let body: [UInt8] = [0x0A, 3] + Array("2.0".utf8)
            return Outcome(reply: SimulatedReply(status: 200, headers: [type], body: body))
        }
        let document: JSON?
        if path.starts(with: ["openapi", "v3"]) {
            let openAPI = OpenAPIDocuments(kinds: kinds)
            switch path.count {
            case 2: document = openAPI.index
            case 4 where path[2] == "api": document = openAPI.document("", path[3])
            case 5 where path[2] == "apis": document = openAPI.document(path[3], path[4])
            default: document = nil
            }
        } else {
            document = Discovery(kinds: kinds).document(path)
        }
        return Outcome(reply: document.map { .json(200, $0.serialized()) } ?? Self.pageNotFound)
    }

    private static func text(_ status: Int, _ text: String) -> SimulatedReply {
        SimulatedReply(
            status: status, headers: [HTTPHeader("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
    }

    static let pageNotFound = text(404, "404 page not found\n")
}
