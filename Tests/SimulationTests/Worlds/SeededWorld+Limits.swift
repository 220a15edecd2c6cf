import BusinessPolicy
import ControlLoop
import HTTPTransport
import Ledger
import Simulation

/// What the WAN team does with limits.
extension SeededWorld {
    private static let limitNames = ["ceiling", "scope"]

    /// What members of a limit may say; the last ones are such as the schema would refuse.
    private static let limitMembers: [(member: String, values: [JSON])] = [
        ("profiles", [["Quick Start Profile"], ["Branch Profile"], ["Quick Start Profile", "Branch Profile"]]),
        ("segments", [["Global Segment"], ["Global Segment", "Voice Segment"]]),
        (
            "fqdn-patterns",
            [["*.example.test"], ["*.test"], ["app1.example.test", "app2.example.test"], ["*.shop.test"]]
        ),
        ("dports", [[8080, "1000-1009"], ["1000-1004", 8080], ["1005-1009"]]),
        ("service-classes", [["transactional", "bulk"], ["transactional"], ["realtime"]]),
        ("link-policies", [["auto"], ["fixed"], ["auto", "fixed"]]),
        ("bandwidth-limit", [["maximum": 10], ["maximum": 50], ["maximum": 100]]),
        ("order", [["minimum": 10], ["minimum": 500], ["minimum": 1000]]),
        ("max-rules", [0, 1, 2, 3, 4]),
        ("max-total-bandwidth", [0, 60, 100, 150, 300]),
        ("on-violation", ["Keep", "Keep", "Remove"]),
    ]
    private static let unreadableMembers: [(member: String, values: [JSON])] = [
        ("fqdn-patterns", ["*.example.test"]),
        ("service-classes", [["gold", "bulk"]]),
        ("dports", [["9000-8000", "1000-1009"]]),
        ("max-rules", ["many"]),
        ("max-total-bandwidth", ["much"]),
        ("on-violation", ["Perhaps"]),
        ("regions", [["eu"]]),
    ]

    /// Somebody of the WAN team makes a limit, changes one, or takes one back.
    func limitActs() {
        let namespace = one(of: Self.namespaces)
        let name = one(of: Self.limitNames)
        let old = apiServer.object(name, namespace: namespace, kind: .velocloudLimit)
        if old != nil, chance(300) {
            note("limit \(namespace)/\(name) is removed")
            return apiServer.delete(name, namespace: namespace, kind: .velocloudLimit)
        }
        var spec = chance(500) ? old?["spec"] ?? .object([]) : .object([])
        for _ in 0..<draw({ Int.random(in: 1...2, using: &$0) }) {
            let (member, values) = one(of: chance(80) ? Self.unreadableMembers : Self.limitMembers)
            spec[member] = chance(200) ? nil : one(of: values)
        }
        if chance(300) { spec["on-violation"] = "Keep" }
        note("limit \(namespace)/\(name) is \(String(decoding: spec.serialized(), as: UTF8.self))")
        let limit = WorldLimit(apiServer.apply(name, namespace: namespace, kind: .velocloudLimit, spec: spec))
        state.withLock { $0.limitsSeen.append(limit) }
        noteKept(by: limit)
    }

    /// The WAN team's limits of a namespace.
    func limits(in namespace: String) -> [WorldLimit] {
        apiServer.objects(.velocloudLimit, namespace: namespace).map { WorldLimit($0) }
    }

    var hasSeenLimits: Bool { state.withLock { !$0.limitsSeen.isEmpty } }

    /// Whether some limit that was ever there may have taken the resource's rule: the operator may act on a limit that
    /// has just been loosened.
    func mayLoseRule(_ wish: Wish) -> Bool {
        let asked = Asked(wish)
        return state.withLock { $0.limitsSeen }.contains {
            $0.namespace == wish.namespace && !$0.keeps && ($0.hasQuota || $0.breaches(asked).contains(true))
        }
    }
}

/// A rule that is to stay as it is, though its resource is outside a limit.
struct KeptRule {
    var generation: JSON?
    var profileID: Int
    var segment: String
    var name: String
}

/// Rules that limits let be.
extension SeededWorld {
    /// Remembers the rules of ready resources that a new limit lets be.
    private func noteKept(by limit: WorldLimit) {
        let rules = ownRules()
        for wish in apiServer.objects(namespace: limit.namespace).map({ Wish($0) })
        where wish.isReady && wish.isCurrent && !limit.breaches(Asked(wish)).isEmpty && !mayLoseRule(wish) {
            guard let rule = rules.first(where: { wish.isPlaced($0) }), wish.isHonoured(by: rule.json) else { continue }
            let kept = KeptRule(
                generation: wish.generation, profileID: rule.profileID, segment: rule.segment, name: rule.name)
            state.withLock { $0.kept[wish.uid] = kept }
        }
    }

