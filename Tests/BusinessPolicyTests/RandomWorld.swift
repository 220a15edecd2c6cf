import BusinessPolicy

extension PlanWorld {
    private static let names = ["r0", "r1", "r2", "r3", "r4", "r5"]
    private static let owners = ["a", "b", "c", "d", "e", "f", "g"]
    private static let wishes = [
        wanted, other,
        RuleSettings(hostname: "a.example", portLow: 80, portHigh: 90, linkPolicy: .fixed, serviceGroup: .publicWired),
    ]
    private static let segmentNames = ["Global Segment", "Voice", "Voice", "Guest", "Nowhere"]

    /// A template with little in it: whole ones would make a test of thousands of worlds long.
    private static let small: JSON = {
        let route: JSON = ["linkPolicy": "auto", "serviceGroup": "ALL"]
        let scheduler: JSON = ["priority": "normal", "bandwidthCapPct": -1]
        return [
            "name": "Default-Any-Other", "match": ["sip": "any", "hostname": "", "proto": -1],
            "action": [
                "edge2EdgeRouteAction": route, "edge2DataCenterRouteAction": route, "edge2CloudRouteAction": route,
                "QoS": ["type": "bulk", "rxScheduler": scheduler, "txScheduler": scheduler],
            ],
        ]
    }()

    /// A template that restricts what it matches, so that rules made from it honour nothing made from the other.
    private static let narrow: JSON = {
        var template = small
        template["match"]?["dscp"] = 46
        return template
    }()

    /// Rules composed once: composing them anew for every world would be most of the time.
    private static let composed: [[JSON]] = [small, narrow].map { template in
        wishes.map { rule("", $0, template: template) }
    }

    private static let foreignRule: JSON = {
        var rule = composed[0][0]
        rule["match"]?["hostname"] = ""
        return rule
    }()

    private static func named(_ rule: JSON, _ name: String, id: String) -> JSON {
        var rule = rule
        rule["name"] = .string(name)
        rule["ruleLogicalId"] = .string(id)
        return rule
    }

    /// Any world: rules of ours and of others, some of one name; resources that agree and that collide; records that
    /// are settled, open, old, of the living, the held, the recreated and the gone.
    static func random(using random: inout TestRandom) -> PlanWorld {
        var world = PlanWorld()
        world.segments = [
            (0, random.chance(in: 4) ? "Default" : "Global Segment", []), (3, "Voice", []), (5, "Guest", []),
        ]
        if random.chance(in: 2) { world.segments.removeLast() }
        world.template = random.pick([small, small, narrow, narrow, nil])
        world.placement = random.pick(Placement.allCases)
        world.addRules(using: &random)
        for owner in owners where !random.chance(in: 3) { world.addWish(of: owner, using: &random) }
        for owner in owners where !random.chance(in: 3) { world.addRecord(of: owner, using: &random) }
        if random.chance(in: 2) { world.addRecord(of: random.pick(owners), using: &random) }
        return world
    }

    private mutating func addRules(using random: inout TestRandom) {
        for index in segments.indices {
            for number in 0..<Int.random(in: 0...7, using: &random) {
                let name = random.pick(Self.names + ["x\(number)", "y\(number)"])
                let id = "id-\(index)-\(number)"
                switch Int.random(in: 0..<8, using: &random) {
                case 0: segments[index].rules.append(random.pick([.null, 3, "r1", ["name": 5], [:]]))
                case 1, 2: segments[index].rules.append(Self.named(Self.foreignRule, name, id: id))
                default:
                    let rule = random.pick(Self.composed[random.chance(in: 3) ? 1 : 0])
                    segments[index].rules.append(Self.named(rule, name, id: id))
                }
            }
        }
    }

    private mutating func addWish(of owner: String, using random: inout TestRandom) {
        let want: DesiredRule.Want =
            random.chance(in: 5) ? .hold : .rule(random.pick(Self.wishes), adoption: random.pick(Adoption.allCases))
        desired.append(
            DesiredRule(
                owner: Self.owner(owner), segment: random.pick(Self.segmentNames), name: random.pick(Self.names),
                order: Int.random(in: 0...3, using: &random),
                createdAt: "2026-01-0\(Int.random(in: 1...3, using: &random))T00:00:00Z", want: want))
    }

    private mutating func addRecord(of owner: String, using random: inout TestRandom) {
        let wish = desired.first { $0.owner.name == owner }
        let id = random.pick([0, 0, 3, 3, 5, 9])
        let name = random.chance(in: 3) ? random.pick(Self.names) : wish?.name ?? random.pick(Self.names)
        guard !recorded.contains(where: { $0.place == Self.place(name, segment: id) }) else { return }
        var settings: RuleSettings? = random.pick(Self.wishes)
        if case .rule(let wanted, _) = wish?.want, random.chance(in: 2) { settings = wanted }
        let rules = segments.first { $0.id == id }?.rules.filter { $0["name"] == .string(name) } ?? []
        let intent = random.pick([nil, nil, nil, OwnedRule.Intent.create, .update, .delete])
        if random.chance(in: 8), intent != .create { settings = nil }
        record(
            owner, name: name, segment: id, order: Int.random(in: 0...3, using: &random), settings: settings,
            uid: random.chance(in: 6) ? "old-\(owner)" : nil
        ) { record in
            record.intent = intent
            record.isOwnerAbsent = random.chance(in: 4)
            record.template = random.pick([nil, Self.small, Self.small, Self.narrow])
            if random.chance(in: 4) { record.original = Self.named(Self.foreignRule, name, id: "original-\(name)") }
            record.readBack = random.chance(in: 4) ? nil : rules.randomElement(using: &random) ?? record.readBack
        }
    }
}
