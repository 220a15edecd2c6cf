/// A kind of resource that the simulated API server serves.
package struct SimulatedKind: Hashable, Sendable {
    /// Empty for the core group.
    package var group: String
    package var version: String
    package var plural: String
    package var name: String
    package var isNamespaced: Bool

    /// The resource of the operator, without a schema: a CRD that an administrator has made lax.
    package static let velocloudBP = SimulatedKind(
        group: "vcn.cloud", version: "v1", plural: "velocloudbps", name: "VelocloudBP", isNamespaced: true)
    /// The limits of a namespace, without a schema either.
    package static let velocloudLimit = SimulatedKind(
        group: "vcn.cloud", version: "v1", plural: "velocloudlimits", name: "VelocloudLimit", isNamespaced: true)
    package static let event = SimulatedKind(
        group: "", version: "v1", plural: "events", name: "Event", isNamespaced: true)
    package static let lease = SimulatedKind(
        group: "coordination.k8s.io", version: "v1", plural: "leases", name: "Lease", isNamespaced: true)
    package static let namespace = SimulatedKind(
        group: "", version: "v1", plural: "namespaces", name: "Namespace", isNamespaced: false)

    /// `velocloudbps.vcn.cloud`, as messages name it.
    var qualified: String { group.isEmpty ? plural : "\(plural).\(group)" }
    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
}

/// A resource's place: kind, namespace and name.
struct ResourceKey: Hashable, Sendable {
    var kind: SimulatedKind
    /// Empty for kinds without a namespace.
    var namespace: String
    var name: String
}
