extension RuleSettings {
    private static let routeActions = ["edge2EdgeRouteAction", "edge2DataCenterRouteAction", "edge2CloudRouteAction"]
    private static let schedulers = ["rxScheduler", "txScheduler"]

    /// The rule: `template` with the members that velokube maps set to these settings.
    ///
    /// Every other member stays as the template has it, in place and spelling. Objects that the template lacks come
    /// from the built-in one, since half an object (a route action without a route) is worse than none. Without a
    /// `ruleLogicalID` the member is left out, so that the VCO assigns one.
    package func composed(name: String, template: JSON, ruleLogicalID: String?) -> JSON {
        var match = template["match"].flatMap(Self.object) ?? builtInTemplate["match"] ?? [:]
        for (member, value) in matchMembers { match[member] = value }

        let builtInAction = builtInTemplate["action"]
        var action = template["action"].flatMap(Self.object) ?? builtInAction ?? [:]
        for member in Self.routeActions {
            var route = action[member].flatMap(Self.object) ?? builtInAction?[member] ?? [:]
            for (member, value) in routeMembers { route[member] = value }
            action[member] = route
        }
        let builtInQoS = builtInAction?["QoS"]
        var qos = action["QoS"].flatMap(Self.object) ?? builtInQoS ?? [:]
        qos["type"] = .string(serviceClass.rawValue)
        for member in Self.schedulers {
            var scheduler = qos[member].flatMap(Self.object) ?? builtInQoS?[member] ?? [:]
            for (member, value) in schedulerMembers { scheduler[member] = value }
            qos[member] = scheduler
        }
        action["QoS"] = qos

        var rule = Self.object(template) ?? [:]
        rule["name"] = .string(name)
        rule["match"] = match
        rule["action"] = action
        rule["ruleLogicalId"] = ruleLogicalID.map(JSON.string)
        return rule
    }

    /// Whether a rule on the VCO honours these settings: every mapped member equals what is wanted, and every other
    /// `match` member equals the template's or is an added "any". Empty when it does; else the differences, in words.
    ///
    /// This is the one comparison, used for drift, adoption and verification. It is lenient about spelling, since a VCO
    /// that respells what it is given must not be written to over and over.
    package func differences(from actual: JSON, template: JSON) -> [String] {
        var differences: [String] = []
        func compare(_ actual: JSON?, _ wanted: JSON, _ path: @autoclosure () -> String) {
            if let actual, actual.isLike(wanted) { return }
            differences.append("\(path()) is \(actual?.shown ?? "missing"), wanted \(wanted.shown)")
        }
        let match = actual["match"]
        for (member, value) in matchMembers { compare(match?[member], value, "match.\(member)") }
        differences += otherMatchDifferences(match?.members ?? [], template["match"]?.members ?? [])
        let action = actual["action"]
        compare(action?["QoS"]?["type"], .string(serviceClass.rawValue), "action.QoS.type")
        for scheduler in Self.schedulers {
            let values = action?["QoS"]?[scheduler]
            for (member, value) in schedulerMembers {
                compare(values?[member], value, "action.QoS.\(scheduler).\(member)")
            }
        }
        for route in Self.routeActions {
            let values = action?[route]
            for (member, value) in routeMembers { compare(values?[member], value, "action.\(route).\(member)") }
        }
        return differences
    }

    /// What else narrows the traffic that the rule matches.
    private func otherMatchDifferences(_ actual: [JSON.Member], _ template: [JSON.Member]) -> [String] {
        var differences: [String] = []
        let mapped = matchMembers.map(\.0)
        for (index, member) in actual.enumerated() where !mapped.contains(member.name) {
            // Mostly both have the same members in the same order: look there first.
            let name = member.name
            let twin = template.indices.contains(index) && template[index].name == name ? template[index] : nil
            if let wanted = twin ?? template.last(where: { $0.name == name }) {
                if member.value.isLike(wanted.value) || member.isRespelt(wanted) { continue }
                differences.append("match.\(name) is \(member.value.shown), wanted \(wanted.value.shown)")
            } else if !member.isAny {
                differences.append("match.\(name) is \(member.value.shown), wanted any")
            }
        }
        for member in template where !mapped.contains(member.name) && !member.isAny {
            if actual.contains(where: { $0.name == member.name }) { continue }
            differences.append("match.\(member.name) is missing, wanted \(member.value.shown)")
        }
        return differences
    }

    // MARK: The mapping

    private var matchMembers: [(String, JSON)] {
        [
            ("hostname", .string(hostname)), ("dport_low", .int(portLow)), ("dport_high", .int(portHigh)),
            ("proto", .int(transport.number)),
        ]
    }

    private var schedulerMembers: [(String, JSON)] {
        [("priority", .string(priority.rawValue)), ("bandwidthCapPct", .int(bandwidthCap))]
    }

    private var routeMembers: [(String, JSON)] {
        [("linkPolicy", .string(linkPolicy.rawValue)), ("serviceGroup", .string(serviceGroup.rawValue))]
    }

    private static func object(_ json: JSON) -> JSON? {
        json.members == nil ? nil : json
    }
}

extension JSON.Member {
    /// Whether a member of `match` restricts nothing.
    ///
    /// `ipVersion` is a special case: before 5.0 there was none and rules matched IPv4, so an upgraded VCO may add
    /// `IPv4` as well as `IPv4v6` to rules that it was given without; `IPv6` it cannot mean.
    var isAny: Bool {
        switch value {
        case .null: return true
        case .number, .bool:
            if value.isLike(-1) { return true }
            return name.hasSuffix("_prenat_enabled") && value.isLike(0)
        case .string(let text):
            let folded = text.lowercased()
            if ["", "any", "-1", "255.255.255.255"].contains(folded) { return true }
            if name.hasSuffix("_rule_type") { return folded == "prefix" }
            if name.hasSuffix("_prenat_enabled") { return folded == "0" }
            return name == "ipVersion" && (folded == "ipv4" || folded == "ipv4v6")
        case .array, .object: return false
        }
    }

    /// Whether two values of one member both say "any". Not so for `ipVersion`: from both to IPv4 alone is an edit.
    fileprivate func isRespelt(_ other: Self) -> Bool {
        name != "ipVersion" && isAny && other.isAny
    }
}

extension JSON {
    /// Equal but for spelling: numbers by value, also in strings; strings without regard to case; members in any order.
    func isLike(_ other: JSON) -> Bool {
        if self == other { return true }
        switch (self, other) {
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isLike($1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count && left.allSatisfy { other[$0.name]?.isLike($0.value) ?? false }
        case (.string(let left), .string(let right)):
            if left.lowercased() == right.lowercased() { return true }
        default: break
        }
        guard let left = lenientNumber, let right = other.lenientNumber else { return false }
        return left == right
    }

    /// The same, whatever one member of both is.
    func isLike(_ other: JSON, apartFrom name: String) -> Bool {
        var (left, right) = (self, other)
        left[name] = nil
        right[name] = nil
        return left.isLike(right)
    }

    /// The number that a VCO may mean by a value: some releases send flags as 0 and 1, and numbers in quotes.
    private var lenientNumber: JSONNumber? {
        switch self {
        case .number(let spelling), .string(let spelling): JSONNumber(spelling)
        case .bool(let flag): JSONNumber(flag ? "1" : "0")
        case .null, .array, .object: nil
        }
    }
}
