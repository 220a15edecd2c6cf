import BusinessPolicy
import HTTPTransport
import Ledger
import Simulation

/// What must hold at every write, and what in the end.
extension SeededWorld {
    /// Judges one write to the VCO by what was there before it.
    func judge(_ request: HTTPRequest, by life: OperatorProcess.Life, before profiles: [ProfileView]) {
        let leaders = leading.map(\.life.number)
        if leaders.count > 1 { breaks("processes \(leaders) lead at once") }
        guard let body = try? JSON.parse(request.body ?? []), let id = body["id"]?.int,
            let profile = profiles.first(where: { $0.moduleID == id }),
            let sent = body["_update"]?["data"]?["segments"]?.array
        else { return breaks("a write that is no document of a profile") }
        guard sent.map({ $0["segment"]?["name"]?.string }) == profile.segments.map(\.name) else {
            return breaks("a write that adds, removes or moves segments")
        }
        var isChanged = false
        let wishes = apiServer.objects().map { Wish($0) }
        for (segment, sentSegment) in zip(profile.segments, sent) {
            let rules = sentSegment["rules"]?.array ?? []
            let old = segment.rules.compactMap { try? JSON.parse($0) }
            isChanged = isChanged || rules != old
            let foreign = foreignNames(profile.id, segment.id)
            let isForeign: (JSON) -> Bool = { foreign.contains($0["name"]?.string ?? "") }
            if rules.filter(isForeign) != old.filter(isForeign) {
                breaks("a write that changes, removes or moves a rule of the WAN team in \(segment.name)")
            }
            // Of a profile that has just been renamed, rules are taken out that its new name gives a right to again.
            if life.profileNames.withLock({ $0[profile.id] }) == profile.name {
                for rule in old where !isForeign(rule) { judge(rule, in: segment, of: profile, among: rules, wishes) }
            }
            for (wish, kept) in keptRules(wishes) where (kept.profileID, kept.segment) == (profile.id, segment.name) {
                guard let rule = old.first(where: { $0["name"]?.string == kept.name }), !rules.contains(rule) else {
                    continue
                }
                breaks("a write that changes or removes the rule of \(wish.key), which a limit keeps")
            }
        }
        if !isChanged, weather.modes.rejectedPorts.isEmpty { breaks("a write that changes nothing") }
    }

    /// A rule whose resource is ready and content must stay as it is.
    private func judge(
        _ rule: JSON, in segment: ProfileView.Segment, of profile: ProfileView, among sent: [JSON], _ wishes: [Wish]
    ) {
        let name = rule["name"]?.string
        let owner = wishes.first {
            $0.profile == profile.name && $0.segment == segment.name && $0.name == name && $0.isReady && $0.isCurrent
                && !$0.isDeleting && $0.isHonoured(by: rule) && !mayLoseRule($0)
        }
        guard let owner else { return }
        guard let written = sent.first(where: { $0["name"]?.string == name }) else {
            return breaks("a write that removes the rule of \(owner.key), which is ready and wants it")
        }
        if written != rule { breaks("a write that changes the rule of \(owner.key), which is as it is wanted") }
    }

    /// What is not yet as it must be once everything has settled; empty when all is well.
    func complaints() async -> [String] {
        let wishes = apiServer.objects().map { Wish($0) }
        let rules = ownRules()
        var complaints: [String] = []
        let (breaches, ofLimits) = await judgeLimits(wishes)
        complaints += ofLimits
        let held = await heldPlaces(wishes, breaches)
        for wish in wishes {
            complaints += self.complaints(of: wish, wishes, rules, breaches, held)
        }
        var stated = Set(wishes.compactMap { $0.stated.map { "\($0.profile)/\($0.segment)/\($0.name)" } })
        stated.formUnion(held.keys)
        let forgotten = state.withLock { $0.forgotten }
        for rule in rules
        where !stated.contains(rule.place) && !forgotten.contains(rule.place) {
            complaints.append("rule \(rule.name) of \(rule.profile) belongs to nobody")
        }
        let places = Dictionary(grouping: rules, by: \.place)
        for (place, rules) in places where rules.count > 1 {
            complaints.append("\(place) is there \(rules.count) times")
        }
        return complaints.sorted() + disorder(wishes)
    }

    /// Places of rules of resources that keep theirs, with the resource's key. One on hold, and one whose new segment
    /// is not there, also keeps a rule that its status cannot name: it was about to move when it was paused, its
    /// profile was renamed, or the rule is that of a predecessor who vanished.
    private func heldPlaces(
        _ wishes: [Wish], _ breaches: [String: NamespaceJudgement.Breach]
    ) async -> [String: String] {
        let held = Set(
            wishes.filter { wish in
                guard let breach = breaches[wish.uid] else {
                    return wish.isPaused || !wish.isValid || wish.reason == "SegmentNotFound"
                }
                return !breach.removes
            }.map(\.key))
        var places: [String: String] = [:]
        for process in leading {
            for rule in await process.ledger.allRules() {
                let owner = "\(rule.owner.namespace)/\(rule.owner.name)"
                guard held.contains(owner), let profile = orchestrator.profile(.id(rule.place.profileID)) else {
                    continue
                }
                places["\(profile.name)/\(rule.segmentName)/\(rule.place.name)"] = owner
            }
        }
        return places
    }

