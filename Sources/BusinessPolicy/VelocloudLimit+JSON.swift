/// Reads a limit's spec member by member. What cannot be read becomes a fault and allows nothing, so that a limit from
/// a newer version or past a laxer schema never allows more than its author meant.
struct LimitReader {
    let spec: JSON?
    private var result = VelocloudLimit.Spec()

    init(spec: JSON?) {
        self.spec = spec
    }

    mutating func read() -> VelocloudLimit.Spec {
        if let spec, spec.members == nil {
            note("", "spec \(spec.shown) is \(spec.kindInWords); needed is an object")
            return result
        }
        for field in LimitedField.allCases { readList(field) }
        result.bandwidthMaximum = nested(.bandwidthLimit, in: 1...100, allowed: "1 to 100 percent")
        result.orderMinimum = nested(.order, in: SpecReader.orderRange, allowed: "a whole number from 0 to 10000")
        result.rulesMaximum = quota(.rules)
        result.totalBandwidthMaximum = quota(.totalBandwidth)
        readPolicy()
        for member in spec?.members ?? [] where !VelocloudLimit.specMembers.contains(member.name) {
            note(member.name, "spec.\(member.name) is not known to this version of velokube, which does not enforce it")
        }
        return result
    }

    /// A member that is `null` counts as not given, as it does for the API server.
    private func given(_ field: String) -> JSON? {
        spec?[field].flatMap { $0 == .null ? nil : $0 }
    }

    private mutating func note(_ field: String, _ message: String) {
        result.faults.append(SpecFault(field: field, message: message))
    }

    private mutating func readList(_ field: LimitedField) {
        guard let value = given(field.rawValue) else { return }
        let entries = value.array?.map { entry in entry.string ?? (field == .ports ? entry.int.map(String.init) : nil) }
        guard let entries, !entries.contains(nil) else {
            note(field.rawValue, "spec.\(field.rawValue) \(value.shown) is no list of texts, so that it allows nothing")
            result.lists.append(.init(field: field, entries: nil))
            return
        }
        let list = VelocloudLimit.AllowList(field: field, entries: entries.compactMap(\.self))
        if list.entries.isEmpty { note(field.rawValue, "spec.\(field.rawValue) is empty, so that it allows nothing") }
        for entry in list.entries {
            guard let fault = list.fault(of: entry) else { continue }
            note(field.rawValue, "spec.\(field.rawValue): \"\(entry)\" \(fault), so that it allows nothing")
        }
        result.lists.append(list)
    }

    private mutating func nested(
        _ field: NumericLimit, in range: ClosedRange<Int>, allowed: String
    ) -> VelocloudLimit.Bound? {
        guard let value = given(field.rawValue), let member = field.innerMember else { return nil }
        let path = "spec.\(field.rawValue).\(member)"
        guard let number = value[member] else {
            let fault =
                value.members == nil
                ? "spec.\(field.rawValue) \(value.shown) is \(value.kindInWords)" : "\(path) is missing"
            note(
                field.rawValue,
                "\(fault), so that it allows nothing; needed is an object such as {\(member): \(range.upperBound / 2)}")
            return .unreadable
        }
        return bound(path, number, field.rawValue, in: range, allowed: allowed)
    }

    private mutating func quota(_ field: NumericLimit) -> VelocloudLimit.Bound? {
        guard let value = given(field.rawValue) else { return nil }
        return bound("spec.\(field.rawValue)", value, field.rawValue, in: 0...Int.max, allowed: "0 or more")
    }

    /// A number out of its range is taken at its word, which forbids or allows all.
    private mutating func bound(
        _ path: String, _ value: JSON, _ field: String, in range: ClosedRange<Int>, allowed: String
    ) -> VelocloudLimit.Bound {
        guard let number = value.int else {
            note(field, "\(path) \(value.shown) is no whole number, so that it allows nothing; needed is \(allowed)")
            return .unreadable
        }
        if !range.contains(number) { note(field, "\(path) \(number) makes no sense; needed is \(allowed)") }
        return .number(number)
    }

    private mutating func readPolicy() {
        guard let value = given(VelocloudLimit.policyMember) else { return }
        if let policy = value.string.flatMap(VelocloudLimit.ViolationPolicy.init(rawValue:)) {
            result.onViolation = policy
        } else {
            // Of the two, the one that loses nothing.
            result.onViolation = .keep
            note(
                VelocloudLimit.policyMember,
                "spec.on-violation \(value.shown) is not known and taken for Keep; it is Keep or Remove"
            )
        }
    }
}

