import HTTPTransport

import enum BusinessPolicy.JSON

/// Who may ask: bearer tokens, and the administrator.
///
/// A request without credentials is the administrator's, as `kubectl` sends none over plain HTTP; that is why this
/// server is for the local machine alone. Everybody else brings a token, or is named by the administrator (`--as`).
struct AccessControl: Sendable {
    private let administratorToken: String
    private var tokens: [String: Grant] = [:]
    private var secrets: SecretWords

    /// A user, as rights are given to one.
    struct User: Hashable, Sendable {
        var name: String
        var uid = ""
        var groups: [String]

        static let administrator = User(name: "admin", groups: ["system:masters", "system:authenticated"])

        func isMember(of group: String) -> Bool { groups.contains(group) }
    }

    /// What a token of a service account stands for.
    private struct Grant: Sendable {
        var account: ResourceKey
        var uid: String
        var expiresAt: Int64
    }

    init(administratorToken: String, seed: UInt64) {
        self.administratorToken = administratorToken
        secrets = SecretWords(seed: seed)
    }

    /// The user who asks.
    func user(of request: SimulatedRequest, in store: ResourceStore, at now: Int64) throws(APIFailure) -> User {
        guard let header = request.header("Authorization") else { return .administrator }
        guard header.hasPrefix("Bearer ") else { throw .unauthorized }
        let token = String(header.dropFirst("Bearer ".count))
        if token == administratorToken { return .administrator }
        // A token dies with its account, and is not that of another one by the same name.
        guard let grant = tokens[token], grant.expiresAt > now,
            store.resource(grant.account)?.json.value(at: ["metadata", "uid"])?.string == grant.uid
        else { throw .unauthorized }
        return Self.user(ofAccount: grant.account, uid: grant.uid)
    }

    /// The user whom a request names in its own user's place; nil when it names none.
    static func impersonated(by request: SimulatedRequest) -> User? {
        guard let name = request.header("Impersonate-User") else { return nil }
        var user = account(name).map { Self.user(ofAccount: $0, uid: "") } ?? User(name: name, groups: [])
        let groups = impersonatedGroups(request)
        if !groups.isEmpty { user.groups = groups }
        let everybody = name == "system:anonymous" ? "system:unauthenticated" : "system:authenticated"
        if !user.groups.contains(everybody) { user.groups.append(everybody) }
        return user
    }

    /// The rights that it takes to name that user and those groups.
    static func impersonations(by request: SimulatedRequest) -> [AccessRequest] {
        guard let name = request.header("Impersonate-User") else { return [] }
        let user =
            account(name).map { AccessRequest(impersonating: "serviceaccounts", $0.name, namespace: $0.namespace) }
            ?? AccessRequest(impersonating: "users", name)
        return [user] + impersonatedGroups(request).map { AccessRequest(impersonating: "groups", $0) }
    }

    private static func impersonatedGroups(_ request: SimulatedRequest) -> [String] {
        request.headers.filter { $0.name.lowercased() == "impersonate-group" }.map(\.value)
    }

    /// The service account that a user name stands for; nil for another user.
    private static func account(_ user: String) -> ResourceKey? {
        let parts = user.split(separator: ":").map(String.init)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount" else { return nil }
        return ResourceKey(kind: .serviceAccount, namespace: parts[2], name: parts[3])
    }

    private static func user(ofAccount key: ResourceKey, uid: String) -> User {
        User(
            name: "system:serviceaccount:\(key.namespace):\(key.name)", uid: uid,
            groups: [
                "system:serviceaccounts", "system:serviceaccounts:\(key.namespace)", "system:authenticated",
            ])
    }

    /// Makes a token for an account, and answers the request for it.
    mutating func grant(_ account: ResourceKey, uid: String, _ request: JSON, at now: Int64) -> JSON {
        // An hour unless another time is asked for, and ten minutes at least.
        let seconds = max(600, request.value(at: ["spec", "expirationSeconds"])?.int ?? 3600)
        let expiresAt = now + Int64(seconds) * 1000
        let token = "sim.\(account.namespace).\(account.name).\(secrets.next())"
        tokens[token] = Grant(account: account, uid: uid, expiresAt: expiresAt)
        return request.setting(["apiVersion"], to: .string("authentication.k8s.io/v1"))
            .setting(["kind"], to: .string("TokenRequest"))
            .setting(["spec", "expirationSeconds"], to: .int(seconds))
            .setting(
                ["status"],
                to: .record([
                    "token": .string(token), "expirationTimestamp": .string(WallTime.seconds(expiresAt)),
                ]))
    }
}

/// Words that look like secrets and come from a seed. They guard a server that only this machine can reach.
private struct SecretWords: Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> String {
        String(number(), radix: 36) + String(number(), radix: 36)
    }

    private mutating func number() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
