import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct OrchestratorMethodTests {
    static let reads = [
        ("enterprise/getEnterprise", "{}"),
        ("enterprise/getEnterpriseConfigurations", "{\"enterpriseId\":7}"),
        ("configuration/getConfiguration", "{\"id\":101,\"with\":[\"modules\"]}"),
        ("configuration/getConfigurationModules", "{\"configurationId\":101,\"modules\":[\"QOS\"]}"),
        ("configuration/getConfigurationModules", "{\"configurationId\":102,\"noData\":true}"),
        ("system/getVersionInfo", "{}"),
    ]

    /// Every read that the vendor documents answers in the vendor's shape, by both interfaces alike.
    @Test(arguments: reads)
    func readsFollowTheDocument(method: String, body: String) {
        let portal = Portal()
        let result = portal.result(method, body)
        #expect(OpenAPI().faults(inRequest: .text(body), of: method) == [])
        // `noData` itself is documented, what it leaves of a module is not.
        let faults = OpenAPI().faults(inResult: result, of: method).filter { $0 != "result[0].data: missing" }
        #expect(faults == [])
        let call = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"\(method)\",\"params\":\(body)}"
        let headers = [HTTPHeader("Authorization", "Token x")]
        let rpc = SimulatedRequest("POST", "/portal/", headers: headers, body: Array(call.utf8))
        let envelope = portal.vco.answer(rpc, now: portal.now).reply?.json
        #expect(envelope?.names == ["jsonrpc", "id", "result"])
        #expect(envelope?["id"]?.int == 9)
        #expect(envelope?["result"] == result)
    }

    /// Answers have the members of the fixtures, in content and in name.
    @Test func readsMatchTheFixtures() {
        let portal = Portal()
        #expect(portal.result("enterprise/getEnterprise") == resource("getEnterprise.response.json"))
        #expect(portal.result("system/getVersionInfo") == resource("getVersionInfo.response.json"))
        #expect(
            portal.result("enterprise/getEnterpriseConfigurations")
                == resource("getEnterpriseConfigurations.response.json"))
        #expect(
            portal.result("enterprise/getEnterpriseConfigurationsPolicies", "")
                == resource("getEnterpriseConfigurationsPolicies.response.json"))
        #expect(
            portal.result("configuration/getConfiguration", "{\"id\":101,\"with\":\"modules\"}")
                == resource("getConfiguration.with-modules.response.json"))
        #expect(portal.module() == resource("getConfigurationModules.QOS.response.json")[0])
        #expect(portal.module(noData: true) == resource("getConfigurationModules.noData.response.json")[0])
    }

    /// What is known about a profile is listed only where the method or `with` says so.
    @Test func readsCarryWhatIsAskedFor() {
        let portal = Portal()
        let bare = portal.result("configuration/getConfiguration", "{\"configurationId\":102}")
        #expect(bare["name"]?.string == "Branch Profile")
        #expect(bare["modules"] == nil && bare["edgeCount"] == nil && bare["policies"] == nil)
        let counted = portal.result("configuration/getConfiguration", "{\"id\":102,\"with\":[\"edgeCount\"]}")
        #expect(counted["edgeCount"]?.int == 0)
        let all = portal.result("configuration/getConfigurationModules", "{\"configurationId\":101}")
        #expect(all.array?.compactMap { $0["name"]?.string } == ["deviceSettings", "firewall", "QOS", "WAN"])
    }

    /// The second profile has a document of its own, with its segments out of order, and a network-based one none.
    @Test func seedsThreeProfiles() throws {
        let portal = Portal(includingNetworkBased: true)
        #expect(portal.vco.profiles.map(\.id) == [101, 102, 103])
        #expect(portal.vco.profiles.map(\.moduleID) == [503, 603, 703])
        #expect(
            portal.vco.profiles.map { $0.segments.map(\.name) } == [
                ["Global Segment", "Voice Segment"], ["Guest Segment", "Global Segment"], [],
            ])
        let old = portal.module(103)
        #expect(old[path: "data.segments"] == nil)
        #expect(old[path: "data.rules.0.name"]?.string == "Box")
        #expect(Portal().vco.profiles.count == 2)
    }

    /// A write replaces the whole document, byte for byte, moves `version` and rounds `modified` to the second.
    @Test func writesReplaceTheDocument() throws {
        var portal = Portal()
        portal.now = 1_767_225_600_714
        let document =
            "{ \"segments\" : [ {\"segment\":{\"segmentId\":0,\"name\":\"G\\u00e9n\\/eral\"},"
            + "\"rules\":[ {\"name\":\"x\",\"n\":1.50e+1,\"n\":2,\"ruleLogicalId\":\"own\"} ]} ],\t\"new\":[null]}"
        let reply = try #require(portal.write(document))
        #expect(reply.text == "{\"rows\":1}")
        #expect(portal.data() == document)
        #expect(String(decoding: portal.vco.profile(101)?.data ?? [], as: UTF8.self) == document)
        let served = portal.result("configuration/getConfigurationModules", "{\"configurationId\":101}")
        #expect(served[2]?["data"] == .text(document))
        #expect(portal.module()["version"]?.string == "1767225600714")
        #expect(portal.module()["modified"]?.string == "2026-01-01T00:00:01.000Z")
        #expect(portal.module()["name"]?.string == "QOS")
        #expect(portal.vco.profile(101)?.segments.first?.name == "Gén/eral")
    }

    /// Versions only ever rise, though the clock stands or steps back.
    @Test func versionsRise() throws {
        var portal = Portal()
        var versions: [Int64] = []
        for step: Int64 in [0, 0, -100_000, 5] {
            portal.now += step
            portal.write(Portal.document(Portal.rule("a")))
            versions.append(try #require(portal.vco.profile(101)?.version))
        }
        #expect(versions == versions.sorted() && Set(versions).count == 4)
        portal.now = 0
        portal.write(Portal.document(), module: 603)
        #expect(try #require(portal.vco.profile(102)?.version) > versions[3])
    }

    /// A rule without a logical id gets one, and nothing else of it changes; ids are the same in every run.
    @Test func assignsLogicalIDs() throws {
        let document = Portal.document(
            "{\"name\" : \"no id\", \"x\":1.0}", "{\"ruleLogicalId\":null,\"name\":\"null id\"}",
            Portal.rule("own", id: "mine"))
        let portals = [Portal(), Portal()]
        for portal in portals { portal.write(document) }
        let rules = try #require(portals[0].vco.profile(101)?.segments.first?.rules)
        let texts = rules.map { String(decoding: $0, as: UTF8.self) }
        #expect(texts[0].hasPrefix("{\"name\" : \"no id\", \"x\":1.0,\"ruleLogicalId\":\"5eed0000-"))
        #expect(texts[1].hasPrefix("{\"ruleLogicalId\":\"5eed0000-") && texts[1].hasSuffix("\"name\":\"null id\"}"))
        #expect(texts[2] == Portal.rule("own", id: "mine"))
        #expect(portals[0].data() == portals[1].data())
        // Written back, everything stays.
        let before = portals[0].data()
        portals[0].write(before)
        #expect(portals[0].data() == before)
    }

    /// Only what `_update` names changes, and unknown members of a call are looked at by nobody.
    @Test func updatesOnlyWhatIsNamed() {
        let portal = Portal()
        let before = portal.module()
        let reply = portal.reply(
            "configuration/updateConfigurationModule",
            "{\"configurationModuleId\":503,\"enterpriesId\":1,\"_update\":{\"description\":\"d\",\"foo\":1}}")
        #expect(reply?.json["rows"]?.int == 1)
        #expect(portal.module()["description"]?.string == "d")
        #expect(portal.module()["data"] == before["data"])
        #expect(portal.module()["refs"] == before["refs"])
        let full = portal.reply(
            "configuration/updateConfigurationModule", "{\"id\":503,\"returnData\":true,\"_update\":{\"refs\":{}}}")
        #expect(full?.json == portal.module())
    }

    /// A request as the vendor recommends it is accepted, and so is its reply by the vendor's document.
    @Test func takesTheRecommendedUpdate() {
        let portal = Portal()
        let request = resource("updateConfigurationModule.request.json")
        let reply = portal.reply("configuration/updateConfigurationModule", request.serializedText())
        #expect(reply?.json == resource("updateConfigurationModule.response.json"))
        #expect(portal.module()["data"] == request[path: "_update.data"])
        // The document asks for a whole module in `_update`; its own example and its advice send `data` alone.
        let faults = OpenAPI().faults(inRequest: request, of: "configuration/updateConfigurationModule")
        #expect(faults == ["body._update.name: missing"])
        #expect(OpenAPI().faults(inResult: reply?.json ?? .null, of: "configuration/updateConfigurationModule") == [])
    }

    /// The checker of shapes finds what is wrong, or it proves nothing.
    @Test func theShapeCheckerIsNotBlind() {
        let method = "configuration/getConfiguration"
        #expect(
            OpenAPI().faults(inResult: .text("{\"id\":\"101\"}"), of: method).contains("result.id: not of type integer")
        )
        #expect(OpenAPI().faults(inResult: .text("{}"), of: method).contains("result.name: missing"))
        #expect(!OpenAPI().faults(inRequest: .text("{\"id\":\"x\"}"), of: method).isEmpty)
        let rows = OpenAPI().faults(inResult: .text("{}"), of: "configuration/updateConfigurationModule")
        #expect(rows == ["result.rows: missing"])
    }

    /// Ids that match nothing answer null, nothing, or zero rows.
    @Test func unknownIDsAnswerNothing() {
        let portal = Portal()
        #expect(portal.result("configuration/getConfiguration", "{\"id\":999}") == .null)
        #expect(portal.result("configuration/getConfigurationModules", "{\"configurationId\":999}") == .array([]))
        #expect(portal.write("{}", module: 999)?.text == "{\"rows\":0}")
    }

    /// What is no call is refused in words: wrong verb, wrong path, wrong method, no JSON, no id.
    @Test func refusesWhatIsNoCall() throws {
        let portal = Portal()
        let headers = [HTTPHeader("Authorization", "Token x")]
        func status(_ verb: String, _ target: String, _ body: String = "{}") -> Int? {
            portal.vco.answer(.init(verb, target, headers: headers, body: Array(body.utf8)), now: 0).reply?.status
        }
        #expect(status("GET", "/portal/rest/enterprise/getEnterprise") == 405)
        #expect(status("POST", "/") == 404)
        #expect(status("POST", "/portal/rest/enterprise/getEnterprise?x=1") == 200)
        #expect(status("POST", "/portal/rest/enterprise/dance") == 400)
        #expect(status("POST", "/portal/rest/configuration/getConfiguration", "{") == 400)
        #expect(status("POST", "/portal/rest/configuration/getConfiguration", "{}") == 400)
        #expect(status("POST", "/portal/", "no json") == 400)
        let unknown = "{\"id\":\"a\",\"method\":\"x/y\"}"
        #expect(status("POST", "/portal/", unknown) == 200)
        let reply = portal.vco.answer(.init("POST", "/portal/", headers: headers, body: Array(unknown.utf8)), now: 0)
        #expect(reply.reply?.json[path: "error.message"]?.string == "methodError")
        #expect(reply.reply?.json["id"]?.string == "a")
    }

    /// Scripts can make, rename, copy and delete profiles; an edge of the API that the operator does not use.
    @Test func profilesComeAndGo() throws {
        let portal = Portal()
        let clone = portal.result("configuration/cloneConfiguration", "{\"configurationId\":101,\"name\":\"Copy\"}")
        let id = try #require(clone["id"]?.int)
        #expect(portal.vco.profile(.id(id))?.segments.map(\.names) == portal.vco.profile(101)?.segments.map(\.names))
        let fresh = portal.result("configuration/cloneEnterpriseTemplate", "{\"name\":\"Fresh\"}")
        #expect(OpenAPI().faults(inResult: fresh, of: "configuration/cloneEnterpriseTemplate") == [])
        #expect(portal.vco.profile("Fresh")?.segments.flatMap(\.rules) == [])
        let renamed = "{\"id\":\(id),\"_update\":{\"name\":\"Other\"}}"
        #expect(portal.result("configuration/updateConfiguration", renamed)["rows"]?.int == 1)
        #expect(portal.result("configuration/getConfiguration", "{\"id\":\(id)}")["name"]?.string == "Other")
        let deleted = portal.result("configuration/deleteConfiguration", "{\"id\":\(id)}")
        #expect(OpenAPI().faults(inResult: deleted, of: "configuration/deleteConfiguration") == [])
        #expect(portal.vco.profile(.id(id)) == nil)
        let module = portal.result(
            "configuration/insertConfigurationModule", "{\"configurationId\":102,\"name\":\"WAN\",\"data\":{\"a\":1}}")
        #expect(OpenAPI().faults(inResult: module, of: "configuration/insertConfigurationModule") == [])
        let modules = portal.result("configuration/getConfigurationModules", "{\"configurationId\":102}")
        #expect(modules[1]?[path: "data.a"]?.int == 1 && modules[1]?["configurationId"]?.int == 102)
    }
}
