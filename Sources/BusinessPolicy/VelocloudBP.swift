/// A `VelocloudBP` resource as the API server holds it: only what velokube reads, so that a cache of many stays small.
package struct VelocloudBP: Hashable, Sendable {
    package var owner: Owner
    package var resourceVersion: String
    package var generation: Int
    /// RFC 3339, UTC.
    package var createdAt: String
    /// Set once the resource is being deleted.
    package var deletedAt: String?
    package var finalizers: [String]
    /// `spec.profile` when it is a usable string: the key of the work queue, known even when the rest is invalid.
    package var profile: String?
    package var spec: Result<Spec, InvalidSpec>
    /// `vcn.cloud/paused: "true"`
    package var isPaused: Bool
    /// `vcn.cloud/adopt: "true"`
    package var asksAdoption: Bool
    /// `vcn.cloud/deletion-policy: Orphan`
    package var asksOrphaning: Bool
    /// `vcn.cloud/reconcile-requested-at`
    package var reconcileRequestedAt: String?
    package var status: Status

    /// A spec that has passed validation, defaults filled in.
    package struct Spec: Hashable, Sendable {
        package var profile: String
        package var segment: String
        package var name: String
        package var order: Int
        package var settings: RuleSettings
        /// What is accepted but has no effect, in words for the condition's message; empty when all is well.
        package var warnings: [String]
    }

    /// Every fault of a spec that slipped past the schema, each naming its field, its value and what is allowed.
    package struct InvalidSpec: Error, Hashable, Sendable {
        package var faults: [String]
    }

    /// The finalizer that velokube puts on every resource that has or will have a rule.
    package static let finalizer = "vcn.cloud/business-policy"

    /// Whether the API server still waits for us before the resource may go.
    package var hasFinalizer: Bool { finalizers.contains(Self.finalizer) }
}
