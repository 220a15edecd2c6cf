/// What a resource asks for, as far as limits look at it.
package struct Ask: Hashable, Sendable {
    package var profile: String
    package var segment: String
    package var order: Int
    package var settings: RuleSettings

    package init(profile: String, segment: String, order: Int, settings: RuleSettings) {
        self.profile = profile
        self.segment = segment
        self.order = order
        self.settings = settings
    }

    package init(_ spec: VelocloudBP.Spec) {
        self.init(profile: spec.profile, segment: spec.segment, order: spec.order, settings: spec.settings)
    }

    /// What it takes of a `max-total-bandwidth`: percent, a rule without a cap counting as the whole link.
    var bandwidth: Int { settings.bandwidthCap < 0 ? 100 : settings.bandwidthCap }
}

/// One limit that one resource breaks.
package struct LimitViolation: Hashable, Sendable {
    /// Name of the VelocloudLimit.
    package var limit: String
    /// The member of the VelocloudBP's spec at fault, such as `fqdn`; empty when there are too many rules.
    package var field: String
    /// Value, bound and limit, in words for the resource's owner.
    package var message: String
    /// Whether a rule made before is to go. Never where the limit cannot be read or allows nothing at all: a slip must
    /// not take rules away.
    package var removesRule: Bool
}

extension VelocloudLimit {
    /// How people know it.
    package var title: String { "VelocloudLimit \"\(owner.name)\"" }

    /// Every way in which an ask breaks this limit, the quotas aside; in the order of the spec's members.
    ///
    /// The ValidatingAdmissionPolicy in `manifests/admission` says the same in the same words.
    package func violations(of ask: Ask) -> [LimitViolation] {
        var violations: [LimitViolation] = []
        for list in spec.lists where !list.allows(ask) {
            violations.append(
                violation(
                    list.field.askedAs, list.isReadable ? list.complaint(ask, title) : unreadable(list.field.rawValue),
                    makesSense: list.makesSense))
        }
        let cap = ask.settings.bandwidthCap
        switch spec.bandwidthMaximum {
        case .number(let maximum) where cap < 0 || cap > maximum:
            let value = cap < 0 ? "\(cap) (no limit)" : "\(cap)"
            violations.append(
                violation(
                    "bandwidth-limit", "spec.bandwidth-limit \(value) is over \(maximum), the maximum of \(title)"))
        case .unreadable:
            violations.append(violation("bandwidth-limit", unreadable("bandwidth-limit"), makesSense: false))
        case .number, nil: break
        }
        switch spec.orderMinimum {
        case .number(let minimum) where ask.order < minimum:
            violations.append(
                violation("order", "spec.order \(ask.order) is under \(minimum), the minimum of \(title)"))
        case .unreadable:
            violations.append(violation("order", unreadable("order"), makesSense: false))
        case .number, nil: break
        }
        return violations
    }

    /// Every quota that one more ask would break, given what older resources of the namespace use.
    func quotaViolations(of ask: Ask, beside usage: LimitUsage) -> [LimitViolation] {
        var violations: [LimitViolation] = []
        switch spec.rulesMaximum {
        case .number(let maximum) where usage.rules + 1 > maximum:
            let holders = maximum > 0 ? "older resources of the namespace have all the rules that " : ""
            let allowance = maximum > 0 ? "allows" : "allows no rule"
            violations.append(
                violation(
                    "", "\(holders)max-rules \(maximum) of \(title) \(allowance)", makesSense: maximum >= 0))
        case .unreadable: violations.append(violation("", unreadable("max-rules"), makesSense: false))
        case .number, nil: break
        }
        switch spec.totalBandwidthMaximum {
        case .number(let maximum) where (usage.bandwidth[ask.profile] ?? 0) + ask.bandwidth > maximum:
            let cap = ask.settings.bandwidthCap
            let value = cap < 0 ? "\(cap) (no limit, which counts as 100)" : "\(cap)"
            let relation =
                ask.bandwidth > maximum
                ? "is over" : "does not fit beside older resources on profile \"\(ask.profile)\" into"
            violations.append(
                violation(
                    "bandwidth-limit",
                    "spec.bandwidth-limit \(value) \(relation) \(maximum), the max-total-bandwidth of \(title)"))
        case .unreadable:
            violations.append(violation("bandwidth-limit", unreadable("max-total-bandwidth"), makesSense: false))
        case .number, nil: break
        }
        return violations
    }

    private func violation(_ field: String, _ message: String, makesSense: Bool = true) -> LimitViolation {
        LimitViolation(
            limit: owner.name, field: field, message: message,
            removesRule: makesSense && spec.onViolation == .remove)
    }

    private func unreadable(_ member: String) -> String {
        "spec.\(member) of \(title) cannot be read, so that it allows nothing"
    }
}

extension VelocloudLimit.AllowList {
    func allows(_ ask: Ask) -> Bool {
        switch field {
        case .hostnames: return hostnames.contains { $0.matches(ask.settings.hostname) }
        case .ports: return allowsPorts(from: ask.settings.portLow, to: ask.settings.portHigh)
        default: return entries.contains(value(of: ask))
        }
    }

    /// Whether the ranges together hold every port: the first one, and each that follows the end of a range.
    private func allowsPorts(from low: Int, to high: Int) -> Bool {
        func isHeld(_ port: Int) -> Bool { ports.contains { $0.contains(port) } }
        return isHeld(low) && ports.allSatisfy { $0.high < low || $0.high >= high || isHeld($0.high + 1) }
    }

    func value(of ask: Ask) -> String {
        let settings = ask.settings
        return switch field {
        case .profiles: ask.profile
        case .segments: ask.segment
        case .hostnames: settings.hostname
        case .ports:
            settings.portLow == settings.portHigh
                ? "\(settings.portLow)" : "\(settings.portLow) to \(settings.portHigh)"
        case .transports: settings.transport.rawValue
        case .serviceClasses: settings.serviceClass.rawValue
        case .priorities: settings.priority.rawValue
        case .linkPolicies: settings.linkPolicy.rawValue
        case .serviceGroups: settings.serviceGroup.rawValue
        }
    }

    /// What is wrong with a value, in words.
    func complaint(_ ask: Ask, _ title: String) -> String {
        let quote = field.isQuoted ? "\"" : ""
        let relation =
            switch field {
            case .hostnames: "is none of"
            case .ports: ask.settings.portLow == ask.settings.portHigh ? "is not in" : "is not all in"
            default: "is not one of"
            }
        let allowed = Self.cut(entries.map { quote + $0 + quote }.joined(separator: ", "))
        return "spec.\(field.askedAs) \(quote)\(value(of: ask))\(quote) \(relation) \(allowed), "
            + "the \(field.rawValue) of \(title)"
    }

    /// A message has to fit into what the API server passes on.
    private static func cut(_ text: String) -> String {
        guard text.unicodeScalars.count > shownLengthMax else { return text }
        var kept = String.UnicodeScalarView()
        kept.append(contentsOf: text.unicodeScalars.prefix(shownLengthMax))
        return String(kept) + "…"
    }

    private static let shownLengthMax = 300
}
