import enum BusinessPolicy.JSON

/// What a VCO may find wrong in a document that it is sent.
struct RuleValidation {
    var modes: OrchestratorModes

    /// Everything that is wrong, by path; empty when the document is accepted.
    func faults(in text: PolicyText) -> [MethodFailure.Fault] {
        var faults: [MethodFailure.Fault] = []
        for (index, segment) in text.segments.enumerated() {
            let path = "_update.data.segments[\(index)]"
            if modes.validation == .schema { faults += header(of: segment, at: path) }
            if modes.refusesDuplicateNames { faults += duplicates(in: segment, at: path) }
            for (position, rule) in segment.rules.enumerated() {
                faults += self.faults(in: rule, at: "\(path).rules[\(position)]")
            }
        }
        return faults
    }

    private func header(of segment: PolicyText.Segment, at path: String) -> [MethodFailure.Fault] {
        var faults = ["segment", "rules", "webProxy"].filter { !segment.has($0) }.map { name in
            MethodFailure.Fault(path: "\(path).\(name)", message: "is required")
        }
        if segment.id == nil { faults.append(.init(path: "\(path).segment.segmentId", message: "must be an integer")) }
        return faults
    }

    private func duplicates(in segment: PolicyText.Segment, at path: String) -> [MethodFailure.Fault] {
        var seen: Set<String> = []
        return segment.rules.enumerated().compactMap { position, rule in
            guard let name = rule.name, !seen.insert(name).inserted else { return nil }
            return .init(path: "\(path).rules[\(position)].name", message: "\(name) is not unique")
        }
    }

    private func faults(in rule: RuleText, at path: String) -> [MethodFailure.Fault] {
        var faults: [MethodFailure.Fault] = []
        if let name = rule.name, modes.rejectedNames.contains(name) {
            faults.append(.init(path: "\(path).name", message: "\(name) is not allowed"))
        }
        guard modes.validation == .schema || !modes.rejectedPorts.isEmpty else { return faults }
        let json = rule.json
        if let port = json.value(at: ["match", "dport_low"])?.int, modes.rejectedPorts.contains(port) {
            faults.append(.init(path: "\(path).match.dport_low", message: "\(port) is not allowed"))
        }
        if modes.validation == .schema { faults += schema(of: json, at: path) }
        return faults
    }

    private func schema(of rule: JSON, at path: String) -> [MethodFailure.Fault] {
        var faults: [MethodFailure.Fault] = []
        func check(_ names: [String], _ message: String, _ isRight: (JSON) -> Bool, isRequired: Bool = false) {
            let value = rule.value(at: names)
            guard value.map({ !isRight($0) }) ?? isRequired else { return }
            faults.append(.init(path: "\(path).\(names.joined(separator: "."))", message: message))
        }
        func isOne(of values: [String]) -> (JSON) -> Bool { { values.contains($0.string ?? "") } }
        check(["name"], "must be a string with text in it", { !($0.string ?? "").isEmpty }, isRequired: true)
        check(["match"], "must be an object", { $0.members != nil }, isRequired: true)
        check(["action"], "must be an object", { $0.members != nil }, isRequired: true)
        for name in ["appid", "classid", "dscp", "proto", "dport_low", "dport_high", "sport_low", "sport_high"] {
            check(["match", name], "must be an integer", { $0.int != nil })
        }
        for name in ["hostname", "dip", "sip", "dsm", "ssm", "dInterface", "sInterface"] {
            check(["match", name], "must be a string", { $0.string != nil })
        }
        check(["action", "QoS", "type"], "is unknown", isOne(of: ["realtime", "transactional", "bulk"]))
        for scheduler in ["rxScheduler", "txScheduler"] {
            check(["action", "QoS", scheduler, "priority"], "is unknown", isOne(of: ["high", "normal", "low"]))
            check(["action", "QoS", scheduler, "bandwidthCapPct"], "must be -1 to 100") { cap in
                (-1...100).contains(cap.int ?? -2)
            }
        }
        for route in ["edge2EdgeRouteAction", "edge2DataCenterRouteAction", "edge2CloudRouteAction"] {
            let policies = ["auto", "fixed", "available", "preferred"]
            let groups = ["ALL", "PUBLIC_WIRED", "PRIVATE_WIRED", "PUBLIC_WIRELESS", "PRIVATE_WIRELESS"]
            check(["action", route, "linkPolicy"], "is unknown", isOne(of: policies))
            check(["action", route, "serviceGroup"], "is unknown", isOne(of: groups))
        }
        return faults
    }
}
