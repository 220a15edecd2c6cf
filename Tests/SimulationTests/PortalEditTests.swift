import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct PortalEditTests {
    private let portal = Portal()
    private let global = "Global Segment"

    private func names(_ profile: ProfileKey = 101, _ segment: String = "Global Segment") -> [String?]? {
        portal.vco.profile(profile)?.segment(segment)?.names
    }

    /// Edits of rules do what they say, move the version, and leave every other rule's bytes alone.
    @Test func editsRules() throws {
        let before = try #require(portal.vco.profile(101))
        let edit = PortalEdit.setMember(
            101, segment: global, rule: "sample-app", path: "match.hostname", value: .string("b.example.test"))
        try portal.vco.edit(edit, now: portal.now)
        let after = try #require(portal.vco.profile("Quick Start Profile"))
        #expect(after.segment(global)?.rule("sample-app")?[path: "match.hostname"]?.string == "b.example.test")
        #expect(after.segment(global)?.rules.dropFirst() == before.segment(global)?.rules.dropFirst())
        #expect(after.segment("Voice Segment") == before.segment("Voice Segment"))
        #expect(after.version == portal.now)

        try portal.vco.edit(
            .setMember(101, segment: global, rule: "sample-app", path: "match.proto", value: nil), now: portal.now)
        #expect(portal.vco.profile(101)?.segment(global)?.rule("sample-app")?[path: "match.proto"] == nil)
        try portal.vco.edit(
            .addRule(101, segment: global, index: 1, rule: .text("{\"name\":\"new\"}")), now: portal.now)
        #expect(names() == ["sample-app", "new", "Prefer GE3", "Group based bypass"])
        #expect(portal.vco.profile(101)?.segment(global)?.rule("new")?["ruleLogicalId"]?.string != nil)
        try portal.vco.edit(.reorder(101, segment: global, rules: ["Prefer GE3", "new"]), now: portal.now)
        #expect(names() == ["Prefer GE3", "new", "sample-app", "Group based bypass"])
        try portal.vco.edit(.deleteRule(101, segment: global, rule: "sample-app"), now: portal.now)
        #expect(names() == ["Prefer GE3", "new", "Group based bypass"])
    }

    /// Profiles and segments are renamed, deleted and made.
    @Test func editsProfilesAndSegments() throws {
        func edit(_ edit: PortalEdit) throws { try portal.vco.edit(edit, now: portal.now) }
        try edit(.renameProfile(101, to: "Slow Start"))
        let list = portal.result("enterprise/getEnterpriseConfigurations")
        #expect(list[0]?["name"]?.string == "Slow Start")
        #expect(list[0]?["version"]?.string == String(portal.now))
        try edit(.renameSegment(101, segment: "Voice Segment", to: "Phones"))
        #expect(portal.module()[path: "data.segments.1.segment.name"]?.string == "Phones")
        #expect(portal.module()[path: "data.segments.1.segment.segmentId"]?.int == 1)
        try edit(.createSegment(101, name: "New", id: 5))
        #expect(portal.module()[path: "data.segments.2.segment.segmentId"]?.int == 5)
        #expect(portal.module()[path: "data.segments.2.rules"] == .array([]))
        #expect(portal.module()[path: "data.segments.2.defaults.0.name"]?.string == "Default-Any-Other")
        try edit(.deleteSegment(101, segment: "Phones"))
        #expect(portal.vco.profile(101)?.segments.map(\.name) == [global, "New"])
        try edit(.createProfile(name: "Made"))
        #expect(names("Made") == [])
        #expect(portal.vco.profile("Made")?.moduleID != 503)
        try edit(.deleteProfile("Slow Start"))
        #expect(portal.result("configuration/getConfiguration", "{\"id\":101}") == .null)
        #expect(portal.result("enterprise/getEnterpriseConfigurations").array?.count == 2)
    }

    /// A quiet edit changes the document and leaves `version`; a touch does the opposite.
    @Test func versionsMoveOnlyWhenTheyShould() throws {
        let before = try #require(portal.vco.profile(101))
        try portal.vco.edit(.deleteRule(101, segment: global, rule: "sample-app"), isQuiet: true, now: portal.now)
        #expect(portal.vco.profile(101)?.version == before.version)
        #expect(names()?.count == 2)
        let data = portal.data()
        try portal.vco.edit(.touch(101), now: portal.now)
        #expect(portal.data() == data && portal.vco.profile(101)?.version == portal.now)
    }

    /// An edit can wait for a call and slips in just before it, between a client's read and its write.
    @Test func editsSlipInBeforeACall() {
        let method = "configuration/updateConfigurationModule"
        portal.vco.edit(.addRule(101, segment: global, index: 0, rule: .text("{\"name\":\"p\"}")), beforeNext: method)
        #expect(names()?.count == 3)
        let version = portal.module(noData: true)["version"]
        #expect(names()?.count == 3)
        // Overwritten by the client's older document, as last writer wins; only the version tells.
        portal.write(Portal.document())
        #expect(portal.vco.profile(101)?.version != version?.string.flatMap { Int64($0) })
        portal.vco.inject(.staleRead)
        #expect(portal.module()[path: "data.segments.0.rules.0.name"]?.string == "p")
    }

    /// An upgrade adds a release's members to every rule and default of every profile.
    @Test func upgradesEveryRule() throws {
        let before = portal.vco.profiles.map(\.version)
        try portal.vco.edit(.upgrade(.v6), now: portal.now)
        for id in [101, 102] {
            let module = portal.module(id)
            for segment in module[path: "data.segments"]?.array ?? [] {
                for rule in (segment["rules"]?.array ?? []) + (segment["defaults"]?.array ?? []) {
                    #expect(rule[path: "match.dip_prenat_enabled"]?.int == 0)
                    #expect(rule[path: "action.edge2EdgeRouteAction.icmpLogicalId"] == .null)
                }
            }
        }
        #expect(portal.vco.profiles.map(\.version) != before)
    }

    /// A whole document can be put in place, even one that is none.
    @Test(arguments: ["{\"rules\":[]}", "null", "{\"segments\":7}"])
    func replacesDocuments(data: String) throws {
        try portal.vco.edit(.replaceData(101, Array(data.utf8)), now: portal.now)
        #expect(portal.module()["data"] == .text(data))
        #expect(portal.vco.profile(101)?.segments.isEmpty == true)
    }

    /// An edit of what is not there says what is not there.
    @Test func impossibleEditsSaySo() {
        #expect(throws: PortalEdit.Failure.noSuchProfile(9)) { try portal.vco.edit(.touch(9), now: 0) }
        #expect(throws: PortalEdit.Failure.noSuchSegment("x")) {
            try portal.vco.edit(.deleteSegment(101, segment: "x"), now: 0)
        }
        #expect(throws: PortalEdit.Failure.noSuchRule("x")) {
            try portal.vco.edit(.deleteRule(101, segment: global, rule: "x"), now: 0)
        }
    }

    /// A reset brings back the fixtures and the default modes, and keeps the token.
    @Test func resets() throws {
        let fresh = Portal().vco.profiles
        portal.vco.setToken("abc")
        portal.vco.modes.noData = .null
        portal.vco.inject(.serverError, calls: nil)
        portal.write(Portal.document())
        portal.vco.reset()
        #expect(portal.vco.profiles == fresh)
        #expect(portal.vco.modes == OrchestratorModes() && portal.vco.faults.isEmpty && portal.vco.log.total == 0)
        #expect(portal.reply("system/getVersionInfo")?.status == 200)
        #expect(portal.reply("system/getVersionInfo", token: "Token other")?.status == 401)
    }
}
