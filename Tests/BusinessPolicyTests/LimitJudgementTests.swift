import BusinessPolicy
import Testing

/// Who is within the limits of a namespace.
@Suite struct LimitJudgementTests {
    // The oldest are let in first, whatever order they are given in.
    @Test func oldestComeFirst() throws {
        let limit = try LimitFixtures.limit(#"{"max-rules":2}"#)
        let applicants = [
            LimitFixtures.applicant("c", at: 3), LimitFixtures.applicant("a", at: 2),
            LimitFixtures.applicant("b", at: 1),
        ]
        #expect(LimitFixtures.out(applicants, limit) == ["c"])
        #expect(LimitFixtures.out(applicants.reversed(), limit) == ["c"])
        let judgement = LimitJudgement(of: applicants, by: [limit])
        #expect(judgement.usage.rules == 2)
        #expect(
            judgement.violations["c"]?.map(\.message) == [
                "older resources of the namespace have all the rules that max-rules 2 of "
                    + #"VelocloudLimit "checked" allows"#
            ])
    }

    // Times are whole seconds: within one, who has a rule is not turned out by a uid.
    @Test func ruleDecidesWithinASecond() throws {
        let limit = try LimitFixtures.limit(#"{"max-rules":1}"#)
        let both = [LimitFixtures.applicant("a", at: 1), LimitFixtures.applicant("b", at: 1, hasRule: true)]
        #expect(LimitFixtures.out(both, limit) == ["a"])
        let older = [LimitFixtures.applicant("a", at: 0), LimitFixtures.applicant("b", at: 1, hasRule: true)]
        #expect(LimitFixtures.out(older, limit) == ["b"])
    }

    // Bandwidth is counted profile by profile, and a rule without a cap takes a whole link.
    @Test func bandwidthIsSummedByProfile() throws {
        let limit = try LimitFixtures.limit(#"{"max-total-bandwidth":100}"#)
        let applicants = [
            LimitFixtures.applicant("a", at: 1, cap: 60), LimitFixtures.applicant("b", at: 2, cap: 50),
            LimitFixtures.applicant("c", at: 3, cap: 40), LimitFixtures.applicant("d", at: 4, cap: -1, profile: "Q"),
            LimitFixtures.applicant("e", at: 5, cap: 1, profile: "Q"), LimitFixtures.applicant("f", at: 6, cap: -1),
        ]
        let judgement = LimitJudgement(of: applicants, by: [limit])
        #expect(judgement.violations.keys.sorted() == ["b", "e", "f"])
        #expect(judgement.usage.bandwidth == ["P": 100, "Q": 100])
        let words = #"does not fit beside older resources on profile "P" into 100, the max-total-bandwidth of "#
        #expect(
            judgement.violations["b"]?.map(\.message) == [
                "spec.bandwidth-limit 50 \(words)VelocloudLimit \"checked\""
            ])
        #expect(judgement.violations["f"]?[0].message.contains("-1 (no limit, which counts as 100)") == true)
        #expect(judgement.violations["b"]?.map(\.field) == ["bandwidth-limit"])
    }

    // Where no room could ever be, nobody is told to wait for it.
    @Test(arguments: [
        (#"{"max-rules":0}"#, 10, #"max-rules 0 of VelocloudLimit "checked" allows no rule"#),
        (
            #"{"max-total-bandwidth":50}"#, 60,
            #"spec.bandwidth-limit 60 is over 50, the max-total-bandwidth of VelocloudLimit "checked""#
        ),
        (
            #"{"max-total-bandwidth":50}"#, -1,
            "spec.bandwidth-limit -1 (no limit, which counts as 100) is over 50, the max-total-bandwidth of "
                + #"VelocloudLimit "checked""#
        ),
    ]) func whatCanNeverFit(_ spec: String, _ cap: Int, _ words: String) throws {
        let judgement = LimitJudgement(
            of: [LimitFixtures.applicant("a", at: 1, cap: cap)], by: [try LimitFixtures.limit(spec)])
        #expect(judgement.violations["a"]?.map(\.message) == [words])
    }

    // Whoever waits gets in once an older one asks for less or is gone, and nobody else is turned out for it.
    @Test func waitersGetInAsRoomAppears() throws {
        let limit = try LimitFixtures.limit(#"{"max-rules":2,"max-total-bandwidth":100}"#)
        var applicants = [
            LimitFixtures.applicant("a", at: 1, cap: 50), LimitFixtures.applicant("b", at: 2, cap: 50),
            LimitFixtures.applicant("c", at: 3, cap: 50),
        ]
        #expect(LimitFixtures.out(applicants, limit) == ["c"])
        applicants.removeFirst()
        #expect(LimitFixtures.out(applicants, limit).isEmpty)
    }

    // Who is outside for another reason takes no room, unless the limit lets the rule be.
    @Test(arguments: [("Remove", ["a"]), ("Keep", ["a", "b"])]) func keptRulesTakeRoom(
        _ policy: String, _ out: [String]
    ) throws {
        let limit = try LimitFixtures.limit(
            #"{"max-rules":1,"bandwidth-limit":{"maximum":20},"on-violation":"\#(policy)"}"#)
        let applicants = [
            LimitFixtures.applicant("a", at: 1, cap: 90, hasRule: true), LimitFixtures.applicant("b", at: 2),
        ]
        #expect(LimitFixtures.out(applicants, limit) == out)
    }

    // Every limit of the namespace counts, and every broken rule is told.
    @Test func allLimitsMustHold() throws {
        let first = try LimitFixtures.limit(#"{"bandwidth-limit":{"maximum":20},"on-violation":"Keep"}"#, name: "first")
        let second = try LimitFixtures.limit(#"{"bandwidth-limit":{"maximum":30},"profiles":["Q"]}"#, name: "second")
        let judgement = LimitJudgement(of: [LimitFixtures.applicant("a", at: 1, cap: 40)], by: [second, first])
        #expect(
            judgement.violations["a"]?.map(\.message) == [
                #"spec.bandwidth-limit 40 is over 20, the maximum of VelocloudLimit "first""#,
                #"spec.profile "P" is not one of "Q", the profiles of VelocloudLimit "second""#,
                #"spec.bandwidth-limit 40 is over 30, the maximum of VelocloudLimit "second""#,
            ])
        #expect(judgement.violations["a"]?.map(\.removesRule) == [false, true, true])
    }

    // A spec that cannot be understood is judged by the rule that it has: else it would be a way round a limit.
    @Test func rulesOfInvalidSpecsAreJudged() throws {
        let limit = try LimitFixtures.limit(#"{"bandwidth-limit":{"maximum":20},"max-rules":1}"#)
        var broken = LimitFixtures.applicant("a", at: 1, cap: 40, hasRule: true)
        broken.ask = nil
        #expect(LimitFixtures.out([broken], limit) == ["a"])
        broken.rule = LimitFixtures.ask(cap: 10)
        let judgement = LimitJudgement(of: [broken, LimitFixtures.applicant("b", at: 2)], by: [limit])
        #expect(judgement.violations.keys.sorted() == ["b"])
        broken.rule = nil
        broken.hasRule = false
        #expect(LimitFixtures.out([broken, LimitFixtures.applicant("b", at: 2)], limit).isEmpty)
    }

    // Without a limit everything is allowed, and an empty limit allows everything too.
    @Test func withoutLimitsAllIsAllowed() throws {
        let anyone = LimitFixtures.applicant("a", at: 1, cap: -1)
        #expect(LimitJudgement(of: [anyone], by: []).violations.isEmpty)
        #expect(LimitFixtures.out([anyone], try LimitFixtures.limit("{}")).isEmpty)
    }

    // What holds for every namespace: quotas are kept, nobody is out who would fit, and the order of input is nothing.
    @Test(arguments: 0..<8) func quotasHold(_ block: Int) throws {
        for seed in block * 100..<(block + 1) * 100 {
            var random = TestRandom(seed: seed)
            let rules = Int.random(in: 0...6, using: &random)
            let bandwidth = Int.random(in: 0...250, using: &random)
            let limit = try LimitFixtures.limit(#"{"max-rules":\#(rules),"max-total-bandwidth":\#(bandwidth)}"#)
            let applicants = (0..<Int.random(in: 0...12, using: &random)).map { index in
                LimitFixtures.applicant(
                    "r\(index)", at: Int.random(in: 0...3, using: &random), cap: random.pick([-1, 5, 20, 50, 100]),
                    profile: random.pick(["P", "Q"]), hasRule: random.chance(in: 3))
            }
            let judgement = LimitJudgement(of: applicants, by: [limit])
            #expect(judgement.usage.rules <= rules, "seed \(seed)")
            #expect(judgement.usage.bandwidth.values.allSatisfy { $0 <= bandwidth }, "seed \(seed)")
            #expect(judgement == LimitJudgement(of: applicants.shuffled(using: &random), by: [limit]), "seed \(seed)")
            for applicant in applicants where judgement.violations[applicant.owner.uid] != nil {
                let cap = applicant.ask?.settings.bandwidthCap ?? 0
                let used = judgement.usage.bandwidth[applicant.ask?.profile ?? ""] ?? 0
                let fits = judgement.usage.rules < rules && used + (cap < 0 ? 100 : cap) <= bandwidth
                #expect(!fits, "seed \(seed): \(applicant.owner.name)")
            }
        }
    }
}
