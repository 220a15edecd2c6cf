import BusinessPolicy

/// What limits look at, of a resource's spec or of a rule as it was asked for.
struct Asked {
    var profile: String
    var segment: String
    var fqdn: String
    var port: Int
    var serviceClass: String
    var linkPolicy: String
    var cap: Int
    var order: Int

    var portText: String { String(port) }
    /// What it takes of a link.
    var percent: Int { cap < 0 ? 100 : cap }

    init(_ wish: Wish) {
        profile = wish.profile
        segment = wish.segment
        fqdn = wish.spec["fqdn"]?.string ?? ""
        port = wish.spec["dport"]?.int ?? 0
        serviceClass = wish.spec["service-class"]?.string ?? "transactional"
        linkPolicy = wish.spec["link-policy"]?.string ?? "auto"
        cap = wish.spec["bandwidth-limit"]?.int ?? -1
        order = wish.order
    }

    /// Nil for a rule of which only the place is known.
    init?(_ rule: OwnedRule?) {
        guard let rule, let wanted = rule.wanted else { return nil }
        profile = rule.profileName
        segment = rule.place.segmentID == 0 ? "Global Segment" : rule.segmentName
        fqdn = wanted.hostname
        port = wanted.portLow
        serviceClass = wanted.serviceClass.rawValue
        linkPolicy = wanted.linkPolicy.rawValue
        cap = wanted.bandwidthCap
        order = rule.order
    }
}

/// A VelocloudLimit, read from its YAML by the documentation alone: none of it is the operator's own judgement.
struct WorldLimit {
    let name: String
    let namespace: String
    let object: JSON
    let spec: JSON

    init(_ object: JSON) {
        self.object = object
        name = object["metadata"]?["name"]?.string ?? ""
        namespace = object["metadata"]?["namespace"]?.string ?? ""
        spec = object["spec"] ?? .null
    }

    var title: String { "VelocloudLimit \"\(name)\"" }
    /// Whether it lets rules be that break it; so does one whose word for that is not known.
    var keeps: Bool { spec["on-violation"].map { $0.string != "Remove" } ?? false }
    var hasQuota: Bool { Self.quotas.contains { spec[$0] != nil } }

    private static let quotas = ["max-rules", "max-total-bandwidth"]

    /// A list of what is allowed.
    private struct List {
        var member: String
        /// The values that there are; nil where any text may be one.
        var choices: [String]?
        var value: @Sendable (Asked) -> String
        var allows: @Sendable (_ entry: String, _ value: String) -> Bool = { $0 == $1 }
    }

    private static let lists = [
        List(member: "profiles", value: \.profile),
        List(member: "segments", value: \.segment),
        List(member: "fqdn-patterns", value: \.fqdn) { entry, value in
            entry.hasPrefix("*.") ? value.hasSuffix(entry.dropFirst()) : value == entry
        },
        List(member: "dports", value: \.portText) { entry, value in
            guard let ends = ends(entry), let port = Int(value) else { return false }
            return ends.low <= port && port <= ends.high
        },
        List(
            member: "service-classes", choices: ["realtime", "transactional", "bulk"], value: \.serviceClass),
        List(member: "link-policies", choices: ["auto", "fixed"], value: \.linkPolicy),
    ]

    private static func ends(_ range: String) -> (low: Int, high: Int)? {
        let ends = range.split(separator: "-").compactMap { Int($0) }
        guard let low = ends.first, let high = ends.last else { return nil }
        return (low, high)
    }

    /// Nil when the limit has no such list; without entries where it cannot be read.
    private func entries(_ list: List) -> [String?]? {
        guard let value = spec[list.member] else { return nil }
        return value.array?.map { $0.string ?? $0.int.map(String.init) } ?? [nil]
    }

    /// Every way in which it is broken, the quotas aside: whether that takes the rule away. What cannot be read allows
    /// nothing and takes nothing.
    func breaches(_ asked: Asked) -> [Bool] {
        var breaches = Self.lists.compactMap { list -> Bool? in
            guard let entries = entries(list) else { return nil }
            if entries.contains(nil) { return false }
            let value = list.value(asked)
            return entries.contains { list.allows($0 ?? "", value) } ? nil : !keeps
        }
        if let bound = spec["bandwidth-limit"] {
            guard let maximum = bound["maximum"]?.int else { return breaches + [false] }
            if asked.cap < 0 || asked.cap > maximum { breaches.append(!keeps) }
        }
        if let bound = spec["order"] {
            guard let minimum = bound["minimum"]?.int else { return breaches + [false] }
            if asked.order < minimum { breaches.append(!keeps) }
        }
        return breaches
    }

