/// The kinds of a fresh cluster, as far as installing and trying an operator needs them. They have no schema: nothing
/// runs what a Deployment describes.
extension KindTable {
    static let cluster = KindTable([
        ServedKind(
            kind: .namespace, shortNames: ["ns"], singular: "namespace", hasStatus: true,
            columns: [.text("Status", ".status.phase"), .age]),
        ServedKind(kind: .event, shortNames: ["ev"], singular: "event", columns: PrinterColumn.event),
        core("configmaps", "ConfigMap", ["cm"], columns: [.entries("Data", of: ["data", "binaryData"]), .age]),
        core(
            "secrets", "Secret", [],
            columns: [.text("Type", ".type"), .entries("Data", of: ["data"]), .age]),
        ServedKind(
            kind: .serviceAccount, shortNames: ["sa"], singular: "serviceaccount", hasTokens: true,
            columns: [.entries("Secrets", of: ["secrets"]), .age]),
        core(
            "services", "Service", ["svc"],
            columns: [.text("Type", ".spec.type"), .text("Cluster-IP", ".spec.clusterIP"), .age]),
        core(
            "persistentvolumeclaims", "PersistentVolumeClaim", ["pvc"], hasStatus: true,
            columns: [
                .text("Status", ".status.phase"), .text("Volume", ".spec.volumeName"),
                .text("Capacity", ".status.capacity.storage"), .text("Access Modes", ".status.accessModes[*]"),
                .text("StorageClass", ".spec.storageClassName"), .age,
            ]),
        core("pods", "Pod", ["po"], hasStatus: true, columns: [.text("Status", ".status.phase"), .age]),
        ServedKind(
            kind: .init("apps", "v1", "deployments", "Deployment"), shortNames: ["deploy"],
            singular: "deployment", hasStatus: true, countsGenerations: true, columns: PrinterColumn.deployment),
        ServedKind(
            kind: .init("batch", "v1", "jobs", "Job"), singular: "job", hasStatus: true, columns: [.age]),
        ServedKind(
            kind: .init("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"), shortNames: ["netpol"],
            singular: "networkpolicy", columns: [.age]),
        ServedKind(
            kind: .init("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"), shortNames: ["pdb"],
            singular: "poddisruptionbudget", hasStatus: true, columns: [.age]),
        ServedKind(
            kind: .lease, singular: "lease", mustNameVersion: true,
            columns: [.text("Holder", ".spec.holderIdentity"), .age]),
        rights("roles", "Role", isNamespaced: true, columns: [.created]),
        rights("rolebindings", "RoleBinding", isNamespaced: true, columns: [.boundRole, .age]),
        rights("clusterroles", "ClusterRole", isNamespaced: false, columns: [.created]),
        rights("clusterrolebindings", "ClusterRoleBinding", isNamespaced: false, columns: [.boundRole, .age]),
        ServedKind(
            kind: .definition, shortNames: ["crd", "crds"], categories: ["api-extensions"],
            singular: "customresourcedefinition", hasStatus: true, countsGenerations: true, mustNameVersion: true,
            columns: [.created]),
        review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ])

    private static func core(
        _ plural: String, _ name: String, _ shortNames: [String], hasStatus: Bool = false, columns: [PrinterColumn]
    ) -> ServedKind {
        ServedKind(
            kind: .init("", "v1", plural, name), shortNames: shortNames, singular: name.lowercased(),
            hasStatus: hasStatus, columns: columns)
    }

    private static func rights(
        _ plural: String, _ name: String, isNamespaced: Bool, columns: [PrinterColumn]
    ) -> ServedKind {
        ServedKind(
            kind: .init("rbac.authorization.k8s.io", "v1", plural, name, isNamespaced: isNamespaced),
            singular: name.lowercased(), columns: columns)
    }

    private static func review(_ group: String, _ plural: String, _ name: String) -> ServedKind {
        ServedKind(
            kind: .init(group, "v1", plural, name, isNamespaced: false), singular: name.lowercased(), isReview: true)
    }
}

extension SimulatedKind {
    static let serviceAccount = SimulatedKind("", "v1", "serviceaccounts", "ServiceAccount")
    static let definition = SimulatedKind(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", isNamespaced: false)
    static let role = SimulatedKind("rbac.authorization.k8s.io", "v1", "roles", "Role")
    static let roleBinding = SimulatedKind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
    static let clusterRole = SimulatedKind(
        "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", isNamespaced: false)
    static let clusterRoleBinding = SimulatedKind(
        "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)

    init(_ group: String, _ version: String, _ plural: String, _ name: String, isNamespaced: Bool = true) {
        self.init(group: group, version: version, plural: plural, name: name, isNamespaced: isNamespaced)
    }
}