    /// A rule that was edited by hand is not what it was any more.
    func forgetKept(_ profile: Int, _ segment: String, _ name: String) {
        state.withLock { state in
            state.kept = state.kept.filter { ($1.profileID, $1.segment, $1.name) != (profile, segment, name) }
        }
    }

    /// The kept rules of resources that have not been touched since.
    func keptRules(_ wishes: [Wish]) -> [(wish: Wish, rule: KeptRule)] {
        let kept = state.withLock { $0.kept }
        return wishes.compactMap { wish in
            guard let rule = kept[wish.uid], rule.generation == wish.generation, !wish.isDeleting, !mayLoseRule(wish)
            else { return nil }
            return (wish, rule)
        }
    }
}

/// What must hold of limits once everything has settled.
extension SeededWorld {
    /// How every resource stands to the limits of its namespace, by uid, and what there is to say of the limits
    /// themselves.
    func judgeLimits(_ wishes: [Wish]) async -> (
        breaches: [String: NamespaceJudgement.Breach], complaints: [String]
    ) {
        var records: [String: OwnedRule] = [:]
        for process in leading {
            for rule in await process.ledger.allRules() { records[rule.owner.uid] = records[rule.owner.uid] ?? rule }
        }
        var breaches: [String: NamespaceJudgement.Breach] = [:]
        var complaints: [String] = []
        for namespace in Self.namespaces {
            let limits = limits(in: namespace)
            let wishes = wishes.filter { $0.namespace == namespace && !$0.isDeleting }
            let judgement = NamespaceJudgement(wishes, limits, records: records)
            breaches.merge(judgement.breaches) { first, _ in first }
            for limit in limits {
                complaints += Self.complaints(of: limit, among: limits, wishes, judgement)
                complaints += Self.excess(over: limit, wishes)
            }
            for wish in wishes where judgement.breaches[wish.uid]?.removes == true && records[wish.uid] != nil {
                complaints.append("the rule of \(wish.key), which is outside its limits, is not let go")
            }
        }
        let rules = ownRules()
        for (wish, kept) in keptRules(wishes) {
            let rule = rules.first { ($0.profileID, $0.segment, $0.name) == (kept.profileID, kept.segment, kept.name) }
            guard let rule, wish.isHonoured(by: rule.json) else {
                complaints.append("the rule of \(wish.key), which a limit keeps, is not what it was")
                continue
            }
        }
        return (breaches, complaints)
    }

    /// What the status of a limit should say and does not.
    private static func complaints(
        of limit: WorldLimit, among limits: [WorldLimit], _ wishes: [Wish], _ judgement: NamespaceJudgement
    ) -> [String] {
        let violators = wishes.filter { wish in
            judgement.breaches[wish.uid]?.limits.contains { $0.name == limit.name } ?? false
        }.map(\.resourceName).sorted()
        let validity = limit.validity(beside: limits.filter { $0.name != limit.name })
        let percent = limit.spec["max-total-bandwidth"] == nil ? [:] : judgement.percent
        let status = limit.object["status"]
        let condition = status?["conditions"]?.array?.first
        let generation = limit.object["metadata"]?["generation"]
        let said: [(String, JSON?, JSON)] = [
            ("observedGeneration", status?["observedGeneration"], generation ?? .null),
            ("governed", status?["governed"], .int(wishes.count)),
            ("violating", status?["violating"], .int(violators.count)),
            ("violators", status?["violators"], .array(violators.map { .string($0) })),
            ("rulesInUse", status?["rulesInUse"], .int(judgement.rules)),
            (
                "bandwidthInUse", status?["bandwidthInUse"],
                .array(
                    percent.sorted { $0.key < $1.key }
                        .map { .object([.init("profile", .string($0.key)), .init("percent", .int($0.value))]) })
            ),
            ("Valid", condition?["reason"], .string(validity)),
            ("Valid", condition?["status"], validity == "Valid" ? "True" : "False"),
            ("Valid", condition?["observedGeneration"], generation ?? .null),
        ]
        return said.filter { $0.1 != $0.2 }.map { member, found, needed in
            let words = [found ?? .null, needed].map { String(decoding: $0.serialized(), as: UTF8.self) }
            return "limit \(limit.namespace)/\(limit.name): \(member) is \(words[0]), not \(words[1])"
        }
    }