/// The members of a limit's spec that set a number.
package enum NumericLimit: String, CaseIterable, Sendable {
    case bandwidthLimit = "bandwidth-limit"
    case order
    case rules = "max-rules"
    case totalBandwidth = "max-total-bandwidth"

    /// The one member of those that are objects.
    package var innerMember: String? {
        switch self {
        case .bandwidthLimit: "maximum"
        case .order: "minimum"
        case .rules, .totalBandwidth: nil
        }
    }
}

extension VelocloudLimit {
    fileprivate static let policyMember = "on-violation"

    /// The members that the spec of a limit may have.
    package static let specMembers =
        LimitedField.allCases.map(\.rawValue) + NumericLimit.allCases.map(\.rawValue) + [policyMember]
}

extension VelocloudLimit.AllowList {
    /// Why an entry makes no sense, in words.
    func fault(of entry: String) -> String? {
        if let choices = field.choices {
            return choices.contains(entry) ? nil : "is none of \(choices.joined(separator: ", "))"
        }
        switch field {
        case .hostnames: return HostnamePattern.fault(of: entry)
        case .ports: return PortRange.fault(of: entry)
        default: return entry.isEmpty ? "is empty" : nil
        }
    }
}

/// `*.shop.example`: every name below; without the star: that very name.
struct HostnamePattern: Hashable {
    /// In lower case; with its leading dot when it stands for the names below.
    let text: String

    /// Nil for a text that is no pattern.
    init?(_ pattern: String) {
        guard Self.fault(of: pattern) == nil else { return nil }
        let lower = pattern.lowercased()
        text = lower.hasPrefix("*.") ? String(lower.dropFirst()) : lower
    }

    static func fault(of pattern: String) -> String? {
        let isWildcard = pattern.hasPrefix("*.")
        let name = isWildcard ? String(pattern.dropFirst(2)) : pattern
        if name.contains("*") { return "has a star elsewhere than at the beginning, as in *.example.com" }
        return SpecReader.hostnameFault(name.lowercased(), labelsMin: isWildcard ? 1 : 2)
    }

    /// Whether a name, in lower case, is one of those it stands for.
    func matches(_ hostname: String) -> Bool {
        isWildcard ? hostname.hasSuffix(text) : hostname == text
    }

    private var isWildcard: Bool { text.hasPrefix(".") }

    /// The names that both stand for; nil when there is none.
    func intersection(_ other: HostnamePattern) -> HostnamePattern? {
        if self == other || other.isWildcard && text.hasSuffix(other.text) { return self }
        return isWildcard && other.text.hasSuffix(text) ? other : nil
    }
}

/// `443` or `8000-8999`.
struct PortRange: Hashable {
    let low: Int
    let high: Int

    /// Nil for a text that is no range of ports.
    init?(_ text: String) {
        guard let ends = Self.ends(text), Self.fault(of: ends) == nil else { return nil }
        self.init(low: ends.low, high: ends.high)
    }

    private init(low: Int, high: Int) {
        self.low = low
        self.high = high
    }

    static func fault(of text: String) -> String? {
        guard let ends = ends(text) else { return "is neither a port such as 443 nor a range such as 8000-8999" }
        return fault(of: ends)
    }

    private static func fault(of ends: (low: Int, high: Int)) -> String? {
        let allowed = SpecReader.portRange
        guard allowed.contains(ends.low), allowed.contains(ends.high) else { return "is not within 1 to 65535" }
        return ends.high < ends.low ? "runs backwards" : nil
    }

    private static func ends(_ text: String) -> (low: Int, high: Int)? {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            guard (1...5).contains(part.count), part.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
                part.first != UInt8(ascii: "0")
            else { return nil }
            return Int(Substring(part))
        }
        guard numbers.count == parts.count, parts.count <= 2, let low = numbers.first, let high = numbers.last else {
            return nil
        }
        return (low, high)
    }

    func contains(_ port: Int) -> Bool { low <= port && port <= high }

    /// The same ports in as few ranges as can be, so that crossing many lists stays small.
    static func merged(_ ranges: [PortRange]) -> [PortRange] {
        ranges.sorted { $0.low < $1.low }.reduce(into: []) { merged, range in
            guard let last = merged.last, range.low <= last.high + 1 else { return merged.append(range) }
            merged[merged.count - 1] = PortRange(low: last.low, high: max(last.high, range.high))
        }
    }

    func intersection(_ other: PortRange) -> PortRange? {
        let common = PortRange(low: max(low, other.low), high: min(high, other.high))
        return common.low <= common.high ? common : nil
    }
}
