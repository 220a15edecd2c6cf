import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct OrchestratorModeTests {
    private func modes(_ change: (inout OrchestratorModes) -> Void) -> OrchestratorModes {
        var modes = OrchestratorModes()
        change(&modes)
        return modes
    }

    private func rule(_ portal: Portal, _ name: String) throws -> JSON {
        try #require(portal.vco.profile(101)?.segments.first?.rule(name))
    }

    /// A respelling VCO changes the spelling, order and set of members, and no value; twice is the same as once.
    @Test func respellsStably() throws {
        let portal = Portal(modes: modes { $0.respelling = .stable })
        portal.write(Portal.document(Portal.rule("a", port: 8443, cap: 20, id: "i")))
        let rule = try rule(portal, "a")
        #expect(rule.names == ["action", "match", "name", "ruleLogicalId"])
        #expect(rule[path: "match.dport_low"] == .number("8443.0"))
        #expect(rule[path: "match.dport_low"]?.int == 8443)
        #expect(rule[path: "action.QoS.rxScheduler.bandwidthCapPct"]?.int == 20)
        #expect(rule[path: "match.ipVersion"]?.string == "IPv4")
        let once = portal.data()
        portal.write(once)
        #expect(portal.data() == once)
    }

    /// A VCO that spells every write in another way never gives back what it was sent.
    @Test func respellsEveryWrite() throws {
        let portal = Portal(modes: modes { $0.respelling = .everyWrite })
        var seen: [JSON] = []
        portal.write(Portal.document(Portal.rule("a", id: "i")))
        for _ in 0..<3 {
            let before = portal.data()
            seen.append(try rule(portal, "a"))
            portal.write(before)
            #expect(portal.data() != before)
        }
        #expect(seen[0] == seen[2] && seen[0] != seen[1])
        #expect(seen.allSatisfy { $0[path: "match.dport_low"]?.int == 443 && $0["name"]?.string == "a" })
    }

    /// A VCO may give client-made rules an id of its own, and keeps those that it knows.
    @Test func replacesClientIDs() throws {
        let portal = Portal(modes: modes { $0.ruleIDs = .replaced })
        portal.write(Portal.document(Portal.rule("a", id: "mine")))
        let given = try #require(try rule(portal, "a")["ruleLogicalId"]?.string)
        #expect(given.hasPrefix("5eed"))
        portal.write(portal.data())
        #expect(try rule(portal, "a")["ruleLogicalId"]?.string == given)
    }

    /// Caps over the VCO's own maximum are cut down to it without a word.
    @Test func clampsBandwidth() throws {
        let portal = Portal(modes: modes { $0.bandwidthCapMax = 30 })
        #expect(
            portal.write(Portal.document(Portal.rule("a", cap: 75), Portal.rule("b", cap: 20, id: "i")))?.status == 200)
        #expect(try rule(portal, "a")[path: "action.QoS.txScheduler.bandwidthCapPct"]?.int == 30)
        #expect(portal.data().contains(Portal.rule("b", cap: 20, id: "i")))
    }

    /// Newer releases add members with their "any" values to what is written, and to nothing else.
    @Test(arguments: [(OrchestratorModes.Release.v5, false), (.v6, true)])
    func releasesAddMembers(release: OrchestratorModes.Release, isSix: Bool) throws {
        let portal = Portal(modes: modes { $0.release = release })
        portal.write(portal.data())
        let rule = try #require(portal.vco.profile(101)?.segment("Global Segment")?.rule("Prefer GE3"))
        #expect(rule[path: "match.sipV6"]?.string == "any")
        #expect(rule[path: "action.natV6.sourceIp"]?.string == "no")
        #expect((rule[path: "match.sip_prenat_enabled"] != nil) == isSix)
        #expect((rule[path: "action.edge2CloudRouteAction.wanLinkName"] != nil) == isSix)
        #expect((portal.module()[path: "data.qoe"] != nil) == isSix)
        let other = try #require(portal.vco.profile(102)?.segment("Global Segment")?.rule("Branch ICMP"))
        #expect(other[path: "match.sipV6"] == nil)
    }

    /// Two rules of one name pass, unless the VCO wants names to be unique within a segment.
    @Test func mayRefuseDuplicateNames() throws {
        let twice = Portal.document(Portal.rule("a"), Portal.rule("a"))
        #expect(Portal().write(twice)?.status == 200)
        let portal = Portal(modes: modes { $0.refusesDuplicateNames = true })
        let before = portal.data()
        let reply = try #require(portal.write(twice))
        #expect(reply.status == 400)
        #expect(reply.json[path: "error.data.error.0.path"]?.string == "_update.data.segments[0].rules[1].name")
        #expect(portal.data() == before)
    }

    /// A refusal follows the vendor's error schema and names the place; a document without the culprit passes.
    @Test func rejectsByNameAndPort() throws {
        let portal = Portal(
            modes: modes {
                $0.rejectedNames = ["bad"]
                $0.rejectedPorts = [81]
            })
        let reply = try #require(
            portal.write(Portal.document(Portal.rule("ok"), Portal.rule("bad"), Portal.rule("x", port: 81))))
        #expect(reply.status == 400)
        let method = "configuration/updateConfigurationModule"
        #expect(OpenAPI().faults(inResult: reply.json, of: method, status: "400") == [])
        let faults = reply.json[path: "error.data.error"]?.array ?? []
        #expect(
            faults.map { $0["path"]?.string } == [
                "_update.data.segments[0].rules[1].name", "_update.data.segments[0].rules[2].match.dport_low",
            ])
        #expect(portal.write(Portal.document(Portal.rule("ok")))?.json["rows"]?.int == 1)
        portal.vco.modes.hasVagueErrors = true
        let vague = try #require(portal.write(Portal.document(Portal.rule("bad"))))
        #expect(vague.status == 400 && vague.json[path: "error.data"] == nil)
        #expect(vague.json[path: "error.message"]?.string == "An error occurred while processing your request")
    }

    /// A strict VCO takes every document of the fixtures and refuses each kind of nonsense at its place.
    @Test func validatesTheSchema() throws {
        let portal = Portal(modes: modes { $0.validation = .schema })
        #expect(portal.write(portal.data(101))?.status == 200)
        #expect(portal.write(portal.data(102), module: 603)?.status == 200)
        let base = Portal.rule("a", id: "i")
        let cases: [(String, String, String)] = [
            ("\"name\":\"a\"", "\"name\":\"\"", "name"),
            ("\"dport_low\":443", "\"dport_low\":\"443\"", "match.dport_low"),
            ("\"bulk\"", "\"slow\"", "action.QoS.type"),
            (
                "\"bandwidthCapPct\":-1", "\"bandwidthCapPct\":101",
                "action.QoS.rxScheduler.bandwidthCapPct"
            ),
            ("\"normal\"", "\"urgent\"", "action.QoS.rxScheduler.priority"),
            ("\"match\":{", "\"match\":7,\"m\":{", "match"),
        ]
        for (old, new, path) in cases {
            let broken = base.replacingFirst(old, with: new)
            let reply = try #require(portal.write(Portal.document(base, broken)))
            #expect(reply.status == 400, "\(broken)")
            let found = reply.json[path: "error.data.error.0.path"]?.string
            #expect(found == "_update.data.segments[0].rules[1].\(path)")
        }
        #expect(portal.write("{\"rules\":[]}")?.status == 400)
        #expect(portal.write("{\"segments\":[{\"rules\":[]}]}")?.status == 400)
        #expect(portal.write("[]")?.status == 400)
        portal.vco.modes.validation = .none
        #expect(portal.write("{\"rules\":[]}")?.status == 200)
    }

    /// What a `noData` read leaves in the place of the data is not known; each guess can be had.
    @Test(arguments: OrchestratorModes.NoData.allCases)
    func noDataHasThreeShapes(shape: OrchestratorModes.NoData) {
        let portal = Portal(modes: modes { $0.noData = shape })
        let expected: JSON? =
            switch shape {
            case .absent: nil
            case .null: .null
            case .empty: .object([])
            }
        #expect(portal.module(noData: true)["data"] == expected)
        #expect(portal.module()[path: "data.segments"] != nil)
    }

    /// Where the documented list is missing, the portal's own method still serves.
    @Test func theListMayBeMissing() {
        let portal = Portal(modes: modes { $0.lacksConfigurationList = true })
        #expect(portal.reply("enterprise/getEnterpriseConfigurations")?.status == 400)
        #expect(portal.result("enterprise/getEnterpriseConfigurationsPolicies").array?.count == 2)
    }

    /// An unknown id may be refused instead of answered with nothing.
    @Test func unknownIDsMayBeRefused() {
        let portal = Portal(modes: modes { $0.unknownID = .badRequest })
        #expect(portal.reply("configuration/getConfiguration", "{\"id\":999}")?.status == 400)
        #expect(portal.write("{}", module: 999)?.status == 400)
    }

    /// A wrong, missing or misspelt token is refused in the three ways that clients report.
    @Test func refusesWrongTokens() throws {
        let portal = Portal(token: "right")
        #expect(portal.reply("system/getVersionInfo", token: "Token right")?.status == 200)
        for wrong in ["Token wrong", "Bearer right", "Token ", "right"] {
            #expect(portal.reply("system/getVersionInfo", token: wrong)?.status == 401)
        }
        #expect(Portal().reply("system/getVersionInfo", token: "Token ")?.status == 401)
        #expect(Portal().reply("system/getVersionInfo", token: "Bearer right")?.status == 401)
        portal.vco.modes.authFailure = .tokenError
        let soft = try #require(portal.reply("system/getVersionInfo"))
        #expect(soft.status == 200)
        #expect(soft.json[path: "error.message"]?.string?.hasPrefix("tokenError") == true)
        portal.vco.modes.authFailure = .redirect
        let moved = try #require(portal.reply("system/getVersionInfo"))
        #expect(moved.status == 302 && moved.text.hasPrefix("<!DOCTYPE html>"))
        #expect(moved.headers.contains(HTTPHeader("Location", "/login/")))
        portal.vco.setToken("abc")
        #expect(portal.reply("system/getVersionInfo")?.status == 200)
    }

    /// Partner and operator tokens must name the customer; a customer's may, and must then name the right one.
    @Test func enterpriseIDs() {
        let portal = Portal(modes: modes { $0.requiresEnterpriseID = true })
        #expect(portal.reply("enterprise/getEnterpriseConfigurations")?.status == 400)
        #expect(portal.reply("enterprise/getEnterpriseConfigurations", "{\"enterpriseId\":7}")?.status == 200)
        #expect(portal.result("enterprise/getEnterprise") == .null)
        #expect(portal.result("enterprise/getEnterprise", "{\"enterpriseId\":7}")["id"]?.int == 7)
        #expect(portal.reply("system/getVersionInfo")?.status == 200)
        #expect(Portal().reply("enterprise/getEnterpriseConfigurations", "{\"enterpriseId\":7}")?.status == 200)
        #expect(Portal().reply("enterprise/getEnterpriseConfigurations", "{\"enterpriseId\":8}")?.status == 400)
    }

    /// A role that may not write reads all the same; one without any right is refused everything but the version.
    @Test func privileges() throws {
        let portal = Portal(modes: modes { $0.missingPrivilege = .update })
        #expect(portal.module()["id"]?.int == 503)
        let refused = try #require(portal.write(Portal.document()))
        #expect(refused.status == 400)
        let text = "missing privilege UPDATE ENTERPRISE_PROFILE for configuration/updateConfigurationModule"
        #expect(refused.json[path: "error.message"]?.string == text)
        portal.vco.modes.missingPrivilege = .all
        portal.vco.modes.privilegeStatus = 403
        #expect(portal.reply("enterprise/getEnterpriseConfigurations")?.status == 403)
        #expect(portal.reply("system/getVersionInfo")?.status == 200)
    }

    /// The quota counts calls in its window and calls in flight; over it everybody waits out the penalty.
    @Test func limitsTheRate() {
        var portal = Portal(
            modes: modes { $0.rateLimit = .init(calls: 2, windowMilliseconds: 1000, concurrency: 3, retryAfter: 4) })
        func status() -> Int? { portal.reply("system/getVersionInfo")?.status }
        #expect([status(), status(), status()] == [200, 200, 429])
        let refused = portal.reply("system/getVersionInfo")
        #expect(refused?.headers.contains(HTTPHeader("Retry-After", "4")) == true)
        portal.now += 4999
        #expect(status() == 429)
        portal.now += 1
        #expect([status(), status(), status()] == [200, 200, 429])
        portal.now += 5000
        // Without a penalty to wait out, calls pass again as soon as they have left the window.
        #expect(status() == 200)
        portal.now += 999
        #expect(status() == 200)
        portal.now += 1
        #expect(status() == 200)

        portal.vco.modes.rateLimit = .init(concurrency: 2)
        let request = Portal.request("system/getVersionInfo", "{}")
        let tickets = (0..<3).map { _ in portal.vco.begin(request, now: portal.now) }
        let answers = tickets.map { portal.vco.finish($0, now: portal.now).reply?.status }
        #expect(answers == [200, 200, 429])
        portal.now += 5000
        #expect(status() == 200)
    }
}

extension String {
    func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(in: range, with: new)
    }

    private func firstRange(of text: String) -> Range<String.Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }

    private func replacingCharacters(in range: Range<String.Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
