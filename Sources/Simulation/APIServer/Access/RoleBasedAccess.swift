import enum BusinessPolicy.JSON

/// One thing that somebody wants to do.
struct AccessRequest: Hashable, Sendable {
    var verb: String
    /// Empty when the path is no resource's.
    var resource = ""
    var group = ""
    var namespace = ""
    var name = ""
    /// For paths such as `/version`.
    var path = ""

    init(_ call: APICall) {
        verb = call.verb.rawValue
        resource = call.resource
        group = call.kind.group
        name = call.name ?? ""
        // A namespace lies in itself: a Role in it may speak of it.
        namespace = call.namespace ?? (call.kind == .namespace ? name : "")
    }

    init(verb: String, path: String) {
        self.verb = verb
        self.path = path
    }

    /// The `spec` of a SelfSubjectAccessReview.
    init(review spec: JSON?) {
        let asked = spec?["resourceAttributes"]
        let other = spec?["nonResourceAttributes"]
        verb = asked?["verb"]?.string ?? other?["verb"]?.string ?? ""
        group = asked?["group"]?.string ?? ""
        namespace = asked?["namespace"]?.string ?? ""
        name = asked?["name"]?.string ?? ""
        let parts = [asked?["resource"]?.string, asked?["subresource"]?.string].compactMap { $0 }
        resource = parts.filter { !$0.isEmpty }.joined(separator: "/")
        path = other?["path"]?.string ?? ""
    }

    init(impersonating resource: String, _ name: String, namespace: String = "") {
        verb = "impersonate"
        self.resource = resource
        self.name = name
        self.namespace = namespace
    }
}

/// Role-based access control: Roles, ClusterRoles, their bindings, and ClusterRoles that gather others by label.
struct RoleBasedAccess {
    let store: ResourceStore

    /// Whether some rule allows it.
    func allows(_ user: AccessControl.User, _ request: AccessRequest) -> Bool {
        if user.isMember(of: "system:masters") { return true }
        let wide = store.resources(.clusterRoleBinding, namespace: nil)
        if wide.contains(where: { binds($0.value.json, user) && gives($0.value.json, nil, request) }) { return true }
        guard !request.namespace.isEmpty else { return false }
        return store.resources(.roleBinding, namespace: request.namespace).contains {
            binds($0.value.json, user) && gives($0.value.json, request.namespace, request)
        }
    }

    private func binds(_ binding: JSON, _ user: AccessControl.User) -> Bool {
        (binding["subjects"]?.array ?? []).contains { subject in
            let name = subject["name"]?.string ?? ""
            switch subject["kind"]?.string {
            case "User": return name == user.name
            case "Group": return user.isMember(of: name)
            case "ServiceAccount":
                return user.name == "system:serviceaccount:\(subject["namespace"]?.string ?? ""):\(name)"
            default: return false
            }
        }
    }

    private func gives(_ binding: JSON, _ namespace: String?, _ request: AccessRequest) -> Bool {
        let role = binding["roleRef"]
        let isWide = role?["kind"]?.string == "ClusterRole"
        let key = ResourceKey(
            kind: isWide ? .clusterRole : .role, namespace: isWide ? "" : namespace ?? "",
            name: role?["name"]?.string ?? "")
        var seen: Set<ResourceKey> = []
        return rules(of: key, &seen).contains { Self.allows($0, request) }
    }

    /// The rules of a role, and of those that it gathers by label: what a controller would write into it is gathered
    /// here when it is asked for.
    private func rules(of key: ResourceKey, _ seen: inout Set<ResourceKey>) -> [JSON] {
        guard seen.insert(key).inserted, let role = store.resource(key)?.json else { return [] }
        var rules = role["rules"]?.array ?? []
        for selector in role.value(at: ["aggregationRule", "clusterRoleSelectors"])?.array ?? [] {
            for other in store.resources(.clusterRole, namespace: nil) where Self.selects(selector, other.value.json) {
                rules += self.rules(of: other.key, &seen)
            }
        }
        return rules
    }

    private static func selects(_ selector: JSON, _ role: JSON) -> Bool {
        let wanted = selector["matchLabels"]?.members ?? []
        let labels = role.value(at: ["metadata", "labels"])
        return !wanted.isEmpty && wanted.allSatisfy { labels?[$0.name] == $0.value }
    }

    private static func allows(_ rule: JSON, _ request: AccessRequest) -> Bool {
        func list(_ name: String) -> [String] { rule[name]?.array?.compactMap(\.string) ?? [] }
        func names(_ member: String, _ wanted: String) -> Bool {
            let list = list(member)
            return list.contains("*") || list.contains(wanted)
        }
        guard names("verbs", request.verb) else { return false }
        if !request.path.isEmpty {
            return list("nonResourceURLs").contains {
                $0 == request.path || $0.hasSuffix("*") && request.path.hasPrefix($0.dropLast())
            }
        }
        let subresource = request.resource.split(separator: "/").dropFirst().first
        let isNamed =
            names("resources", request.resource)
            || subresource.map { list("resources").contains("*/\($0)") } ?? false
        let only = list("resourceNames")
        return isNamed && names("apiGroups", request.group) && (only.isEmpty || only.contains(request.name))
    }
}

extension APIFailure {
    /// 403, in the words of a server with role-based access control.
    static func forbidden(_ user: AccessControl.User, _ request: AccessRequest) -> APIFailure {
        guard request.path.isEmpty else {
            return .forbidden("forbidden: User \"\(user.name)\" cannot \(request.verb) path \"\(request.path)\"")
        }
        let plural = request.resource.split(separator: "/").first.map(String.init) ?? ""
        let qualified = request.group.isEmpty ? plural : "\(plural).\(request.group)"
        let subject = request.name.isEmpty ? qualified : "\(qualified) \"\(request.name)\""
        let place = request.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(request.namespace)\""
        var failure = APIFailure.forbidden(
            "\(subject) is forbidden: User \"\(user.name)\" cannot \(request.verb) resource \"\(request.resource)\" "
                + "in API group \"\(request.group)\" \(place)")
        failure.details = Details(
            name: request.name.isEmpty ? nil : request.name, kind: plural, group: request.group)
        return failure
    }
}
