import BusinessPolicy
import Testing

/// What a limit is told that makes no sense, and what it forbids all the same.
@Suite struct LimitValidityTests {
    private func validity(_ spec: String, beside others: String...) throws -> LimitValidity {
        let others = try others.enumerated().map { try LimitFixtures.limit($1, name: "other\($0)") }
        return LimitValidity(of: try LimitFixtures.limit(spec), beside: others)
    }

    // What a schema of another version let through is named, with what is wrong.
    @Test(arguments: [
        (#"{"dports":["9000-8000"]}"#, #"spec.dports: "9000-8000" runs backwards, so that it allows nothing"#),
        (#"{"dports":["http"]}"#, #"spec.dports: "http" is neither a port such as 443 nor a range"#),
        (#"{"dports":[70000]}"#, "is not within 1 to 65535"),
        (#"{"fqdn-patterns":["shop*.example"]}"#, "has a star elsewhere than at the beginning"),
        (#"{"fqdn-patterns":["com"]}"#, "has only one label"),
        (#"{"service-classes":["platinum"]}"#, #""platinum" is none of realtime, transactional, bulk"#),
        (#"{"profiles":"P"}"#, #"spec.profiles "P" is no list of texts, so that it allows nothing"#),
        (#"{"profiles":[]}"#, "spec.profiles is empty, so that it allows nothing"),
        (#"{"max-rules":-1}"#, "spec.max-rules -1 makes no sense; needed is 0 or more"),
        (#"{"max-rules":"many"}"#, #"spec.max-rules "many" is no whole number, so that it allows nothing"#),
        (#"{"bandwidth-limit":{}}"#, "spec.bandwidth-limit.maximum is missing, so that it allows nothing"),
        (#"{"order":{"minimum":1.5}}"#, "spec.order.minimum 1.5 is no whole number"),
        (#"{"on-violation":"Explode"}"#, #"spec.on-violation "Explode" is not known and taken for Keep"#),
        (
            #"{"jitter":{"maximum":5}}"#,
            "spec.jitter is not known to this version of velokube, which does not enforce it"
        ),
        ("[]", "spec [] is a list; needed is an object"),
    ]) func faultsAreNamed(_ spec: String, _ words: String) throws {
        let validity = try validity(spec)
        #expect(validity.reason == .invalidSpec)
        #expect(validity.message.contains(words), "\(validity.message)")
    }

    // The safe side: what cannot be read allows nothing, and the rest holds.
    @Test(arguments: [
        (
            #"{"profiles":"P"}"#,
            ["spec.profiles of VelocloudLimit \"checked\" cannot be read, so that it allows nothing"]
        ),
        (
            #"{"bandwidth-limit":"50"}"#,
            ["spec.bandwidth-limit of VelocloudLimit \"checked\" cannot be read, so that it allows nothing"]
        ),
        (
            #"{"service-classes":["platinum","bulk"]}"#,
            [
                "spec.service-class transactional is not one of platinum, bulk, the service-classes of "
                    + "VelocloudLimit \"checked\""
            ]
        ),
        (#"{"fqdn-patterns":["*shop.example","*.shop.example"]}"#, []),
        (#"{"dports":["x","1-500"]}"#, []),
        (#"{"jitter":5,"on-violation":"Explode"}"#, []),
    ]) func unreadableAllowsNothing(_ spec: String, _ words: [String]) throws {
        let limit = try LimitFixtures.limit(spec)
        let violations = limit.violations(of: LimitFixtures.ask())
        #expect(violations.map(\.message) == words)
    }

    // A rule is never taken away for a limit that cannot be read, nor for a policy that is not known.
    @Test func slipsTakeNoRules() throws {
        for spec in [#"{"profiles":"P"}"#, #"{"order":{}}"#, #"{"profiles":["Q"],"on-violation":"Explode"}"#] {
            let violations = try LimitFixtures.limit(spec).violations(of: LimitFixtures.ask())
            #expect(violations.map(\.removesRule) == [false], "\(spec)")
        }
        for spec in [#"{"dports":["9000-8000"]}"#, #"{"profiles":[]}"#, #"{"service-classes":["platinum"]}"#] {
            let violations = try LimitFixtures.limit(spec).violations(of: LimitFixtures.ask())
            #expect(violations.map(\.removesRule) == [false], "\(spec)")
        }
        let quota = LimitJudgement(
            of: [LimitFixtures.applicant("a", at: 1, hasRule: true)],
            by: [try LimitFixtures.limit(#"{"max-rules":"many"}"#)])
        #expect(quota.violations["a"]?.map(\.removesRule) == [false])
    }

    // Two limits that nothing can satisfy both name one another.
    @Test(arguments: [
        (#"{"profiles":["A","B"]}"#, #"{"profiles":["C"]}"#, "profiles"),
        (#"{"dports":["1-100",443]}"#, #"{"dports":["101-200"]}"#, "dports"),
        (#"{"fqdn-patterns":["*.a.example"]}"#, #"{"fqdn-patterns":["a.example","*.b.example"]}"#, "fqdn-patterns"),
        (#"{"link-policies":["auto"]}"#, #"{"link-policies":["fixed"]}"#, "link-policies"),
    ]) func contradictionsAreNamed(_ mine: String, _ other: String, _ field: String) throws {
        let validity = try validity(mine, beside: "{}", other)
        #expect(validity.reason == .contradiction)
        #expect(
            validity.message == #"no value of spec.\#(field) is also allowed by VelocloudLimit "other1", "#
                + "so that together they forbid everything.")
    }

    // Limits that have something in common do not contradict one another, nor does one that is faulty by itself.
    @Test(arguments: [
        (#"{"profiles":["A","B"]}"#, #"{"profiles":["B"]}"#), (#"{"dports":["1-100"]}"#, #"{"dports":["100-200"]}"#),
        (#"{"fqdn-patterns":["*.example"]}"#, #"{"fqdn-patterns":["*.a.example"]}"#),
        (#"{"fqdn-patterns":["x.a.example"]}"#, #"{"fqdn-patterns":["*.A.example"]}"#),
        (#"{"profiles":["A"]}"#, #"{"segments":["B"]}"#), (#"{"profiles":["A"]}"#, #"{"profiles":[]}"#),
    ]) func compatibleLimitsAreValid(_ mine: String, _ other: String) throws {
        #expect(try validity(mine, beside: other).reason == .valid)
    }

    // Three can contradict one another though any two do not.
    @Test func threeTogether() throws {
        let validity = try validity(
            #"{"profiles":["A","B"]}"#, beside: #"{"profiles":["B","C"]}"#, #"{"profiles":["A","C"]}"#)
        #expect(validity.reason == .contradiction)
        #expect(validity.message.contains(#"VelocloudLimit "other0", "other1""#))
    }

    // Many limits with long lists are crossed as quickly as few: each has 64 entries that overlap all others.
    @Test func manyLimitsAreCrossed() throws {
        let ports = (0..<64).map { "\"\(1 + $0)-\(65_535 - $0)\"" }.joined(separator: ",")
        let names = (0..<64).map { depth in "\"*." + (0..<depth).map { "l\($0)." }.joined() + "example\"" }
        let spec = "{\"dports\":[\(ports)],\"fqdn-patterns\":[\(names.joined(separator: ","))]}"
        let limits = try (0..<12).map { try LimitFixtures.limit(spec, name: "limit\($0)") }
        #expect(LimitValidity(of: limits[0], beside: Array(limits.dropFirst())).reason == .valid)
    }

    // Groups without a fixed link policy steer nothing: the author of the limit is told.
    @Test func idleGroupsAreWarnedOf() throws {
        let idle = try validity(#"{"service-groups":["PUBLIC_WIRED"]}"#)
        #expect(idle.reason == .valid && idle.message.contains("set spec.link-policies to [fixed]"))
        let binding = try validity(#"{"service-groups":["PUBLIC_WIRED"],"link-policies":["fixed"]}"#)
        #expect(binding.message == "The limit makes sense.")
    }
}

/// The status that a limit gets.
@Suite struct LimitStatusTests {
    private func status(
        of limit: VelocloudLimit, _ applicants: [Applicant], beside others: [VelocloudLimit] = [], now: String = "now"
    ) -> LimitStatus {
        let limits = [limit] + others
        return .of(
            limit, among: limits,
            names: Dictionary(uniqueKeysWithValues: applicants.map { ($0.owner.uid, $0.owner.name) }),
            LimitJudgement(of: applicants, by: limits), now: now)
    }

    // It counts whom it governs and who breaks it, and not who breaks another.
    @Test func itTellsWhoBreaksIt() throws {
        let limit = try LimitFixtures.limit(#"{"bandwidth-limit":{"maximum":20},"max-total-bandwidth":100}"#)
        let other = try LimitFixtures.limit(#"{"profiles":["P"]}"#, name: "other")
        let applicants = [
            LimitFixtures.applicant("c", at: 1, cap: 30), LimitFixtures.applicant("b", at: 2, cap: 40),
            LimitFixtures.applicant("a", at: 3, cap: 20), LimitFixtures.applicant("q", at: 4, cap: 5, profile: "Q"),
        ]
        let status = status(of: limit, applicants, beside: [other])
        #expect(status.governed == 4 && status.violating == 2 && status.violators == ["b", "c"])
        #expect(status.bandwidthInUse.map(\.percent) == [20])
        #expect(status.rulesInUse == 1 && status.bandwidthInUse.map(\.profile) == ["P"])
        #expect(status.observedGeneration == 3 && status.valid?.isTrue == true && status.valid?.observedGeneration == 3)
        #expect(self.status(of: other, applicants, beside: [limit]).violators == ["q"])
        #expect(self.status(of: other, applicants, beside: [limit]).bandwidthInUse.isEmpty)
    }

    // Ten names are enough for people; the count tells of all.
    @Test func namesAreFew() throws {
        let limit = try LimitFixtures.limit(#"{"profiles":["Q"]}"#)
        let status = status(of: limit, (0..<30).map { LimitFixtures.applicant("r\($0)", at: $0) })
        #expect(status.violating == 30 && status.violators.count == 10)
    }

    // What is written is read back as it was, and the time moves with the condition alone.
    @Test func itIsReadBack() throws {
        let limit = try LimitFixtures.limit(#"{"max-total-bandwidth":100,"dports":["9-8"]}"#)
        let first = status(of: limit, [LimitFixtures.applicant("a", at: 1)], now: "2026-01-01T00:00:00Z")
        #expect(first.valid?.isTrue == false && first.valid?.reason == "InvalidSpec")
        func stored(_ spec: String) throws -> VelocloudLimit {
            try VelocloudLimit(
                json: .object([
                    .init(
                        "metadata", ["namespace": "shop", "name": "checked", "uid": "checked", "resourceVersion": "2"]),
                    .init("spec", try JSON.parse(Array(spec.utf8))), .init("status", first.json),
                ]))
        }
        let again = try stored(#"{"max-total-bandwidth":100,"dports":["9-8"]}"#)
        #expect(again.status == first)
        var later = status(of: again, [LimitFixtures.applicant("a", at: 1)], now: "2026-01-02T00:00:00Z")
        #expect(later.valid?.lastTransitionTime == "2026-01-01T00:00:00Z")
        later = status(of: try stored("{}"), [], now: "2026-01-03T00:00:00Z")
        #expect(later.valid?.isTrue == true && later.valid?.lastTransitionTime == "2026-01-03T00:00:00Z")
    }
}