    /// The same of the quotas, given what older resources have.
    func breaches(_ asked: Asked, rules: Int, percent: Int) -> [Bool] {
        zip(Self.quotas, [rules + 1, percent + asked.percent]).compactMap { quota, needed in
            guard let value = spec[quota] else { return nil }
            guard let maximum = value.int else { return false }
            return needed > maximum ? !keeps : nil
        }
    }

    /// What its condition must say.
    func validity(beside others: [WorldLimit]) -> String {
        if isFaulty { return "InvalidSpec" }
        let contradicts = Self.lists.contains { list in
            let rivals = others.filter { !$0.values(list, allowedBy: [$0]).isEmpty }
            return entries(list) != nil && values(list, allowedBy: [self] + rivals).isEmpty
        }
        return contradicts ? "Contradiction" : "Valid"
    }

    /// Values that would do for this and the given limits: if any does, then one that is as narrow as an entry.
    private func values(_ list: List, allowedBy limits: [WorldLimit]) -> [String] {
        let all = limits.compactMap { $0.entries(list)?.compactMap(\.self) }
        return all.joined().map { entry in
            switch list.member {
            case "fqdn-patterns": entry.hasPrefix("*.") ? "any" + entry.dropFirst() : entry
            case "dports": String(entry.prefix { $0 != "-" })
            default: entry
            }
        }.filter { value in
            list.choices?.contains(value) ?? true
                && all.allSatisfy { entries in entries.contains { list.allows($0, value) } }
        }
    }

    private var isFaulty: Bool {
        let known = Self.lists.map(\.member) + Self.quotas + ["bandwidth-limit", "order", "on-violation"]
        let policy = spec["on-violation"]
        return (spec.members ?? []).contains { !known.contains($0.name) }
            || policy.map { !["Keep", "Remove"].contains($0.string) } ?? false
            || Self.quotas.contains { spec[$0].map { $0.int == nil } ?? false }
            || Self.lists.contains { list in
                (entries(list) ?? []).contains { entry in
                    guard let entry else { return true }
                    if list.member == "dports" { return Self.ends(entry).map { $0.low > $0.high } ?? true }
                    return list.choices.map { !$0.contains(entry) } ?? false
                }
            }
    }
}

/// Who of a namespace is outside its limits, and what the others use.
struct NamespaceJudgement {
    struct Breach {
        /// Whether the resource may have no rule.
        var removes: Bool
        var limits: [WorldLimit]
    }

    /// By uid.
    private(set) var breaches: [String: Breach] = [:]
    private(set) var rules = 0
    private(set) var percent: [String: Int] = [:]

    /// Takes the resources of a namespace one by one, the oldest first.
    init(_ wishes: [Wish], _ limits: [WorldLimit], records: [String: OwnedRule]) {
        guard !limits.isEmpty else { return }
        let hasRule = { (wish: Wish) in records[wish.uid] != nil || wish.stated != nil }
        let byAge = wishes.filter { !$0.isDeleting }
            .sorted { ($0.createdAt, hasRule($0) ? 0 : 1, $0.uid) < ($1.createdAt, hasRule($1) ? 0 : 1, $1.uid) }
        for wish in byAge {
            let old = Asked(records[wish.uid])
            // Of a paused resource the rule counts that it has, and what it asks for must be allowed as well.
            guard let asked = wish.isValid && !(wish.isPaused && old != nil) ? Asked(wish) : old else { continue }
            var broken = limits.map { ($0, $0.breaches(asked)) }.filter { !$0.1.isEmpty }
            if broken.isEmpty, wish.isValid {
                broken = limits.map { ($0, $0.breaches(Asked(wish))) }.filter { !$0.1.isEmpty }
            }
            if broken.isEmpty, wish.isValid {
                broken = limits.map { ($0, $0.breaches(asked, rules: rules, percent: percent[asked.profile] ?? 0)) }
                    .filter { !$0.1.isEmpty }
            }
            if broken.isEmpty {
                use(asked)
                continue
            }
            let removes = broken.contains { $0.1.contains(true) }
            breaches[wish.uid] = Breach(removes: removes, limits: broken.map(\.0))
            if hasRule(wish), !removes { use(old ?? asked) }
        }
    }

    private mutating func use(_ asked: Asked) {
        rules += 1
        percent[asked.profile, default: 0] += asked.percent
    }
}
