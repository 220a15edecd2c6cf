/// The `status` of a VelocloudLimit.
package struct LimitStatus: Hashable, Sendable {
    package var observedGeneration: Int?
    /// The VelocloudBPs of the namespace that are not being deleted.
    package var governed = 0
    /// How many of them break the limit.
    package var violating = 0
    /// Their names, sorted, at most `violatorsMax`.
    package var violators: [String] = []
    /// Rules of the namespace, over all profiles.
    package var rulesInUse = 0
    /// Only of a limit with `max-total-bandwidth`; sorted by profile, at most `profilesMax`.
    package var bandwidthInUse: [Bandwidth] = []
    package var valid: Validity?

    package struct Bandwidth: Hashable, Sendable {
        package var profile: String
        package var percent: Int
    }

    /// The condition `Valid`.
    package struct Validity: Hashable, Sendable {
        package var isTrue: Bool
        package var reason: String
        package var message: String
        package var observedGeneration: Int
        /// RFC 3339; moves only when `isTrue` moves.
        package var lastTransitionTime: String
    }

    static let violatorsMax = 10
    static let profilesMax = 64

    /// As of a limit at which nobody has looked yet.
    package init() {}

    /// The status of a limit that follows from what was found out of its namespace; equal to the old one when nothing
    /// new was, so that the caller can tell by `==` whether to write.
    ///
    /// - Parameters:
    ///   - names: the names of the namespace's resources that are not being deleted, by uid.
    ///   - limits: all limits of the namespace.
    package static func of(
        _ limit: VelocloudLimit, among limits: [VelocloudLimit], names: [String: String], _ judgement: LimitJudgement,
        now: String
    ) -> LimitStatus {
        let violators = judgement.violations.filter { $0.value.contains { $0.limit == limit.owner.name } }
            .compactMap { names[$0.key] }.sorted()
        let validity = LimitValidity(of: limit, beside: limits.filter { $0.owner.uid != limit.owner.uid })
        let isValid = validity.reason == .valid
        let old = limit.status.valid
        var status = LimitStatus()
        status.observedGeneration = limit.generation
        status.governed = names.count
        status.violating = violators.count
        status.violators = Array(violators.prefix(violatorsMax))
        status.rulesInUse = judgement.usage.rules
        if limit.spec.totalBandwidthMaximum != nil {
            status.bandwidthInUse = judgement.usage.bandwidth.sorted { $0.key < $1.key }.prefix(profilesMax)
                .map { Bandwidth(profile: $0.key, percent: $0.value) }
        }
        status.valid = Validity(
            isTrue: isValid, reason: validity.reason.rawValue, message: Status.capped(validity.message),
            observedGeneration: limit.generation,
            lastTransitionTime: old?.isTrue == isValid ? old?.lastTransitionTime ?? now : now)
        return status
    }
}

extension LimitStatus {
    /// Reads a status; members of the wrong shape are dropped, as the status is only ever ours.
    init(json: JSON?) {
        observedGeneration = json?["observedGeneration"]?.int
        governed = json?["governed"]?.int ?? 0
        violating = json?["violating"]?.int ?? 0
        violators = (json?["violators"]?.array ?? []).compactMap(\.string)
        rulesInUse = json?["rulesInUse"]?.int ?? 0
        bandwidthInUse = (json?["bandwidthInUse"]?.array ?? []).compactMap { entry in
            guard let profile = entry["profile"]?.string, let percent = entry["percent"]?.int else { return nil }
            return Bandwidth(profile: profile, percent: percent)
        }
        valid = (json?["conditions"]?.array ?? []).first { $0["type"]?.string == "Valid" }.map { condition in
            Validity(
                isTrue: condition["status"]?.string == "True", reason: condition["reason"]?.string ?? "",
                message: condition["message"]?.string ?? "",
                observedGeneration: condition["observedGeneration"]?.int ?? 0,
                lastTransitionTime: condition["lastTransitionTime"]?.string ?? "")
        }
    }

    /// The status as JSON, for a merge patch.
    package var json: JSON {
        let bandwidth = bandwidthInUse.map { use in
            JSON.object([.init("profile", .string(use.profile)), .init("percent", .int(use.percent))])
        }
        return .object([
            .init("observedGeneration", observedGeneration.map(JSON.int) ?? .null),
            .init("governed", .int(governed)),
            .init("violating", .int(violating)),
            .init("violators", .array(violators.map(JSON.string))),
            .init("rulesInUse", .int(rulesInUse)),
            .init("bandwidthInUse", .array(bandwidth)),
            .init("conditions", .array(valid.map { [$0.json] } ?? [])),
        ])
    }
}

extension LimitStatus.Validity {
    fileprivate var json: JSON {
        .object([
            .init("type", "Valid"),
            .init("status", .string(isTrue ? "True" : "False")),
            .init("reason", .string(reason)),
            .init("message", .string(message)),
            .init("observedGeneration", .int(observedGeneration)),
            .init("lastTransitionTime", .string(lastTransitionTime)),
        ])
    }
}
