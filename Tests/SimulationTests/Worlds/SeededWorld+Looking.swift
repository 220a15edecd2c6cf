import BusinessPolicy
import HTTPTransport
import Ledger
import Operator
import Simulation

/// What the laws look at. None of it is the operator's own reading of rules and resources.
extension SeededWorld {
    /// A rule on the VCO that is not the WAN team's.
    struct OwnRule {
        var profile: String
        var profileID: Int
        var segment: String
        var name: String
        var json: JSON

        var place: String { "\(profile)/\(segment)/\(name)" }
    }

    /// The processes that may write now, by their own word.
    var leading: [OperatorProcess] {
        state.withLock { $0.living }.filter(\.controller.isLeading)
    }

    func foreignNames(_ profile: Int, _ segment: Int?) -> Set<String> {
        state.withLock { $0.foreignNames["\(profile)/\(segment ?? -1)"] ?? [] }
    }

    func addForeign(_ name: String, _ profile: Int, _ segment: Int?) {
        state.withLock { _ = $0.foreignNames["\(profile)/\(segment ?? -1)", default: []].insert(name) }
    }

    func removeForeign(_ name: String, _ profile: Int, _ segment: Int?) {
        state.withLock { _ = $0.foreignNames["\(profile)/\(segment ?? -1)", default: []].remove(name) }
    }

    /// Whether a ledger or a status says that a rule of this name is the operator's on this profile.
    func isClaimed(_ profile: ProfileView, _ name: String) async -> Bool {
        let isStated = apiServer.objects().contains { object in
            guard let stated = Wish(object).stated else { return false }
            return stated.profile == profile.name && stated.name == name
        }
        if isStated { return true }
        for process in state.withLock({ $0.living }) {
            if await process.ledger.rules(onProfile: profile.id).contains(where: { $0.place.name == name }) {
                return true
            }
        }
        return false
    }

    func ownRules(_ profiles: [ProfileView]? = nil) -> [OwnRule] {
        (profiles ?? orchestrator.profiles).flatMap { profile in
            profile.segments.flatMap { segment -> [OwnRule] in
                let foreign = foreignNames(profile.id, segment.id)
                return zip(segment.names, segment.rules).compactMap { name, bytes -> OwnRule? in
                    guard let name, !foreign.contains(name), let json = try? JSON.parse(bytes) else { return nil }
                    return OwnRule(
                        profile: profile.name, profileID: profile.id, segment: segment.name, name: name, json: json)
                }
            }
        }
    }

    /// Whether a rule is known to be the operator's own, and its resource is there: then an edit is seen to be one.
    ///
    /// Of a rule whose creation or removal is not settled, and of one whose resource has vanished, only what it says
    /// tells whose it is.
    func isOwned(_ profile: Int, _ segment: String, _ name: String) async -> Bool {
        let living = Set(apiServer.objects().compactMap { $0["metadata"]?["uid"]?.string })
        for process in leading {
            let rules = await process.ledger.rules(onProfile: profile)
            let isCertain = rules.contains {
                $0.segmentName == segment && $0.place.name == name && ($0.intent == nil || $0.intent == .update)
                    && living.contains($0.owner.uid)
            }
            if isCertain { return true }
        }
        return false
    }

    /// Whether the VCO holds what the resource's spec asks for, where it asks for it.
    func isHonoured(_ object: JSON) -> Bool {
        let wish = Wish(object)
        return ownRules().contains { wish.isPlaced($0) && wish.isHonoured(by: $0.json) }
    }
}

/// What a resource asks for, read from its YAML by the documentation alone.
struct Wish {
    let object: JSON
    let namespace: String
    /// Its own name, not its rule's.
    let resourceName: String
    let key: String
    let profile: String
    let segment: String
    let name: String
    let order: Int
    let spec: JSON

    init(_ object: JSON) {
        self.object = object
        namespace = object["metadata"]?["namespace"]?.string ?? ""
        resourceName = object["metadata"]?["name"]?.string ?? ""
        key = "\(namespace)/\(resourceName)"
        let spec = object["spec"] ?? .null
        self.spec = spec
        profile = spec["profile"]?.string ?? ""
        segment = spec["segment"]?.string ?? "Global Segment"
        name = spec["name"]?.string ?? "\(namespace).\(resourceName)"
        order = spec["order"]?.int ?? 1000
    }

    var uid: String { object["metadata"]?["uid"]?.string ?? "" }
    var createdAt: String { object["metadata"]?["creationTimestamp"]?.string ?? "" }
    var generation: JSON? { object["metadata"]?["generation"] }
    var isDeleting: Bool { object["metadata"]?["deletionTimestamp"] != nil }
    var isPaused: Bool { object["metadata"]?["annotations"]?[SeededWorld.paused]?.string == "true" }
    var isValid: Bool { spec["fqdn"]?.string?.contains(".") ?? false }
    var isRejected: Bool { spec["dport"]?.int == Weather.rejectedPort }
    var place: String { "\(profile)/\(segment)/\(name)" }

    func condition(_ type: String) -> JSON? {
        object["status"]?["conditions"]?.array?.first { $0["type"]?.string == type }
    }

    var hasFoundRule: Bool { object["status"]?["rule"]?["adopted"]?.bool ?? false }
    var isReady: Bool { condition("Ready")?["status"]?.string == "True" }
    var reason: String { condition("Ready")?["reason"]?.string ?? "no condition" }

    /// Whether the status speaks of this very generation.
    var isCurrent: Bool {
        object["status"]?["observedGeneration"] == generation
            && condition("Ready")?["observedGeneration"] == generation
    }

    /// Where the status says that the rule is.
    var stated: (profile: String, segment: String, name: String)? {
        guard let rule = object["status"]?["rule"], let profile = rule["profile"]?.string,
            let segment = rule["segment"]?.string, let name = rule["name"]?.string
        else { return nil }
        return (profile, segment, name)
    }

    func isPlaced(_ rule: SeededWorld.OwnRule) -> Bool {
        rule.profile == profile && rule.segment == segment && rule.name == name
    }

    func isHonoured(by rule: JSON) -> Bool {
        let match = rule["match"]
        let quality = rule["action"]?["QoS"]
        let cap = spec["bandwidth-limit"]?.int ?? -1
        let port = spec["dport"]?.int
        let routes = ["edge2CloudRouteAction", "edge2EdgeRouteAction", "edge2DataCenterRouteAction"]
        return match?["hostname"]?.string == spec["fqdn"]?.string && match?["dport_low"]?.int == port
            && (match?["dport_high"]?.int ?? port) == port && match?["proto"]?.int == 6
            && quality?["type"]?.string == spec["service-class"]?.string ?? "transactional"
            && ["rxScheduler", "txScheduler"].allSatisfy {
                quality?[$0]?["bandwidthCapPct"]?.int == cap && quality?[$0]?["priority"]?.string == "normal"
            }
            && routes.allSatisfy {
                rule["action"]?[$0]?["linkPolicy"]?.string == spec["link-policy"]?.string ?? "auto"
                    && rule["action"]?[$0]?["serviceGroup"]?.string == "ALL"
            }
    }
}
