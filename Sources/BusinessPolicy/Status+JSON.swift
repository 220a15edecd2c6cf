extension Status {
    /// Reads a status; members of the wrong shape are dropped, as the status is only ever ours.
    package init(json: JSON?) {
        let entries = (json?["conditions"]?.array ?? []).compactMap(Condition.init(json:))
        var conditions: [Condition] = []
        // Exactly: these stay in memory, for thousands of resources.
        conditions.reserveCapacity(ConditionType.allCases.count { type in entries.contains { $0.type == type } })
        for type in ConditionType.allCases {
            if let entry = entries.first(where: { $0.type == type }) { conditions.append(entry) }
        }
        self.init(
            observedGeneration: json?["observedGeneration"]?.int,
            rule: json?["rule"].flatMap(RuleReference.init(json:)),
            conditions: conditions,
            lastHandledReconcileAt: json?["lastHandledReconcileAt"]?.string)
    }

    /// The status as JSON, for a merge patch: members that are not set are `null`, which takes them away.
    package var json: JSON {
        .object([
            JSON.Member("observedGeneration", observedGeneration.map(JSON.int) ?? .null),
            JSON.Member("rule", rule?.json ?? .null),
            JSON.Member("conditions", .array(conditions.map(\.json))),
            JSON.Member("lastHandledReconcileAt", lastHandledReconcileAt.map(JSON.string) ?? .null),
        ])
    }
}

extension Status.RuleReference {
    fileprivate init?(json: JSON) {
        guard let profile = json["profile"]?.string, let segment = json["segment"]?.string,
            let name = json["name"]?.string
        else { return nil }
        self.init(
            profile: profile, segment: segment, name: name, moduleVersion: json["moduleVersion"]?.string,
            programmedAt: json["programmedAt"]?.string, isAdopted: json["adopted"]?.bool ?? false)
    }

    fileprivate var json: JSON {
        .object([
            JSON.Member("profile", .string(profile)),
            JSON.Member("segment", .string(segment)),
            JSON.Member("name", .string(name)),
            JSON.Member("moduleVersion", moduleVersion.map(JSON.string) ?? .null),
            JSON.Member("programmedAt", programmedAt.map(JSON.string) ?? .null),
            JSON.Member("adopted", isAdopted ? .bool(true) : .null),
        ])
    }

    /// Whether both name the same rule, whatever is known of it.
    func isSamePlace(as other: Self) -> Bool {
        (profile, segment, name) == (other.profile, other.segment, other.name)
    }
}

extension Status.Condition {
    fileprivate init?(json: JSON) {
        guard let type = json["type"]?.string.flatMap(Status.ConditionType.init(rawValue:)),
            let status = json["status"]?.string
        else { return nil }
        self.init(
            type: type, isTrue: status == "True", reason: json["reason"]?.string ?? "",
            message: json["message"]?.string ?? "", observedGeneration: json["observedGeneration"]?.int ?? 0,
            lastTransitionTime: json["lastTransitionTime"]?.string ?? "")
    }

    fileprivate var json: JSON {
        .object([
            JSON.Member("type", .string(type.rawValue)),
            JSON.Member("status", .string(isTrue ? "True" : "False")),
            JSON.Member("reason", .string(reason)),
            JSON.Member("message", .string(message)),
            JSON.Member("observedGeneration", .int(observedGeneration)),
            JSON.Member("lastTransitionTime", .string(lastTransitionTime)),
        ])
    }
}
