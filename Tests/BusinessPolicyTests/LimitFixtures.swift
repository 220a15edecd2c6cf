import BusinessPolicy
import Testing

/// Limits and resources as tests write them.
enum LimitFixtures {
    static func limit(_ spec: String, name: String = "checked", uid: String? = nil) throws -> VelocloudLimit {
        try VelocloudLimit(
            json: JSON.parse(
                Array(
                    #"""
                    {"metadata":{"namespace":"shop","name":"\#(name)","uid":"\#(uid ?? name)","resourceVersion":"1",
                     "generation":3},"spec":\#(spec)}
                    """#.utf8)))
    }

    /// A resource that asks for so much on a profile; created in so many seconds of the day.
    static func applicant(
        _ name: String, at second: Int, cap: Int = 10, profile: String = "P", hasRule: Bool = false
    ) -> Applicant {
        let ask = ask(cap: cap, profile: profile)
        return Applicant(
            owner: Owner(namespace: "shop", name: name, uid: name), createdAt: "2026-01-01T00:00:\(10 + second)Z",
            ask: ask, rule: hasRule ? ask : nil, hasRule: hasRule)
    }

    static func ask(cap: Int = 10, profile: String = "P", port: Int = 443) -> Ask {
        Ask(
            profile: profile, segment: "Global Segment", order: 1000,
            settings: RuleSettings(
                hostname: "app.shop.example", portLow: port, portHigh: port, bandwidthCap: cap))
    }

    /// The names of those who are out, sorted.
    static func out(_ applicants: [Applicant], _ limits: VelocloudLimit...) -> [String] {
        LimitJudgement(of: applicants, by: limits).violations.keys.sorted()
    }
}
