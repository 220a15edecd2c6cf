import enum BusinessPolicy.JSON

/// The roles that a fresh cluster has, for the kinds that are served here.
enum BuiltInRoles {
    private static let group = "rbac.authorization.k8s.io"
    private static let reading = ["get", "list", "watch"]
    private static let writing = ["create", "delete", "deletecollection", "patch", "update"]

    static let clusterRoles: [JSON] = [
        role("cluster-admin", rules: [rule(["*"], ["*"], ["*"]), paths(["*"], ["*"])]),
        gathering("admin", ["admin"]), gathering("edit", ["edit"]), gathering("view", ["view"]),
        role(
            "system:aggregate-to-view", "view", rules: [rule([""], workload, reading), rule(["apps"], apps, reading)]),
        role(
            "system:aggregate-to-edit", "edit",
            rules: [
                rule([""], workload + ["secrets"], reading + writing), rule(["apps"], apps, reading + writing),
                rule([""], ["serviceaccounts/token"], ["create"]),
            ]),
        role(
            "system:aggregate-to-admin", "admin",
            rules: [rule([group], ["roles", "rolebindings"], reading + writing)]),
        role(
            "system:basic-user",
            rules: [
                rule(["authorization.k8s.io"], ["selfsubjectaccessreviews"], ["create"]),
                rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
            ]),
        role(
            "system:discovery",
            rules: [
                paths(
                    ["get"],
                    [
                        "/", "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
                        "/readyz", "/version",
                    ])
            ]),
    ]

    static let clusterRoleBindings: [JSON] = [
        binding("cluster-admin", to: "system:masters"),
        binding("system:basic-user", to: "system:authenticated"),
        binding("system:discovery", to: "system:authenticated"),
    ]

    private static let workload = [
        "configmaps", "events", "persistentvolumeclaims", "pods", "serviceaccounts", "services",
    ]
    private static let apps = ["deployments"]

    private static func list(_ texts: [String]) -> JSON {
        .array(texts.map { .string($0) })
    }

    private static func rule(_ groups: [String], _ resources: [String], _ verbs: [String]) -> JSON {
        .record(["apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)])
    }

    private static func paths(_ verbs: [String], _ paths: [String]) -> JSON {
        .record(["nonResourceURLs": list(paths), "verbs": list(verbs)])
    }

    private static func role(_ name: String, _ target: String? = nil, rules: [JSON]) -> JSON {
        var labels = JSON.record(["kubernetes.io/bootstrapping": .string("rbac-defaults")])
        if let target { labels = labels.setting(["\(group)/aggregate-to-\(target)"], to: .string("true")) }
        return .record([
            "metadata": .record(["name": .string(name), "labels": labels]), "rules": .array(rules),
        ])
    }

    /// `admin` holds what `edit` does, and `edit` what `view` does: the wider role gathers the labels of the narrower.
    private static func gathering(_ name: String, _ targets: [String]) -> JSON {
        let wider = ["view": "edit", "edit": "admin"]
        let selectors = targets.map { target in
            JSON.record(["matchLabels": .record(["\(group)/aggregate-to-\(target)": .string("true")])])
        }
        return role(name, wider[name], rules: [])
            .setting(["aggregationRule"], to: .record(["clusterRoleSelectors": .array(selectors)]))
    }

    private static func binding(_ role: String, to subject: String) -> JSON {
        .record([
            "metadata": .record(["name": .string(role)]),
            "roleRef": .record([
                "apiGroup": .string(group), "kind": .string("ClusterRole"), "name": .string(role),
            ]),
            "subjects": .array([
                .record(["apiGroup": .string(group), "kind": .string("Group"), "name": .string(subject)])
            ]),
        ])
    }
}
