import enum BusinessPolicy.JSON

extension OrchestratorState {
    /// What is stored when this document is written over `known`: ids assigned, values cut down, rules respelt, as the
    /// modes say; with the default modes only missing ids are added, and every other byte stays.
    mutating func accepted(_ text: PolicyText, over known: PolicyText?, modes: OrchestratorModes) -> PolicyText {
        let knownIDs = known?.logicalIDs ?? []
        let rewriting = RuleRewriting(modes: modes, turn: turns)
        var text = text
        var segments = text.segments
        for segment in segments.indices {
            segments[segment].rules = segments[segment].rules.map { rule in
                rewriting.rewritten(identified(rule, knownIDs: knownIDs, modes: modes))
            }
        }
        text.replaceSegments(segments)
        if modes.release == .v6, !text.has("qoe") {
            text.set("qoe", to: JSON.null.serialized())
        }
        return text
    }

    private mutating func identified(
        _ rule: RuleText, knownIDs: Set<String>, modes: OrchestratorModes
    ) -> RuleText {
        if let id = rule.logicalID, !id.isEmpty, modes.ruleIDs == .kept || knownIDs.contains(id) { return rule }
        return (try? rule.with(logicalID: nextLogicalID())) ?? rule
    }
}

/// How a VCO spells a rule that it was sent.
struct RuleRewriting {
    var modes: OrchestratorModes
    /// Counts writes, for a VCO that spells every one in another way.
    var turn: Int64

    /// The rule as it is stored; the same bytes when no mode asks for a change.
    func rewritten(_ rule: RuleText) -> RuleText {
        let isIdle = modes.respelling == .off && modes.release == .asSent && modes.bandwidthCapMax == nil
        guard !isIdle, let old = try? JSON.parse(rule.bytes), old.members != nil else { return rule }
        var json = released(clamped(old))
        switch modes.respelling {
        case .off: if json == old { return rule }
        case .stable: json = Self.respelt(Self.withMembersOf(.v6, json), ascending: true, decimals: true)
        case .everyWrite: json = Self.respelt(json, ascending: turn % 2 == 0, decimals: turn % 2 == 0)
        }
        return (try? RuleText(json.serialized())) ?? rule
    }

    private func clamped(_ rule: JSON) -> JSON {
        guard let most = modes.bandwidthCapMax else { return rule }
        return ["rxScheduler", "txScheduler"].reduce(rule) { rule, scheduler in
            let path = ["action", "QoS", scheduler, "bandwidthCapPct"]
            guard let cap = rule.value(at: path)?.int, cap > most else { return rule }
            return rule.setting(path, to: .int(most))
        }
    }

    private func released(_ rule: JSON) -> JSON {
        Self.withMembersOf(modes.release, rule)
    }

    /// The rule with the members that a release added, each at its "any" value.
    static func withMembersOf(_ release: OrchestratorModes.Release, _ rule: JSON) -> JSON {
        guard release != .asSent, var match = rule.value(at: ["match"]), var action = rule.value(at: ["action"]) else {
            return rule
        }
        match = match.adding(["ipVersion": .string("IPv4"), "sipV6": .string("any"), "dipV6": .string("any")])
        let none = JSON.record(["sourceIp": .string("no"), "destIp": .string("no")])
        action = action.adding(["natIpVersion": .null, "natV6": none])
        if release == .v6 {
            match = match.adding([
                "sInterface": .string(""), "dInterface": .string(""), "sip_prenat_enabled": .int(0),
                "dip_prenat_enabled": .int(0),
            ])
            for route in ["edge2EdgeRouteAction", "edge2DataCenterRouteAction", "edge2CloudRouteAction"] {
                guard let old = action.value(at: [route]) else { continue }
                let new = old.adding(["icmpLogicalId": .null, "wanLinkName": .string("")])
                action = action.setting([route], to: new)
            }
        }
        return rule.setting(["match"], to: match).setting(["action"], to: action)
    }

    /// The same value with its members in another order and its whole numbers spelt in another way.
    static func respelt(_ json: JSON, ascending: Bool, decimals: Bool) -> JSON {
        switch json {
        case .object(let members):
            let sorted = members.sorted { ascending ? $0.name < $1.name : $0.name > $1.name }
            return .object(
                sorted.map { JSON.Member($0.name, respelt($0.value, ascending: ascending, decimals: decimals)) })
        case .array(let elements):
            return .array(elements.map { respelt($0, ascending: ascending, decimals: decimals) })
        case .number(let spelling):
            guard let number = json.int else { return json }
            let isPlain = !spelling.contains { ".eE".contains($0) }
            return decimals == isPlain ? .number(decimals ? "\(number).0" : "\(number)") : json
        case .null, .bool, .string: return json
        }
    }
}
