/// A `VelocloudBP` resource as the API server holds it: only what velokube reads, so that a cache of many stays small.
///
/// A class, since one state of a resource stands in many places at once (the cache, a page, a change, a pass) and never
/// changes: a place costs 8 bytes and not 400.
package final class VelocloudBP: Sendable {
    package let owner: Owner
    /// `namespace/name`, made once: every index of a cache holds it.
    package let key: String
    package let resourceVersion: String
    package let generation: Int
    /// RFC 3339, UTC.
    package let createdAt: String
    /// Set once the resource is being deleted.
    package let deletedAt: String?
    package let finalizers: [String]
    /// `spec.profile` when it is a usable string: the key of the work queue, known even when the rest is invalid.
    package let profile: String?
    package let spec: Result<Spec, InvalidSpec>
    /// `vcn.cloud/paused: "true"`
    package let isPaused: Bool
    /// `vcn.cloud/adopt: "true"`
    package let asksAdoption: Bool
    /// `vcn.cloud/deletion-policy: Orphan`
    package let asksOrphaning: Bool
    /// `vcn.cloud/reconcile-requested-at`
    package let reconcileRequestedAt: String?
    package let status: Status

    /// Reads a resource from the API server's JSON. Throws only when it has no usable metadata; a bad spec is a value.
    package init(json: JSON) throws(MalformedResource) {
        let named = try ResourceMetadata(json: json)
        let owner = named.owner
        self.owner = owner
        key = "\(owner.namespace)/\(owner.name)"
        resourceVersion = named.resourceVersion
        generation = named.generation
        let metadata = json["metadata"]
        createdAt = metadata?["creationTimestamp"]?.string ?? ""
        deletedAt = metadata?["deletionTimestamp"]?.string
        let finalizers = (metadata?["finalizers"]?.array ?? []).compactMap(\.string)
        self.finalizers = finalizers == Self.ownFinalizers ? Self.ownFinalizers : finalizers

        let annotations = metadata?["annotations"]
        isPaused = annotations?[Annotation.paused]?.string == "true"
        asksAdoption = annotations?[Annotation.adopt]?.string == "true"
        asksOrphaning = annotations?[Annotation.deletionPolicy]?.string == "Orphan"
        reconcileRequestedAt = annotations?[Annotation.reconcileRequestedAt]?.string

        var reader = SpecReader(spec: json["spec"])
        let profile = reader.profile()
        self.profile = profile
        let spec = reader.read(owner: owner, profile: profile)
        self.spec = spec
        var status = Status(json: json["status"])
        // Nearly always one text; where the name was not given, two that were made apart.
        if case .success(let spec) = spec, status.rule?.name == spec.name { status.rule?.name = spec.name }
        self.status = status
    }

    /// Whether another state says the same in all but the status and the version, which we write ourselves.
    package func asksTheSame(as other: VelocloudBP) -> Bool {
        (owner, generation, createdAt, deletedAt) == (other.owner, other.generation, other.createdAt, other.deletedAt)
            && (finalizers, profile, spec) == (other.finalizers, other.profile, other.spec)
            && (isPaused, asksAdoption, asksOrphaning, reconcileRequestedAt)
                == (other.isPaused, other.asksAdoption, other.asksOrphaning, other.reconcileRequestedAt)
    }

    /// A spec that has passed validation, defaults filled in.
    package struct Spec: Hashable, Sendable {
        package var profile: String
        package var segment: String
        package var name: String
        package var order: Int
        package var settings: RuleSettings
        /// What is accepted but has no effect; empty when all is well.
        package var remarks: [SpecFault]
        /// The same in words for the condition's message.
        package var warnings: [String] { remarks.map(\.message) }
    }

    /// Every fault of a spec that slipped past the schema, each naming its field, its value and what is allowed.
    package struct InvalidSpec: Error, Hashable, Sendable {
        package var faults: [SpecFault]

        /// All of them, for the condition's message.
        package var message: String { faults.map(\.message).joined(separator: "; ") }
    }

    /// The finalizer that velokube puts on every resource that has or will have a rule.
    package static let finalizer = "vcn.cloud/business-policy"
    /// The finalizers of nearly every resource: one array for all of them.
    static let ownFinalizers = [finalizer]

    /// Whether the API server still waits for us before the resource may go.
    package var hasFinalizer: Bool { finalizers.contains(Self.finalizer) }
}
