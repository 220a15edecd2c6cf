import BusinessPolicy
import Testing

/// A document, what is wanted of it and what is recorded, made briefly for tests of the plan.
struct PlanWorld {
    var segments: [(id: Int, name: String, rules: [JSON])] = [(0, "Global Segment", []), (3, "Voice", [])]
    var template: JSON? = builtInTemplate
    var desired: [DesiredRule] = []
    var recorded: [OwnedRule] = []
    var placement = Placement.top

    static let wanted = RuleSettings(hostname: "a.example", portLow: 80, portHigh: 80)
    static let other = RuleSettings(hostname: "b.example", portLow: 81, portHigh: 81, serviceClass: .bulk)

    static func owner(_ name: String, uid: String? = nil) -> Owner {
        Owner(namespace: "ns", name: name, uid: uid ?? "uid-\(name)")
    }

    static func place(_ name: String, segment: Int = 0) -> RulePlace {
        RulePlace(profileID: 1, segmentID: segment, name: name)
    }

    /// A rule as velokube writes it and the VCO gives it back.
    static func rule(
        _ name: String, _ settings: RuleSettings = wanted, template: JSON = builtInTemplate, id: String? = nil
    ) -> JSON {
        settings.composed(name: name, template: template, ruleLogicalID: id ?? "id-\(name)")
    }

    /// A rule that somebody made in the portal.
    static func foreign(_ name: String, id: String? = nil) -> JSON {
        let settings = RuleSettings(hostname: "", portLow: 1, portHigh: 65535, serviceClass: .realtime)
        return settings.composed(name: name, template: builtInTemplate, ruleLogicalID: id ?? "foreign-\(name)")
    }

    /// The resource `owner` wants a rule; by default of its own name.
    mutating func want(
        _ owner: String, name: String? = nil, segment: String = "Global Segment", order: Int = 1000,
        settings: RuleSettings = wanted, created: String = "2026-01-01T00:00:00Z", uid: String? = nil,
        adoption: Adoption = .satisfying
    ) {
        desired.append(
            DesiredRule(
                owner: Self.owner(owner, uid: uid), segment: segment, name: name ?? owner, order: order,
                createdAt: created, want: .rule(settings, adoption: adoption)))
    }

    mutating func hold(_ owner: String, name: String? = nil) {
        desired.append(
            DesiredRule(owner: Self.owner(owner), name: name ?? owner, createdAt: "2026-01-01T00:00:00Z", want: .hold))
    }

    /// The ledger has a rule of `owner`, settled unless `edit` says otherwise.
    mutating func record(
        _ owner: String, name: String? = nil, segment: Int = 0, order: Int = 1000,
        settings: RuleSettings? = wanted, uid: String? = nil, edit: (inout OwnedRule) -> Void = { _ in }
    ) {
        let name = name ?? owner
        var record = OwnedRule(
            place: Self.place(name, segment: segment), owner: Self.owner(owner, uid: uid), profileName: "P",
            segmentName: segments.first { $0.id == segment }?.name ?? "Gone", wanted: settings, order: order,
            template: builtInTemplate)
        record.readBack = Self.rule(name, settings ?? Self.wanted)
        record.sent = record.readBack
        edit(&record)
        recorded.append(record)
    }

    /// Puts rules at the end of a segment.
    mutating func put(_ rules: JSON..., segment: Int = 0) {
        guard let index = segments.firstIndex(where: { $0.id == segment }) else { return }
        segments[index].rules += rules
    }

    /// A rule that is wanted, there and recorded.
    mutating func own(_ owner: String, name: String? = nil, order: Int = 1000) {
        want(owner, name: name, order: order)
        record(owner, name: name, order: order)
        put(Self.rule(name ?? owner))
    }

    var document: PolicyDocument {
        get throws {
            let json = segments.map { segment -> JSON in
                [
                    "segment": ["segmentId": .int(segment.id), "name": .string(segment.name)],
                    "rules": .array(segment.rules), "defaults": .array(template.map { [$0] } ?? []),
                    "webProxy": ["providers": []],
                ]
            }
            return try PolicyDocument(parsing: (["segments": .array(json)] as JSON).serialized())
        }
    }

    func plan(on document: PolicyDocument? = nil) throws -> Plan {
        BusinessPolicy.plan(
            PlanInput(
                profileID: 1, profileName: "P", desired: desired, actual: try document ?? self.document,
                recorded: recorded, placement: placement))
    }

    /// Carries the plan out and settles it; the names of the rules of a segment afterwards.
    func names(after plan: Plan, segment: Int = 0) throws -> [String] {
        let result = try document.applying(plan)
        return try #require(result.segments.first { $0.id == segment }).rules.map { $0.name ?? "?" }
    }

    /// The world after the plan was carried out, read back and settled. Fails the test when something did not settle.
    func after(_ plan: Plan, readBack: PolicyDocument? = nil) throws -> (world: PlanWorld, document: PolicyDocument) {
        let written = try PolicyDocument(parsing: document.applying(plan).bytes)
        let outcome = settled(plan, readBack: readBack ?? written)
        #expect(outcome.failed.map { "\($0.change.kind) \($0.change.place.name): \($0.differences)" } == [])
        return (recording(outcome.settled), readBack ?? written)
    }

    /// The world with the ledger as the changes leave it.
    func recording(_ changes: [Change]) -> PlanWorld {
        var world = self
        for change in changes {
            world.recorded.removeAll { $0.place == change.place }
            if let record = change.record { world.recorded.append(record) }
        }
        return world
    }
}

extension Plan {
    /// Kinds and names of the changes, such as `create a`.
    var steps: [String] { changes.map { "\($0.kind.rawValue) \($0.place.name)" } }

    func change(_ name: String) -> Change? { changes.first { $0.place.name == name } }

    func cause(_ owner: String) -> Refusal.Cause? { refusals.first { $0.owner.name == owner }?.cause }
}
