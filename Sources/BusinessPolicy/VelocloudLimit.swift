/// A `VelocloudLimit` resource: what the VelocloudBPs of its namespace may ask for.
///
/// A class for the reason that `VelocloudBP` is one.
package final class VelocloudLimit: Sendable {
    package let owner: Owner
    /// `namespace/name`
    package let key: String
    package let resourceVersion: String
    package let generation: Int
    package let spec: Spec
    package let status: LimitStatus

    /// Reads a resource from the API server's JSON. Throws only when it has no usable metadata; a bad spec is a value.
    package init(json: JSON) throws(MalformedResource) {
        let metadata = try ResourceMetadata(json: json)
        owner = metadata.owner
        key = "\(owner.namespace)/\(owner.name)"
        resourceVersion = metadata.resourceVersion
        generation = metadata.generation
        var reader = LimitReader(spec: json["spec"])
        spec = reader.read()
        status = LimitStatus(json: json["status"])
    }

    /// What a limit says, as far as it can be read.
    package struct Spec: Hashable, Sendable {
        /// In the order of `LimitedField`, each at most once.
        package var lists: [AllowList] = []
        /// `bandwidth-limit.maximum`, percent.
        package var bandwidthMaximum: Bound?
        /// `order.minimum`
        package var orderMinimum: Bound?
        /// `max-rules`
        package var rulesMaximum: Bound?
        /// `max-total-bandwidth`, percent.
        package var totalBandwidthMaximum: Bound?
        /// `on-violation`
        package var onViolation = ViolationPolicy.remove
        /// What cannot be read or makes no sense; the rest of the limit holds all the same.
        package var faults: [SpecFault] = []

        /// Whether it counts what other resources ask for.
        package var hasQuota: Bool { rulesMaximum != nil || totalBandwidthMaximum != nil }
    }

    /// The values that one list of a limit allows.
    package struct AllowList: Hashable, Sendable {
        package let field: LimitedField
        /// As written. Entries that make no sense allow nothing.
        package let entries: [String]
        /// False for a member that is no list of texts: it allows nothing.
        package let isReadable: Bool
        /// The entries of `fqdn-patterns` that make sense.
        let hostnames: [HostnamePattern]
        /// The entries of `dports` that make sense.
        let ports: [PortRange]
        /// Whether it allows anything at all. One that does not is a slip of its author's.
        var makesSense: Bool { isReadable && isSatisfiable(with: []) }

        /// Nil stands for a list that cannot be read.
        init(field: LimitedField, entries: [String]?) {
            self.field = field
            self.entries = entries ?? []
            isReadable = entries != nil
            hostnames = field == .hostnames ? self.entries.compactMap(HostnamePattern.init) : []
            ports = field == .ports ? self.entries.compactMap { PortRange($0) } : []
        }
    }

    /// A number that a limit sets.
    package enum Bound: Hashable, Sendable {
        case number(Int)
        /// It is there, but is no whole number: it allows nothing.
        case unreadable
    }

    /// What becomes of a rule whose resource breaks a limit that was set later: `on-violation`.
    package enum ViolationPolicy: String, CaseIterable, Sendable {
        case keep = "Keep"
        case remove = "Remove"
    }
}

/// The lists of a limit, by their names in its spec.
package enum LimitedField: String, CaseIterable, Sendable {
    case profiles
    case segments
    case hostnames = "fqdn-patterns"
    case ports = "dports"
    case transports = "protocols"
    case serviceClasses = "service-classes"
    case priorities
    case linkPolicies = "link-policies"
    case serviceGroups = "service-groups"

    /// The member of a VelocloudBP's spec that it limits.
    package var askedAs: String {
        switch self {
        case .profiles: "profile"
        case .segments: "segment"
        case .hostnames: "fqdn"
        case .ports: "dport"
        case .transports: "protocol"
        case .serviceClasses: "service-class"
        case .priorities: "priority"
        case .linkPolicies: "link-policy"
        case .serviceGroups: "service-group"
        }
    }

    /// The values that this velokube knows; nil where any text may be one.
    var choices: [String]? {
        switch self {
        case .profiles, .segments, .hostnames, .ports: nil
        case .transports: RuleSettings.TransportProtocol.allCases.map(\.rawValue)
        case .serviceClasses: RuleSettings.ServiceClass.allCases.map(\.rawValue)
        case .priorities: RuleSettings.Priority.allCases.map(\.rawValue)
        case .linkPolicies: RuleSettings.LinkPolicy.allCases.map(\.rawValue)
        case .serviceGroups: RuleSettings.ServiceGroup.allCases.map(\.rawValue)
        }
    }

    /// Names of the WAN team's may hold spaces and commas.
    var isQuoted: Bool { self == .profiles || self == .segments }
}
