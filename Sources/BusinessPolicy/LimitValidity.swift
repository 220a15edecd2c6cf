/// Whether a limit makes sense, by itself and beside the others of its namespace: its condition `Valid`.
package struct LimitValidity: Hashable, Sendable {
    package var reason: Reason
    /// For the person who may write limits.
    package var message: String
    /// The lists of which nothing is allowed beside the other limits.
    package var contradictions: [SpecFault]
    /// What is allowed but does less than it seems.
    package var warning: SpecFault?

    package enum Reason: String, Sendable {
        case valid = "Valid"
        /// Something in it cannot be read or makes no sense.
        case invalidSpec = "InvalidSpec"
        /// Nothing is allowed both by it and by another.
        case contradiction = "Contradiction"
    }

    /// `others` are the other limits of the same namespace.
    package init(of limit: VelocloudLimit, beside others: [VelocloudLimit]) {
        contradictions = limit.spec.lists.compactMap { limit.contradiction($0, others) }
        warning = limit.warning
        let faults = limit.spec.faults.map(\.message)
        reason = !faults.isEmpty ? .invalidSpec : !contradictions.isEmpty ? .contradiction : .valid
        let words = faults + contradictions.map(\.message)
        message = words.isEmpty ? "The limit makes sense." : words.joined(separator: "; ") + "."
        if words.isEmpty, let warning { message += " Warning: \(warning.message)." }
    }
}

extension VelocloudLimit {
    fileprivate var warning: SpecFault? {
        guard let groups = entries(.serviceGroups), !groups.contains(RuleSettings.ServiceGroup.all.rawValue) else {
            return nil
        }
        if let policies = entries(.linkPolicies), !policies.contains(RuleSettings.LinkPolicy.auto.rawValue) {
            return nil
        }
        return SpecFault(
            field: LimitedField.serviceGroups.rawValue,
            message: "spec.service-groups steers nothing while link-policy auto is allowed; to steer by it, "
                + "set spec.link-policies to [fixed]")
    }

    private func entries(_ field: LimitedField) -> [String]? {
        spec.lists.first { $0.field == field }?.entries
    }

    /// Says so when no value is allowed by a list of this limit and by those of all others. Who allows nothing by
    /// himself has a fault of his own.
    fileprivate func contradiction(_ list: AllowList, _ others: [VelocloudLimit]) -> SpecFault? {
        let rivals = others.sorted { $0.owner < $1.owner }.compactMap { other in
            other.spec.lists.first { $0.field == list.field && $0.isSatisfiable(with: []) }
                .map { (name: other.owner.name, list: $0) }
        }
        guard list.isSatisfiable(with: []), !list.isSatisfiable(with: rivals.map(\.list)) else { return nil }
        let opposed = rivals.filter { !list.isSatisfiable(with: [$0.list]) }
        let names = (opposed.isEmpty ? rivals : opposed).map { "\"\($0.name)\"" }.joined(separator: ", ")
        return SpecFault(
            field: list.field.rawValue,
            message: "no value of spec.\(list.field.rawValue) is also allowed by VelocloudLimit \(names), "
                + "so that together they forbid everything")
    }
}

extension VelocloudLimit.AllowList {
    /// Whether some value is in this list and in all others.
    func isSatisfiable(with others: [VelocloudLimit.AllowList]) -> Bool {
        switch field {
        case .hostnames:
            // What two patterns have in common is one of the two, so a set of them never outgrows the limits.
            return !others.map(\.hostnames).reduce(Set(hostnames)) { common, more in
                Set(common.flatMap { pattern in more.compactMap { pattern.intersection($0) } })
            }.isEmpty
        case .ports:
            return !others.map(\.ports).reduce(PortRange.merged(ports)) { common, more in
                PortRange.merged(common.flatMap { range in more.compactMap { range.intersection($0) } })
            }.isEmpty
        default:
            let readable = Set(entries.filter { fault(of: $0) == nil })
            return !others.map(\.entries).reduce(readable) { $0.intersection($1) }.isEmpty
        }
    }
}
