import BusinessPolicy
import FoundationEssentials
import Testing

@Suite struct RuleSettingsTests {
    static let article1 = RuleSettings(
        hostname: "velokube1.vcn.cloud", portLow: 8080, portHigh: 8080, serviceClass: .realtime, priority: .high)
    static let article2 = RuleSettings(
        hostname: "velokube2.vcn.cloud", portLow: 443, portHigh: 443, serviceClass: .realtime, priority: .high,
        bandwidthCap: 40, linkPolicy: .fixed, serviceGroup: .publicWired)

    // The rule that the original operator wrote is what the same wishes give, member by member.
    @Test func fixtureRuleIsReproduced() throws {
        let segment = try #require(try qosFixture().segments.first)
        let settings = RuleSettings(
            hostname: "app.example.test", portLow: 8443, portHigh: 8443, serviceClass: .realtime, priority: .high,
            bandwidthCap: 20, linkPolicy: .fixed, serviceGroup: .publicWired)
        let rule = settings.composed(
            name: "sample-app", template: try #require(segment.template),
            ruleLogicalID: "aaaaaaaa-0010-4000-8000-000000000010")
        #expect(rule == segment.rules[0].value)
    }

    // The article's two resources give the rules that its operator wrote, on a segment's template and the built-in one.
    @Test func articleGivesItsRules() throws {
        let template = try #require(try qosFixture().segments.first?.template)
        for template in [template, builtInTemplate] {
            let rule = Self.article2.composed(name: "velokube2", template: template, ruleLogicalID: nil)
            let match = try #require(rule["match"])
            let action = try #require(rule["action"])
            #expect(rule["name"] == "velokube2" && rule["ruleLogicalId"] == nil)
            #expect(match["hostname"] == "velokube2.vcn.cloud" && match["proto"] == 6)
            #expect(match["dport_low"] == 443 && match["dport_high"] == 443 && match["appid"] == -1)
            #expect(action["QoS"]?["type"] == "realtime")
            for scheduler in ["rxScheduler", "txScheduler"] {
                #expect(action["QoS"]?[scheduler]?["priority"] == "high")
                #expect(action["QoS"]?[scheduler]?["bandwidthCapPct"] == 40)
                #expect(action["QoS"]?[scheduler]?["bandwidth"] == -1)
            }
            for (route, policy) in [
                ("edge2EdgeRouteAction", "gateway"), ("edge2DataCenterRouteAction", "auto"),
                ("edge2CloudRouteAction", "gateway"),
            ] {
                #expect(action[route]?["linkPolicy"] == "fixed" && action[route]?["serviceGroup"] == "PUBLIC_WIRED")
                #expect(action[route]?["routePolicy"] == .string(policy))
            }
            let first = Self.article1.composed(name: "velokube1", template: template, ruleLogicalID: nil)
            #expect(first["action"]?["QoS"]?["rxScheduler"]?["bandwidthCapPct"] == -1)
            #expect(first["action"]?["edge2CloudRouteAction"]?["linkPolicy"] == "auto")
            #expect(first["match"]?["dport_low"] == 8080)
        }
    }

    // Whatever the template, the composed rule honours the settings, keeps the template's other members in order, and
    // differs from other settings.
    @Test(arguments: [nil] + RealRules.all.map(Optional.some))
    func composedRuleHonours(_ text: String?) throws {
        let template = try text.map(parse) ?? builtInTemplate
        let rule = Self.article2.composed(name: "n", template: template, ruleLogicalID: "id")
        #expect(Self.article2.differences(from: rule, template: template) == [])
        #expect(rule["ruleLogicalId"] == "id")
        #expect(Self.article1.differences(from: rule, template: template).count > 5)
        let names = template["match"]?.members?.map(\.name) ?? []
        #expect(rule["match"]?.members?.map(\.name).prefix(names.count) == names[...])
        #expect(rule["action"]?["sla"] == template["action"]?["sla"])
        #expect(Self.article2.composed(name: "n", template: rule, ruleLogicalID: "id") == rule)
    }

    // A template that lacks objects, or has something else in their place, gives a whole rule all the same.
    @Test(arguments: [
        "{}", "null", #"{"match":3,"action":[]}"#,
        #"{"x":1,"match":{},"action":{"QoS":{"rxScheduler":null},"edge2CloudRouteAction":"auto"}}"#,
    ])
    func poorTemplateGivesAWholeRule(_ text: String) throws {
        let template = try parse(text)
        let rule = Self.article2.composed(name: "n", template: template, ruleLogicalID: nil)
        #expect(Self.article2.differences(from: rule, template: template) == [])
        #expect(rule["action"]?["edge2CloudRouteAction"]?["routePolicy"] == "gateway")
        #expect(rule["action"]?["QoS"]?["txScheduler"]?["burst"] == -1)
        #expect(rule["x"] == template["x"] && rule["name"] == "n")
    }

    // The template's own id is not the new rule's.
    @Test func logicalIDOfTheTemplateIsDropped() throws {
        let template = try parse(RealRules.release4)
        #expect(Self.article1.composed(name: "n", template: template, ruleLogicalID: nil)["ruleLogicalId"] == nil)
    }