    /// Whatever the order in which resources are let in: those that are ready never have more than the quotas.
    private static func excess(over limit: WorldLimit, _ wishes: [Wish]) -> [String] {
        let ready = wishes.filter(\.isReady)
        var complaints: [String] = []
        if let maximum = limit.spec["max-rules"]?.int, ready.count > maximum {
            complaints.append("\(ready.count) of \(limit.namespace) are ready, over \(maximum) of \(limit.name)")
        }
        if let maximum = limit.spec["max-total-bandwidth"]?.int {
            for (profile, wishes) in Dictionary(grouping: ready, by: \.profile) {
                let percent = wishes.map { Asked($0).percent }.reduce(0, +)
                guard percent > maximum else { continue }
                complaints.append("\(limit.namespace) has \(percent) of \(profile), over \(maximum) of \(limit.name)")
            }
        }
        return complaints
    }

    /// What is wrong with a resource that is outside the limits of its namespace.
    func complaints(of wish: Wish, outside breach: NamespaceJudgement.Breach) -> [String] {
        let reason = wish.isValid ? "OutOfLimits" : "InvalidSpec"
        guard wish.reason == reason, !wish.isReady else { return ["\(wish.key) is \(wish.reason), not \(reason)"] }
        guard wish.condition("Stalled")?["reason"]?.string == reason else { return ["\(wish.key) is not stalled"] }
        // A rule that no ledger knows, on a profile that has lost its name, is named until the name is back.
        if breach.removes, let stated = wish.stated, orchestrator.profile(.name(stated.profile)) != nil {
            return ["\(wish.key) is outside its limits and has a rule"]
        }
        let message = wish.condition("Accepted")?["message"]?.string ?? ""
        guard wish.isValid || breach.removes, !message.hasSuffix("…") else { return [] }
        return breach.limits.filter { !message.contains($0.title) }.map { "\(wish.key) is not told of \($0.title)" }
    }
}

/// How limits come and go in a calm world.
extension SeededWorld {
    /// No resync is needed for a limit to take effect, nor for who waits for room.
    private static let promptness = Duration.seconds(5)

    /// The WAN team thinks anew, and a developer gives up: both take effect at once.
    func changePlans() async throws {
        limitActs()
        try await takesEffect("a change of limits")
        let ready = apiServer.objects().map { Wish($0) }.filter(\.isReady)
        guard !ready.isEmpty else { return }
        let going = one(of: ready)
        note("user deletes \(going.key)")
        apiServer.delete(going.resourceName, namespace: going.namespace)
        try await takesEffect("a deletion")
    }

    /// Lets the operator hear of a change, and a little time pass.
    private func takesEffect(_ what: String) async throws {
        state.withLock { $0.told = [:] }
        try await pass(Self.resync * 2) {
            let numbers = self.leading.map(\.life.number)
            let told = self.state.withLock { $0.told }
            return [.velocloudBP, .velocloudLimit].allSatisfy { told[$0]?.isSuperset(of: numbers) ?? false }
        }
        // A rule on a profile that has been renamed meanwhile is found by the next resync only.
        if weather.movesProfiles {
            try await settle("after \(what)", until: { await self.complaints() })
            return
        }
        try await pass(Self.promptness)
        for complaint in await complaints() { breaks("soon after \(what): \(complaint)") }
    }

    /// A namespace ends, its limits first: who had no rule gets none then.
    func endNamespace(_ namespace: String) async throws {
        note("namespace \(namespace) is being deleted")
        apiServer.merge(["metadata": ["finalizers": ["kubernetes"]]], namespace, namespace: "", kind: .namespace)
        apiServer.delete(namespace, namespace: "", kind: .namespace)
        for limit in limits(in: namespace) {
            apiServer.delete(limit.name, namespace: namespace, kind: .velocloudLimit)
        }
        let hadRule = await rulesByOwner(in: namespace)
        try await pass(Self.promptness)
        for uid in await rulesByOwner(in: namespace).subtracting(hadRule) {
            breaks("a rule is made for \(uid) while its namespace is being deleted")
        }
    }

    private func rulesByOwner(in namespace: String) async -> Set<String> {
        let wishes = apiServer.objects(namespace: namespace).map { Wish($0) }
        var uids = Set(wishes.filter { $0.stated != nil }.map(\.uid))
        for process in leading {
            uids.formUnion(await process.ledger.allRules().filter { $0.owner.namespace == namespace }.map(\.owner.uid))
        }
        return uids
    }
}