    private func complaints(
        of wish: Wish, _ wishes: [Wish], _ rules: [OwnRule], _ breaches: [String: NamespaceJudgement.Breach],
        _ held: [String: String]
    ) -> [String] {
        if wish.isDeleting { return ["\(wish.key) still waits to be let go: \(wish.reason)"] }
        guard wish.isCurrent else { return ["the status of \(wish.key) is not of its generation"] }
        if let breach = breaches[wish.uid] { return self.complaints(of: wish, outside: breach) }
        let rule = rules.first { wish.isPlaced($0) }
        let expected = expected(wish, wishes, held)
        if wish.isReady {
            guard expected.contains("Ready") else { return ["\(wish.key) is ready and should not be"] }
            guard let rule, wish.isHonoured(by: rule.json) else { return ["\(wish.key) is ready without its rule"] }
            guard let stated = wish.stated, stated == (rule.profile, rule.segment, rule.name) else {
                return ["\(wish.key) is ready and its status names another rule"]
            }
            return []
        }
        guard expected.contains(wish.reason) else {
            return ["\(wish.key) is \(wish.reason), not one of \(expected.sorted())"]
        }
        return []
    }

    /// How a resource may stand in the end.
    private func expected(_ wish: Wish, _ wishes: [Wish], _ held: [String: String]) -> Set<String> {
        if wish.isPaused { return wish.isValid ? ["Paused"] : ["Paused", "InvalidSpec"] }
        if !wish.isValid { return ["InvalidSpec"] }
        let rivals = wishes.filter { $0.key != wish.key && ($0.place == wish.place || wish.isStated(by: $0)) }
        let isHeldByRival = rivals.contains { rival in
            rival.isReady || rival.stated != nil || rival.isPaused || rival.isRejected
        }
        let isKept = held[wish.place].map { $0 != wish.key } ?? false
        let conflict: Set<String> = isHeldByRival || isKept ? ["NameConflict"] : []
        // What was refused is held until it is edited, also when its profile goes afterwards.
        let isRefused = wish.isRejected && !weather.modes.rejectedPorts.isEmpty
        let refusal: Set<String> = isRefused ? ["RejectedByOrchestrator"] : []
        guard let profile = orchestrator.profile(.name(wish.profile)) else {
            return conflict.union(refusal).union(["ProfileNotFound"])
        }
        guard let segment = profile.segment(wish.segment) else {
            return conflict.union(refusal).union(["SegmentNotFound"])
        }
        // Of several that a rule of the WAN team's keeps out, only the first in line is told so.
        let queue: Set<String> = rivals.isEmpty ? [] : ["NameConflict"]
        if foreignNames(profile.id, segment.id).contains(wish.name) {
            return conflict.union(queue).union(refusal).union(["ForeignRule"])
        }
        let isForgotten = state.withLock { $0.forgotten }.contains(wish.place)
        if isRefused { return conflict.union(refusal).union(isForgotten ? ["ForeignRule"] : []) }
        if rivals.contains(where: \.isReady) { return ["NameConflict"] }
        return conflict.union(isForgotten ? queue.union(["Ready", "ForeignRule"]) : ["Ready"])
    }

    /// Rules of ours that are not in the order that their resources ask for. Those that were there before stay where
    /// they are among those of their number.
    private func disorder(_ wishes: [Wish]) -> [String] {
        let ready = wishes.filter { $0.isReady && !$0.isPaused }
        return orchestrator.profiles.flatMap { profile in
            profile.segments.compactMap { segment -> String? in
                let ours = segment.names.compactMap { name in
                    ready.first { $0.profile == profile.name && $0.segment == segment.name && $0.name == name }
                }
                let made = ours.filter { !$0.hasFoundRule }
                let sorted = made.sorted { ($0.order, $0.key) < ($1.order, $1.key) }
                let orders = ours.map(\.order)
                guard made.map(\.key) != sorted.map(\.key) || orders != orders.sorted() else { return nil }
                return "rules of \(profile.name) are in the order \(ours.map(\.key)), not \(sorted.map(\.key))"
            }
        }
    }
}

extension Wish {
    /// Whether another resource's status says that it has the rule at this place.
    func isStated(by other: Wish) -> Bool {
        guard let stated = other.stated else { return false }
        return stated == (profile, segment, name)
    }
}
