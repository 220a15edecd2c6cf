/// What a resource asks of its rule: the members that velokube sets, and none other.
///
/// Ranges are those of the resource's spec; a value of this type has passed validation.
package struct RuleSettings: Hashable, Sendable {
    /// `match.hostname`; lower case, as DNS names compare without regard to case.
    package var hostname: String
    /// `match.dport_low` and `match.dport_high`, 1...65535, low at most high.
    package var portLow: Int
    package var portHigh: Int
    /// `match.proto`
    package var transport: TransportProtocol
    /// `action.QoS.type`
    package var serviceClass: ServiceClass
    /// `priority` of `action.QoS.rxScheduler` and `txScheduler`.
    package var priority: Priority
    /// `bandwidthCapPct` of both schedulers: percent of the link, 1...100, or -1 for no cap.
    package var bandwidthCap: Int
    /// `linkPolicy` of the three route actions.
    package var linkPolicy: LinkPolicy
    /// `serviceGroup` of the three route actions.
    package var serviceGroup: ServiceGroup

    /// The protocols that have ports.
    package enum TransportProtocol: String, CaseIterable, Sendable {
        case tcp, udp

        /// The IP protocol number that the VCO uses.
        package var number: Int {
            switch self {
            case .tcp: 6
            case .udp: 17
            }
        }
    }

    /// How the VCO treats the traffic; a class of its own scheduler.
    package enum ServiceClass: String, CaseIterable, Sendable { case realtime, transactional, bulk }
    /// Precedence inside the service class.
    package enum Priority: String, CaseIterable, Sendable { case high, normal, low }
    /// Whether the service group is binding (`fixed`) or the VCO steers as it likes.
    package enum LinkPolicy: String, CaseIterable, Sendable { case auto, fixed }
    /// The kind of WAN links to use.
    package enum ServiceGroup: String, CaseIterable, Sendable {
        case all = "ALL"
        case publicWired = "PUBLIC_WIRED"
        case privateWired = "PRIVATE_WIRED"
        case publicWireless = "PUBLIC_WIRELESS"
    }

    package init(
        hostname: String, portLow: Int, portHigh: Int, transport: TransportProtocol = .tcp,
        serviceClass: ServiceClass = .transactional, priority: Priority = .normal, bandwidthCap: Int = -1,
        linkPolicy: LinkPolicy = .auto, serviceGroup: ServiceGroup = .all
    ) {
        self.hostname = hostname
        self.portLow = portLow
        self.portHigh = portHigh
        self.transport = transport
        self.serviceClass = serviceClass
        self.priority = priority
        self.bandwidthCap = bandwidthCap
        self.linkPolicy = linkPolicy
        self.serviceGroup = serviceGroup
    }
}
