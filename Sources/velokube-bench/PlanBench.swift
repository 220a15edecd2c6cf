import ArgumentParser
import BusinessPolicy

/// `velokube-bench plan`
struct PlanBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Plans a profile of many rules, of which few or many have changed.")

    /// For ten times the work. What n log n asks for is 13; what is quadratic would be 100.
    private static let growthMax = 30.0

    func run() async throws {
        let small = try await measure(rules: 1000, changed: 1)
        let one = try await measure(rules: 10_000, changed: 1)
        let many = try await measure(rules: 10_000, changed: 1000)
        row("plan: ten times the rules take", one / small, "times as long")
        row("plan: a thousand times the changes take", many / one, "times as long")
        guard one / small < Self.growthMax else { throw Unfit("planning is not near linear in the rules") }
        guard many / one < Self.growthMax else { throw Unfit("planning is not near linear in the changes") }
    }

    private func measure(rules: Int, changed: Int) async throws -> Double {
        let input = try world(rules: rules, changed: changed)
        var plan = Plan()
        let taken = await best(of: 5) { plan = BusinessPolicy.plan(input) }
        guard plan.changes.count == changed else { throw Unfit("\(plan.changes.count) changes are planned") }
        row("plan of \(rules) rules with \(changed) changed", taken * 1000, "ms")
        let applied = await best(of: 3) { _ = input.actual.applying(plan) }
        row("its document made", applied * 1000, "ms")
        return taken
    }

    /// Every rule is wanted, recorded and there; every so many-th is wanted otherwise.
    private func world(rules: Int, changed: Int) throws -> PlanInput {
        let old = RuleSettings(hostname: "a.example", portLow: 80, portHigh: 80)
        let new = RuleSettings(hostname: "a.example", portLow: 81, portHigh: 81)
        var there: [JSON] = []
        var desired: [DesiredRule] = []
        var recorded: [OwnedRule] = []
        for number in 0..<rules {
            let name = Resources.name(number)
            let owner = Owner(namespace: "default", name: name, uid: "uid-\(number)")
            let rule = old.composed(name: name, template: builtInTemplate, ruleLogicalID: "id-\(number)")
            there.append(rule)
            let settings = number % (rules / changed) == 0 ? new : old
            desired.append(
                DesiredRule(
                    owner: owner, name: name, createdAt: "2026-01-02T03:04:05Z",
                    want: .rule(settings, adoption: .never)))
            recorded.append(
                OwnedRule(
                    place: RulePlace(profileID: 1, segmentID: 0, name: name), owner: owner, profileName: "P",
                    segmentName: DesiredRule.globalSegment, wanted: old, order: DesiredRule.defaultOrder,
                    template: builtInTemplate, readBack: rule))
        }
        let segment: JSON = [
            "segment": ["segmentId": 0, "name": .string(DesiredRule.globalSegment)], "rules": .array(there),
            "defaults": [builtInTemplate],
        ]
        let document = try PolicyDocument(parsing: (["segments": [segment]] as JSON).serialized())
        return PlanInput(profileID: 1, profileName: "P", desired: desired, actual: document, recorded: recorded)
    }
}