    /// One edit of a rule that was composed from the release 5 sample, and what is said of it; nil: not a difference.
    static let edits: [(String, JSON?, String?)] = [
        ("match.dport_low", 80, "match.dport_low is 80, wanted 443"),
        ("match.dport_low", "443.0", nil), ("match.dport_low", .number("4.43e2"), nil),
        ("match.dport_low", nil, "match.dport_low is missing, wanted 443"),
        ("match.hostname", "VeloKube2.vcn.cloud", nil),
        ("match.hostname", "x.vcn.cloud", #"match.hostname is "x.vcn.cloud", wanted "velokube2.vcn.cloud""#),
        ("match.proto", 17, "match.proto is 17, wanted 6"),
        ("action.QoS.type", "REALTIME", nil),
        ("action.QoS.type", "bulk", #"action.QoS.type is "bulk", wanted "realtime""#),
        ("action.QoS.rxScheduler.bandwidthCapPct", 20, "action.QoS.rxScheduler.bandwidthCapPct is 20, wanted 40"),
        ("action.QoS.txScheduler.bandwidthCapPct", "40", nil),
        ("action.QoS.txScheduler", nil, "action.QoS.txScheduler.priority is missing, wanted \"high\""),
        (
            "action.edge2EdgeRouteAction.linkPolicy", "auto",
            #"action.edge2EdgeRouteAction.linkPolicy is "auto", wanted "fixed""#
        ),
        ("action.edge2CloudRouteAction.serviceGroup", "ALL", #"action.edge2CloudRouteAction.serviceGroup is "ALL""#),
        // What we do not map in `action` is the WAN team's.
        ("action.edge2CloudRouteAction.routePolicy", "direct", nil), ("action.sla", nil, nil), ("action.new", 1, nil),
        ("name", "other", nil), ("ruleLogicalId", "other", nil),
        // Other members of `match` must stay as the template has them; "any" may come and go and be respelt.
        ("match.appid", 71, "match.appid is 71, wanted 70"), ("match.appid", nil, "match.appid is missing, wanted 70"),
        ("match.appid", "70", nil), ("match.appid", -1, "match.appid is -1, wanted 70"),
        ("match.sip", "10.0.0.1", #"match.sip is "10.0.0.1", wanted "any""#), ("match.sip", nil, nil),
        ("match.sip", "", nil), ("match.dsm", "any", nil),
        ("match.ssm", "255.0.0.0", #"match.ssm is "255.0.0.0", wanted"#),
        ("match.classid", "-1", nil), ("match.classid", .number("-1.0"), nil), ("match.svlan", .null, nil),
        ("match.s_rule_type", "exact", #"match.s_rule_type is "exact", wanted "prefix""#),
        ("match.ipVersion", "IPv4v6", #"match.ipVersion is "IPv4v6", wanted "IPv4""#), ("match.ipVersion", "ipv4", nil),
        ("match.ipVersion", nil, nil),
        ("match.sipV6", "any", nil), ("match.sAddressGroup", "", nil), ("match.dPortGroup", .null, nil),
        ("match.dPortGroup", "uuid", #"match.dPortGroup is "uuid", wanted any"#),
        ("match.sip_prenat_enabled", 0, nil), ("match.dip_prenat_enabled", false, nil),
        ("match.sip_prenat_enabled", 1, "match.sip_prenat_enabled is 1, wanted any"),
        ("match.new_number", 0, "match.new_number is 0, wanted any"), ("match.new", -1, nil),
        ("match.new", ["a"], #"match.new is ["a"], wanted any"#), ("match", nil, "match.hostname is missing"),
    ]

    // The one comparison: what is a difference, in which words, and what is only another spelling.
    @Test(arguments: edits.indices) func editsAreTold(_ index: Int) throws {
        let (path, value, words) = Self.edits[index]
        let template = try parse(RealRules.release5)
        var rule = Self.article2.composed(name: "n", template: template, ruleLogicalID: nil)
        rule.set(path.split(separator: ".").map(String.init)[...], to: value)
        let differences = Self.article2.differences(from: rule, template: template)
        if let words {
            #expect(differences.first?.hasPrefix(words) == true, "\(differences)")
        } else {
            #expect(differences == [], "\(path)")
        }
    }

    // An upgraded VCO may add ipVersion as it reads an old rule; it may not make it IPv6 only.
    @Test func addedIPVersionIsAny() throws {
        let template = try parse(RealRules.release4)
        var rule = Self.article1.composed(name: "n", template: template, ruleLogicalID: nil)
        for (version, count) in [("IPv4", 0), ("IPv4v6", 0), ("IPv6", 1)] {
            rule["match"]?["ipVersion"] = .string(version)
            #expect(Self.article1.differences(from: rule, template: template).count == count)
        }
    }

    // Names that look like numbers in exponent notation are names.
    @Test func hostsThatBeginLikeNumbersDiffer() {
        func settings(_ hostname: String) -> RuleSettings { RuleSettings(hostname: hostname, portLow: 1, portHigh: 1) }
        let rule = settings("1e.a.example").composed(name: "n", template: builtInTemplate, ruleLogicalID: nil)
        #expect(settings("1e.b.example").differences(from: rule, template: builtInTemplate).count == 1)
        #expect(settings("1e.a.example").differences(from: .string("x"), template: builtInTemplate).count > 10)
    }
}

extension JSON {
    /// Sets what a path of names leads to; nil takes it away.
    mutating func set(_ path: ArraySlice<String>, to value: JSON?) {
        guard let name = path.first else { return }
        guard path.count > 1 else {
            self[name] = value
            return
        }
        var inner = self[name] ?? [:]
        inner.set(path.dropFirst(), to: value)
        self[name] = inner
    }
}

/// The policy document of the fixtures, as it is spelt in the reply.
func qosFixtureBytes() throws -> [UInt8] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/vco/getConfigurationModules.QOS.response.json")
    let reply = [UInt8](try Data(contentsOf: file))
    return try #require(try JSON.slice(of: reply, at: [.index(0), .member("data")]))
}

func qosFixture() throws -> PolicyDocument {
    try PolicyDocument(parsing: qosFixtureBytes())
}
