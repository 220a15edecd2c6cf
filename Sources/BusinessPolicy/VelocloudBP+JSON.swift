extension VelocloudBP {
    /// The annotations that velokube reads.
    package enum Annotation {
        package static let paused = "vcn.cloud/paused"
        package static let adopt = "vcn.cloud/adopt"
        package static let deletionPolicy = "vcn.cloud/deletion-policy"
        package static let reconcileRequestedAt = "vcn.cloud/reconcile-requested-at"
    }

    /// The members of a spec. All that is read goes by this list, so that there is no other.
    package enum SpecMember: String, CaseIterable, Sendable {
        case profile
        case segment
        case name
        case fqdn
        case dport
        case dportHigh = "dport-high"
        case transport = "protocol"
        case serviceClass = "service-class"
        case priority
        case bandwidthLimit = "bandwidth-limit"
        case linkPolicy = "link-policy"
        case serviceGroup = "service-group"
        case order
    }
}

/// Checks a spec member by member and gathers every fault, so that one `kubectl apply` can mend them all.
///
/// The CRD's schema says most of this already; an admin may have made it laxer, and it cannot say all.
struct SpecReader {
    private typealias Member = VelocloudBP.SpecMember

    let spec: JSON?
    private var faults: [SpecFault] = []

    static let textLengthMax = 256
    static let portRange = 1...65535
    static let orderRange = 0...10000

    init(spec: JSON?) {
        self.spec = spec
        if let spec, spec.members == nil {
            note(nil, "spec \(spec.shown) is \(spec.kindInWords); needed is an object")
        }
    }

    mutating func profile() -> String? {
        text(.profile, needed: "the name of a profile, 1 to \(Self.textLengthMax) characters", isRequired: true)
    }

    mutating func read(owner: Owner, profile: String?) -> Result<VelocloudBP.Spec, VelocloudBP.InvalidSpec> {
        let segment = segment()
        let name = name(owner: owner)
        let order =
            number(.order, in: Self.orderRange, allowed: "a whole number from 0 to 10000") ?? DesiredRule.defaultOrder
        let hostname = hostname()
        let port = requiredPort()
        let portHigh = portHigh(low: port)
        let transport = choice(.transport, RuleSettings.TransportProtocol.self) ?? .tcp
        let serviceClass = choice(.serviceClass, RuleSettings.ServiceClass.self) ?? .transactional
        let priority = choice(.priority, RuleSettings.Priority.self) ?? .normal
        let bandwidthCap = bandwidthLimit() ?? -1
        let linkPolicy = choice(.linkPolicy, RuleSettings.LinkPolicy.self) ?? .auto
        let serviceGroup = choice(.serviceGroup, RuleSettings.ServiceGroup.self) ?? .all
        guard faults.isEmpty, let profile, let hostname, let port else {
            return .failure(VelocloudBP.InvalidSpec(faults: faults))
        }
        let settings = RuleSettings(
            hostname: hostname, portLow: port, portHigh: portHigh ?? port, transport: transport,
            serviceClass: serviceClass, priority: priority, bandwidthCap: bandwidthCap, linkPolicy: linkPolicy,
            serviceGroup: serviceGroup)
        return .success(
            VelocloudBP.Spec(
                profile: profile, segment: segment, name: name, order: order, settings: settings,
                remarks: remarks(settings)))
    }

    private func remarks(_ settings: RuleSettings) -> [SpecFault] {
        guard settings.linkPolicy == .auto, settings.serviceGroup != .all else { return [] }
        return [
            SpecFault(
                field: Member.serviceGroup.rawValue,
                message: "spec.service-group \(settings.serviceGroup.rawValue) has no effect while spec.link-policy is "
                    + "auto; to steer by it, set link-policy to fixed")
        ]
    }

    // MARK: Members with rules of their own

    private mutating func segment() -> String {
        let needed = "the name of a segment, or nothing for \(DesiredRule.globalSegment)"
        return text(.segment, needed: needed, isRequired: false, lengthMax: nil) ?? DesiredRule.globalSegment
    }

    private mutating func name(owner: Owner) -> String {
        let needed = "1 to \(Self.textLengthMax) characters"
        let standard = "\(owner.namespace).\(owner.name)"
        if value(.name) != nil { return text(.name, needed: needed, isRequired: false) ?? standard }
        if standard.unicodeScalars.count > Self.textLengthMax {
            note(
                .name,
                "spec.name is not given, and namespace and name of the resource together are longer than "
                    + "\(Self.textLengthMax) characters; give it a spec.name of \(needed)")
        }
        return standard
    }

    private mutating func hostname() -> String? {
        let needed = "a DNS name of two labels or more, at most 253 characters, such as app.example.com"
        guard let text = text(.fqdn, needed: needed, isRequired: true, lengthMax: nil) else { return nil }
        let hostname = text.lowercased()
        if let fault = Self.hostnameFault(hostname) {
            note(.fqdn, "spec.fqdn \(JSON.string(text).shown) \(fault); needed is \(needed)")
            return nil
        }
        return hostname
    }

