import BusinessPolicy
import ControlLoop
import HTTPTransport
import Simulation

/// What people do: developers with kubectl, WAN engineers in the portal.
extension SeededWorld {
    static let namespaces = ["default", "shop"]
    private static let profiles = ["Quick Start Profile", "Branch Profile", "Later Profile"]
    private static let segments: [String?] = [nil, nil, nil, "Voice Segment", "Guest Segment", "No Such Segment"]
    static let finalizer = "vcn.cloud/business-policy"
    static let paused = "vcn.cloud/paused"

    func userActs() {
        let namespace = one(of: Self.namespaces)
        let name = "app\(draw { Int.random(in: 0..<5, using: &$0) })"
        let object = apiServer.object(name, namespace: namespace)
        switch draw({ Int.random(in: 0..<20, using: &$0) }) {
        case 0..<9: apply(name, namespace, over: object)
        case 9..<13:
            note("user deletes \(namespace)/\(name)")
            apiServer.delete(name, namespace: namespace)
        case 13..<15:
            note("user deletes and makes \(namespace)/\(name) anew")
            apiServer.delete(name, namespace: namespace)
            if apiServer.object(name, namespace: namespace) == nil { apply(name, namespace, over: nil) }
        case 15..<17:
            let isPaused = object?["metadata"]?["annotations"]?[Self.paused] != nil
            note("user \(isPaused ? "unpauses" : "pauses") \(namespace)/\(name)")
            apiServer.annotate(name, namespace: namespace, Self.paused, isPaused ? nil : "true")
        case 17:
            note("user asks for \(namespace)/\(name)")
            apiServer.annotate(
                name, namespace: namespace, "vcn.cloud/reconcile-requested-at", "\(draw { $0.next() })")
        default:
            guard chance(weather.vanishing * 20), let object, isHonoured(object) else { return }
            note("\(namespace)/\(name) vanishes")
            apiServer.vanish(name, namespace: namespace)
        }
    }

    private func apply(_ name: String, _ namespace: String, over old: JSON?) {
        var spec = chance(600) ? old?["spec"] ?? newSpec(name) : newSpec(name)
        if chance(500) { spec["dport"] = .int(draw { Int.random(in: 1000..<1010, using: &$0) }) }
        if chance(100), !weather.modes.rejectedPorts.isEmpty { spec["dport"] = .int(Weather.rejectedPort) }
        note("user applies \(namespace)/\(name) \(String(decoding: spec.serialized(), as: UTF8.self))")
        apiServer.apply(name, namespace: namespace, spec: spec)
    }

    private func newSpec(_ name: String) -> JSON {
        var spec = JSON.object([
            .init("profile", .string(one(of: weather.movesProfiles ? Self.profiles : Array(Self.profiles.prefix(2))))),
            .init("fqdn", .string(chance(30) ? "com" : "\(name).example.test")),
            .init("dport", .int(8080)),
        ])
        if let segment = one(of: Self.segments) { spec["segment"] = .string(segment) }
        if chance(400) { spec["name"] = .string(one(of: ["one", "two", name])) }
        if chance(300) { spec["order"] = .int(one(of: [10, 500, 1000, 2000])) }
        if chance(300) { spec["service-class"] = .string(one(of: ["realtime", "bulk"])) }
        if chance(300) { spec["bandwidth-limit"] = .int(one(of: [-1, 10, 50])) }
        if chance(300) { spec["link-policy"] = .string("fixed") }
        return spec
    }

    /// Somebody edits the VCO by hand.
    func edit() async {
        // An edit is seen only by who looks at the version again, which nobody does within 200 ms.
        advance(to: now + .milliseconds(300))
        let profiles = orchestrator.profiles
        guard !profiles.isEmpty else { return }
        let profile = one(of: profiles)
        if weather.movesProfiles, chance(150) { return moveProfiles(profile) }
        let segments = profile.segments.filter { !$0.names.isEmpty }
        guard !segments.isEmpty, chance(900) else { return make(.touch(.id(profile.id))) }
        let segment = one(of: segments)
        let names = segment.names.compactMap { $0 }
        let foreign = foreignNames(profile.id, segment.id)
        let key = ProfileKey.id(profile.id)
        let name = one(of: names)
        let isOwned = await isOwned(profile.id, segment.name, name)
        guard isOwned || foreign.contains(name) else { return }
        forgetKept(profile.id, segment.name, name)
        switch draw({ Int.random(in: 0..<6, using: &$0) }) {
        case 0:
            make(.reorder(key, segment: segment.name, rules: draw { names.shuffled(using: &$0) }))
        case 1:
            let added = await handMadeName(profile, segment)
            let index = draw { Int.random(in: 0...names.count, using: &$0) }
            addForeign(added, profile.id, segment.id)
            make(.addRule(key, segment: segment.name, index: index, rule: Self.handMade(added)))
        case 2, 3:
            make(.deleteRule(key, segment: segment.name, rule: name))
            if !isOwned { removeForeign(name, profile.id, segment.id) }
        default:
            let (path, value): (String, JSON) = one(
                of: [
                    ("match.dport_low", .int(1)), ("action.QoS.type", .string("bulk")),
                    ("action.QoS.rxScheduler.priority", .string("low")), ("match.hostname", .string("other.test")),
                ])
            make(.setMember(key, segment: segment.name, rule: name, path: path, value: value))
        }
    }

    private func moveProfiles(_ profile: ProfileView) {
        let others = Self.profiles.filter { name in !orchestrator.profiles.contains { $0.name == name } }
        switch draw({ Int.random(in: 0..<3, using: &$0) }) {
        case 0 where orchestrator.profiles.count < 4 && !others.isEmpty:
            make(.createProfile(name: one(of: others)))
        case 1 where !others.isEmpty:
            make(.renameProfile(.id(profile.id), to: one(of: others)))
        default:
            make(.renameProfile(.id(profile.id), to: "Profile \(profile.id)"))
        }
    }

    private func make(_ edit: PortalEdit) {
        note("portal: \(edit)")
        do {
            try orchestrator.edit(edit, now: state.withLock { $0.wallMilliseconds })
        } catch {
            breaks("the portal refused an edit of the simulation: \(error)")
        }
    }

    /// A name for a new rule: mostly one of its own, at times one that a resource may want too.
    private func handMadeName(_ profile: ProfileView, _ segment: ProfileView.Segment) async -> String {
        if chance(300), state.withLock({ $0.processes.allSatisfy { $0 != nil } }) {
            let name = one(of: ["one", "two", "default.app0", "shop.app1"])
            let isFree = await !isClaimed(profile, name)
            if isFree, !segment.names.contains(name) { return name }
        }
        return state.withLock { state in
            state.named += 1
            return "by hand \(state.named)"
        }
    }

    private static func handMade(_ name: String) -> JSON {
        .object([
            .init("name", .string(name)),
            .init("match", .object([.init("hostname", .string("by-hand.test")), .init("dport_low", .int(443))])),
            .init("action", .object([.init("QoS", .object([.init("type", .string("bulk"))]))])),
        ])
    }
}
