import enum BusinessPolicy.JSON

/// The modes under the names that the command line and the control endpoint use.
struct ModeTable {
    /// One mode: its name, what it takes, and how it is read and set.
    struct Entry {
        var name: String
        /// What it takes, in words.
        var values: String
        var meaning: String
        var read: (OrchestratorModes) -> JSON
        /// False for a value that it does not take.
        var write: (inout OrchestratorModes, JSON) -> Bool
    }

    var entries: [Entry] {
        [
            choice("respelling", \.respelling, "how rules come back after a write"),
            choice("rule-ids", \.ruleIDs, "whether a client's own ruleLogicalId stays"),
            flag("refuse-duplicate-names", \.refusesDuplicateNames, "400 for two rules of one name in a segment"),
            choice("validation", \.validation, "how closely a document is looked at"),
            names("reject-names", \.rejectedNames, "400 for a document with a rule of such a name"),
            ports("reject-ports", \.rejectedPorts, "400 for a document with a rule for such a port"),
            flag("vague-errors", \.hasVagueErrors, "a 400 does not say what was wrong"),
            cap,
            choice("no-data", \.noData, "what stands for data in a noData read"),
            flag("no-configuration-list", \.lacksConfigurationList, "getEnterpriseConfigurations is not there"),
            choice("release", \.release, "members that a release adds to rules that are written"),
            choice("unknown-id", \.unknownID, "what an id that matches nothing answers"),
            choice("auth-failure", \.authFailure, "how a wrong token is refused"),
            flag("require-enterprise-id", \.requiresEnterpriseID, "as for a partner's or an operator's token"),
            choice("missing-privilege", \.missingPrivilege, "what the token's role may not do"),
            privilegeStatus,
            rateLimit,
        ]
    }

    /// The modes as one object.
    func json(_ modes: OrchestratorModes) -> JSON {
        .object(entries.map { JSON.Member($0.name, $0.read(modes)) })
    }

    /// Sets one mode; what is wrong with it, in words, or nil.
    func set(_ name: String, to value: JSON, in modes: inout OrchestratorModes) -> String? {
        guard let entry = entries.first(where: { $0.name == name }) else {
            return "no mode \(name); modes are \(entries.map(\.name).joined(separator: ", "))"
        }
        return entry.write(&modes, value) ? nil : "mode \(name) takes \(entry.values), not \(value.serializedText())"
    }

    /// Sets one mode from text: the bare word `stable` as well as `["a","b"]`.
    func set(_ name: String, toText text: String, in modes: inout OrchestratorModes) -> String? {
        let value = try? JSON.parse(Array(text.utf8))
        if let value, set(name, to: value, in: &modes) == nil { return nil }
        return set(name, to: .string(text), in: &modes)
    }
}

/// The kinds of values.
extension ModeTable {
    private func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ path: WritableKeyPath<OrchestratorModes, Choice>, _ meaning: String
    ) -> Entry where Choice.RawValue == String {
        Entry(
            name: name, values: Choice.allCases.map(\.rawValue).joined(separator: " | "), meaning: meaning,
            read: { .string($0[keyPath: path].rawValue) },
            write: { modes, value in
                guard let choice = value.string.flatMap({ Choice(rawValue: $0) }) else { return false }
                modes[keyPath: path] = choice
                return true
            })
    }

    private func flag(
        _ name: String, _ path: WritableKeyPath<OrchestratorModes, Bool>, _ meaning: String
    ) -> Entry {
        Entry(
            name: name, values: "true | false", meaning: meaning, read: { .bool($0[keyPath: path]) },
            write: { modes, value in
                guard let flag = value.bool else { return false }
                modes[keyPath: path] = flag
                return true
            })
    }

    private func names(
        _ name: String, _ path: WritableKeyPath<OrchestratorModes, Set<String>>, _ meaning: String
    ) -> Entry {
        Entry(
            name: name, values: "a list of names", meaning: meaning,
            read: { .array($0[keyPath: path].sorted().map { .string($0) }) },
            write: { modes, value in
                guard let list = value.array, list.allSatisfy({ $0.string != nil }) else { return false }
                modes[keyPath: path] = Set(list.compactMap(\.string))
                return true
            })
    }

    private func ports(
        _ name: String, _ path: WritableKeyPath<OrchestratorModes, Set<Int>>, _ meaning: String
    ) -> Entry {
        Entry(
            name: name, values: "a list of numbers", meaning: meaning,
            read: { .array($0[keyPath: path].sorted().map { .int($0) }) },
            write: { modes, value in
                guard let list = value.array, list.allSatisfy({ $0.int != nil }) else { return false }
                modes[keyPath: path] = Set(list.compactMap(\.int))
                return true
            })
    }

    private var cap: Entry {
        Entry(
            name: "bandwidth-cap-max", values: "a number or null",
            meaning: "a greater bandwidthCapPct is silently cut down to it",
            read: { $0.bandwidthCapMax.map { .int($0) } ?? .null },
            write: { modes, value in
                guard value == .null || value.int != nil else { return false }
                modes.bandwidthCapMax = value.int
                return true
            })
    }

    private var privilegeStatus: Entry {
        Entry(
            name: "privilege-status", values: "400 | 403 | 500", meaning: "status of a refusal for want of a privilege",
            read: { .int($0.privilegeStatus) },
            write: { modes, value in
                guard let status = value.int, [400, 403, 500].contains(status) else { return false }
                modes.privilegeStatus = status
                return true
            })
    }

    private var rateLimit: Entry {
        Entry(
            name: "rate-limit",
            values: "null | {calls, concurrency, window-ms, penalty-ms, retry-after}",
            meaning: "over so many calls in a window (5 s), 429 for the penalty (5 s)",
            read: { $0.rateLimit?.json ?? .null },
            write: { modes, value in
                guard value != .null else {
                    modes.rateLimit = nil
                    return true
                }
                guard let limit = OrchestratorModes.RateLimit(json: value) else { return false }
                modes.rateLimit = limit
                return true
            })
    }
}

extension OrchestratorModes.RateLimit {
    fileprivate init?(json: JSON) {
        let names = ["calls", "concurrency", "window-ms", "penalty-ms", "retry-after"]
        guard let members = json.members, !members.isEmpty,
            members.allSatisfy({ names.contains($0.name) && ($0.value == .null || ($0.value.int ?? -1) >= 0) })
        else { return nil }
        self.init(
            calls: json["calls"]?.int, windowMilliseconds: Int64(json["window-ms"]?.int ?? 5000),
            concurrency: json["concurrency"]?.int, penaltyMilliseconds: Int64(json["penalty-ms"]?.int ?? 5000),
            retryAfter: json["retry-after"]?.int)
    }

    fileprivate var json: JSON {
        func number(_ value: Int?) -> JSON { value.map { .int($0) } ?? .null }
        return .record([
            "calls": number(calls), "concurrency": number(concurrency), "window-ms": .int(Int(windowMilliseconds)),
            "penalty-ms": .int(Int(penaltyMilliseconds)), "retry-after": number(retryAfter),
        ])
    }
}