    /// What keeps a name from being one that a rule can match by, in words.
    static func hostnameFault(_ hostname: String, labelsMin: Int = 2) -> String? {
        if hostname.contains("*") {
            return "has a wildcard (a rule matches every name that ends in its fqdn, so none is needed)"
        }
        if hostname.hasSuffix(".") { return "ends with a dot" }
        if hostname.utf8.count > 253 { return "is longer than 253 characters" }
        let labels = hostname.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            if label.isEmpty { return "has an empty label" }
            if label.count > 63 { return "has a label of more than 63 characters" }
            if label.first == UInt8(ascii: "-") || label.last == UInt8(ascii: "-") {
                return "has a label that begins or ends with a hyphen"
            }
            let isPlain = label.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            if !isPlain { return "has characters other than letters, digits, hyphens and dots" }
        }
        if labels.count < labelsMin { return "has only one label and would match every name under it" }
        let isNumeric = labels.last?.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        return isNumeric ? "is an address, not a name" : nil
    }

    private static let portAllowed = "a whole number from 1 to 65535"

    private mutating func requiredPort() -> Int? {
        guard value(.dport) != nil else {
            note(.dport, "spec.dport is missing; needed is \(Self.portAllowed)")
            return nil
        }
        return number(.dport, in: Self.portRange, allowed: Self.portAllowed)
    }

    private mutating func portHigh(low: Int?) -> Int? {
        guard let high = number(.dportHigh, in: Self.portRange, allowed: Self.portAllowed) else { return nil }
        if let low, high < low {
            note(.dportHigh, "spec.dport-high \(high) is below spec.dport \(low); allowed is \(low) to 65535")
        }
        return high
    }

    private mutating func bandwidthLimit() -> Int? {
        let allowed = "1 to 100 percent, or -1 for no limit"
        if value(.bandwidthLimit)?.int == 0 {
            note(.bandwidthLimit, "spec.bandwidth-limit 0 would block the app; allowed is \(allowed)")
            return nil
        }
        return number(.bandwidthLimit, in: -1...100, allowed: allowed)
    }

    /// No member: the spec as a whole is at fault.
    private mutating func note(_ member: Member?, _ message: String) {
        faults.append(SpecFault(field: member?.rawValue ?? "", message: message))
    }

    // MARK: Kinds of members

    /// A member that is `null` counts as not given, as it does for the API server.
    private func value(_ member: Member) -> JSON? {
        spec?[member.rawValue].flatMap { $0 == .null ? nil : $0 }
    }

    private mutating func text(
        _ member: Member, needed: String, isRequired: Bool, lengthMax: Int? = textLengthMax
    ) -> String? {
        guard let value = value(member) else {
            if isRequired { note(member, "spec.\(member.rawValue) is missing; needed is \(needed)") }
            return nil
        }
        guard let text = value.string else {
            note(
                member, "spec.\(member.rawValue) \(value.shown) is \(value.kindInWords); needed is a string, \(needed)")
            return nil
        }
        if text.isEmpty {
            note(member, "spec.\(member.rawValue) \"\" is empty; needed is \(needed)")
            return nil
        }
        if let lengthMax, text.unicodeScalars.count > lengthMax {
            let count = text.unicodeScalars.count
            note(member, "spec.\(member.rawValue) \(value.shown) is \(count) characters long; needed is \(needed)")
            return nil
        }
        return text
    }

    private mutating func number(_ member: Member, in range: ClosedRange<Int>, allowed: String) -> Int? {
        guard let value = value(member) else { return nil }
        guard case .number = value else {
            note(member, "spec.\(member.rawValue) \(value.shown) is \(value.kindInWords); allowed is \(allowed)")
            return nil
        }
        guard let number = value.int else {
            note(member, "spec.\(member.rawValue) \(value.shown) is not a whole number in range; allowed is \(allowed)")
            return nil
        }
        guard range.contains(number) else {
            let fault = number < range.lowerBound ? "is below \(range.lowerBound)" : "is over \(range.upperBound)"
            note(member, "spec.\(member.rawValue) \(value.shown) \(fault); allowed is \(allowed)")
            return nil
        }
        return number
    }

    private mutating func choice<Choice>(_ member: Member, _: Choice.Type) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let value = value(member) else { return nil }
        var allowed: String { Choice.allCases.map(\.rawValue).joined(separator: ", ") }
        guard let text = value.string else {
            note(member, "spec.\(member.rawValue) \(value.shown) is \(value.kindInWords); allowed is one of \(allowed)")
            return nil
        }
        guard let choice = Choice(rawValue: text) else {
            note(member, "spec.\(member.rawValue) \(value.shown) is not known; allowed is one of \(allowed)")
            return nil
        }
        return choice
    }
}

extension JSON {
    private static var shownLengthMax: Int { 64 }

    /// The value as a message shows it: as it was spelt, cut when it is long.
    package var shown: String {
        let text = serializedText()
        return text.count > Self.shownLengthMax ? text.prefix(Self.shownLengthMax) + "…" : text
    }

    var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
