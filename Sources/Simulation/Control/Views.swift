import enum BusinessPolicy.JSON

extension ProfileView {
    /// The profile with the names of its rules.
    var json: JSON {
        .record([
            "id": .int(id), "name": .string(name), "moduleId": moduleID.map { .int($0) } ?? .null,
            "version": version.map { .string(String($0)) } ?? .null,
            "segments": .array(
                segments.map { segment in
                    .record([
                        "segmentId": segment.id.map { .int($0) } ?? .null, "name": .string(segment.name),
                        "rules": .array(segment.names.map { $0.map { .string($0) } ?? .null }),
                    ])
                }),
        ])
    }

    /// Its rules one by one, in order, with what people look for first.
    func rules(_ query: [String: String]) -> [JSON] {
        if let wanted = query["profile"], wanted != name, wanted != String(id) { return [] }
        return segments.filter { query["segment"] == nil || $0.name == query["segment"] }.flatMap { segment in
            segment.rules.indices.filter { query["name"] == nil || segment.names[$0] == query["name"] }.map { index in
                let rule = (try? JSON.parse(segment.rules[index])) ?? .null
                return line(segment, index, rule)
            }
        }
    }

    private func line(_ segment: Segment, _ index: Int, _ rule: JSON) -> JSON {
        func value(_ path: String...) -> JSON { rule.value(at: path) ?? .null }
        return .record([
            "profile": .string(name), "segment": .string(segment.name), "index": .int(index), "name": value("name"),
            "hostname": value("match", "hostname"), "dport_low": value("match", "dport_low"),
            "dport_high": value("match", "dport_high"), "proto": value("match", "proto"),
            "serviceClass": value("action", "QoS", "type"),
            "priority": value("action", "QoS", "rxScheduler", "priority"),
            "bandwidthCapPct": value("action", "QoS", "rxScheduler", "bandwidthCapPct"),
            "linkPolicy": value("action", "edge2CloudRouteAction", "linkPolicy"),
            "serviceGroup": value("action", "edge2CloudRouteAction", "serviceGroup"),
            "ruleLogicalId": value("ruleLogicalId"),
        ])
    }
}

extension CallLog {
    /// The counts, and the latest calls.
    func json(_ query: [String: String]) -> JSON {
        func object(_ counts: [String: Int]) -> JSON {
            .object(counts.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .int($0.value)) })
        }
        let wanted = entries.filter { query["method"] == nil || $0.method == query["method"] }
        let last = wanted.suffix(query["last"].flatMap { Int($0) } ?? 100)
        return .record([
            "total": .int(total), "counts": object(counts), "effects": object(effects),
            "calls": .array(last.map(\.json)),
        ])
    }
}

extension CallLog.Entry {
    fileprivate var json: JSON {
        .record([
            "number": .int(number), "at": .string(WallTime.seconds(at)), "method": .string(method),
            "status": status.map { .int($0) } ?? .null, "rows": rows.map { .int($0) } ?? .null,
            "fault": fault.map { .string($0) } ?? .null,
        ])
    }
}

extension PortalEdit.Failure {
    /// In words, for the person who asked for the edit.
    var text: String {
        switch self {
        case .noSuchProfile(.id(let id)): "no profile \(id); GET /sim/profiles shows them"
        case .noSuchProfile(.name(let name)): "no profile \"\(name)\"; GET /sim/profiles shows them"
        case .noSuchSegment(let name): "no segment \"\(name)\"; GET /sim/profiles shows them"
        case .noSuchRule(let name): "no rule \"\(name)\"; GET /sim/rules shows them"
        case .noPolicy: "the profile has no segments"
        case .unreadable(let problem): problem
        }
    }
}
