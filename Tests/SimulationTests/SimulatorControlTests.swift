import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct SimulatorControlTests {
    private let portal = Portal()

    private func ask(_ method: String, _ target: String, _ body: String = "") -> SimulatedReply {
        SimulatorControl(portal.vco).answer(SimulatedRequest(method, target, body: Array(body.utf8)), now: portal.now)
    }

    /// The page at the root explains every fault, edit and mode by its name.
    @Test func theIndexExplainsEverything() {
        let page = ask("GET", "/").text
        let modes = ask("GET", "/sim/modes").json.names
        #expect(modes.count == 17)
        for name in modes { #expect(page.contains("  \(name): ")) }
        for name in ["drop-after", "stale-read", "set-member", "upgrade", "/sim/rules", "Authorization: Token"] {
            #expect(page.contains(name))
        }
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(SimulatorControl.handles(SimulatedRequest("GET", "/")))
        #expect(SimulatorControl.handles(SimulatedRequest("POST", "/sim/edit?x")))
        #expect(!SimulatorControl.handles(SimulatedRequest("POST", "/portal/rest/x")))
    }

    /// Rules are shown in order with what people look for first, and can be asked for one by one.
    @Test func showsRules() {
        let all = ask("GET", "/sim/rules").json
        #expect(all.array?.count == 5)
        #expect(all[0]?["name"]?.string == "sample-app")
        #expect(all[0]?["hostname"]?.string == "app.example.test")
        #expect(all[0]?["dport_low"]?.int == 8443)
        #expect(all[0]?["serviceGroup"]?.string == "PUBLIC_WIRED")
        let one = ask("GET", "/sim/rules?profile=Quick%20Start%20Profile&segment=Voice+Segment").json
        #expect(one.array?.count == 1)
        #expect(ask("GET", "/sim/rules?profile=102&name=Branch%20ICMP").json[0]?["profile"]?.string == "Branch Profile")
        #expect(ask("GET", "/sim/profiles").json[1]?[path: "segments.1.rules.0"]?.string == "Branch ICMP")
    }

    /// Faults, modes and edits set over HTTP take effect, and can be looked at and taken back.
    @Test func steersTheSimulator() {
        #expect(ask("POST", "/sim/faults", "{\"fault\":\"429\",\"calls\":2,\"retry-after\":3}").status == 200)
        #expect(portal.vco.faults == [FaultRule(.tooManyRequests(retryAfter: 3), calls: 2)])
        #expect(ask("GET", "/sim/faults").json[0]?["fault"]?.string == "429")
        #expect(ask("DELETE", "/sim/faults").status == 200)
        #expect(portal.vco.faults.isEmpty)
        _ = ask("POST", "/sim/faults", "{\"fault\":\"standby\",\"for-ms\":10}")
        _ = ask("POST", "/sim/faults", "{\"fault\":\"latency\",\"ms\":5,\"calls\":null}")
        #expect(
            portal.vco.faults == [
                FaultRule(.standby, calls: nil, until: portal.now + 10),
                FaultRule(.latency(milliseconds: 5), calls: nil),
            ])
        let modes =
            "{\"respelling\":\"stable\",\"reject-ports\":[80],\"rate-limit\":{\"calls\":3},\"bandwidth-cap-max\":9}"
        #expect(ask("POST", "/sim/modes", modes).json["respelling"]?.string == "stable")
        #expect(portal.vco.modes.rejectedPorts == [80] && portal.vco.modes.rateLimit == .init(calls: 3))
        // What it shows, it takes.
        #expect(ask("POST", "/sim/modes", ask("GET", "/sim/modes").text).status == 200)
        #expect(portal.vco.modes.bandwidthCapMax == 9)
        let edit =
            "{\"edit\":\"set-member\",\"profile\":101,\"rule\":\"sample-app\",\"path\":\"match.dport_low\",\"value\":1}"
        #expect(ask("POST", "/sim/edit", edit).status == 200)
        #expect(ask("GET", "/sim/rules").json[0]?["dport_low"]?.int == 1)
        #expect(ask("POST", "/sim/reset").status == 200)
        #expect(portal.vco.modes == OrchestratorModes())
    }

    /// Every fault and every edit that the page names is taken.
    @Test func takesEveryName() {
        let faults = [
            "latency", "429", "500", "503", "401", "error-object", "error-text", "rows-0", "null", "drop-before",
            "drop-after", "stale-read", "standby", "reply",
        ]
        for name in faults { #expect(ask("POST", "/sim/faults", "{\"fault\":\"\(name)\"}").status == 200) }
        #expect(portal.vco.faults.map(\.fault.name) == faults)
        let edits = [
            "\"create-profile\",\"name\":\"P\"", "\"rename-profile\",\"profile\":\"P\",\"to\":\"Q\"",
            "\"create-segment\",\"profile\":\"Q\",\"name\":\"S\",\"id\":4",
            "\"rename-segment\",\"profile\":\"Q\",\"segment\":\"S\",\"to\":\"T\"",
            "\"add-rule\",\"profile\":\"Q\",\"segment\":\"T\",\"rule\":{\"name\":\"r\"}",
            "\"add-rule\",\"profile\":\"Q\",\"segment\":\"T\",\"rule\":{\"name\":\"s\"},\"index\":0",
            "\"reorder\",\"profile\":\"Q\",\"segment\":\"T\",\"rules\":[\"r\"]",
            "\"set-member\",\"profile\":\"Q\",\"segment\":\"T\",\"rule\":\"r\",\"path\":\"a.b\",\"value\":null",
            "\"delete-rule\",\"profile\":\"Q\",\"segment\":\"T\",\"rule\":\"s\"", "\"touch\",\"profile\":\"Q\"",
            "\"upgrade\",\"release\":\"5.0\"", "\"delete-segment\",\"profile\":\"Q\",\"segment\":\"Voice Segment\"",
        ]
        for edit in edits {
            let reply = ask("POST", "/sim/edit", "{\"edit\":\(edit)}")
            #expect(reply.status == 200, "\(edit): \(reply.text)")
        }
        let made = portal.vco.profile("Q")
        #expect(made?.segments.map(\.name) == ["Global Segment", "T"])
        #expect(made?.segment("T")?.names == ["r"])
        #expect(made?.segment("T")?.rule("r")?[path: "a.b"] == .null)
        #expect(ask("POST", "/sim/edit", "{\"edit\":\"replace-data\",\"profile\":\"Q\",\"data\":{ }}").status == 200)
        #expect(portal.data("Q") == "{ }")
        let waiting =
            "{\"edit\":\"delete-profile\",\"profile\":\"Q\",\"before\":\"system/getVersionInfo\",\"quiet\":true}"
        #expect(ask("POST", "/sim/edit", waiting).status == 200)
        #expect(portal.vco.profile("Q") != nil)
        portal.vco.clearFaults()
        _ = portal.reply("system/getVersionInfo")
        #expect(portal.vco.profile("Q") == nil)
    }

    /// The calls that were made are shown by method and one by one, and can be forgotten.
    @Test func showsCalls() {
        _ = portal.module()
        portal.write(Portal.document())
        let calls = ask("GET", "/sim/calls?last=1").json
        #expect(calls["total"]?.int == 2)
        #expect(calls["counts"]?["configuration/getConfigurationModules"]?.int == 1)
        #expect(calls["calls"]?.array?.count == 1)
        #expect(calls[path: "calls.0.rows"]?.int == 1)
        #expect(calls[path: "calls.0.at"]?.string == "2026-01-01T00:00:00Z")
        let reads = ask("GET", "/sim/calls?method=configuration/getConfigurationModules").json
        #expect(reads["calls"]?.array?.count == 1)
        _ = ask("DELETE", "/sim/calls")
        #expect(ask("GET", "/sim/calls").json["total"]?.int == 0)
    }

    /// A request with a mistake is refused with words that say how to mend it, and changes nothing.
    @Test(arguments: [
        ("GET", "/sim/nothing", "", 404, "GET / explains"),
        ("POST", "/sim/faults", "{\"fault\":\"x\"}", 400, "drop-after"),
        ("POST", "/sim/faults", "{\"fault\":\"429\",\"call\":1}", 400, "unknown member call"),
        ("POST", "/sim/faults", "{\"fault\":\"429\",\"calls\":\"1\"}", 400, "calls must be a whole number"),
        ("POST", "/sim/faults", "nonsense", 400, "must be a JSON object"),
        ("POST", "/sim/faults", "{}", 400, "fault is required"),
        ("POST", "/sim/modes", "{\"respelling\":\"odd\"}", 400, "off | stable | every-write"),
        ("POST", "/sim/modes", "{\"no-data\":\"null\",\"odd\":1}", 400, "no mode odd"),
        ("POST", "/sim/modes", "{\"rate-limit\":{\"call\":1}}", 400, "rate-limit takes"),
        ("POST", "/sim/modes", "[", 400, "object"),
        ("POST", "/sim/edit", "{\"edit\":\"dance\"}", 400, "replace-data"),
        ("POST", "/sim/edit", "{\"edit\":\"touch\"}", 400, "profile is required"),
        ("POST", "/sim/edit", "{\"edit\":\"touch\",\"profile\":9}", 404, "no profile 9"),
        ("POST", "/sim/edit", "{\"edit\":\"delete-rule\",\"profile\":101,\"rule\":\"?\"}", 404, "/sim/rules"),
        ("POST", "/sim/edit", "{\"edit\":\"upgrade\",\"release\":\"9\"}", 400, "6.x"),
        ("POST", "/sim/edit", "{\"edit\":\"add-rule\",\"profile\":101,\"rule\":\"r\"}", 400, "must be an object"),
        ("GET", "/sim/rules?profil=1", "", 400, "unknown parameter profil"),
    ])
    func mistakesAreExplained(method: String, target: String, body: String, status: Int, words: String) {
        let reply = ask(method, target, body)
        #expect(reply.status == status)
        #expect(reply.json["error"]?.string?.contains(words) == true, "\(reply.text)")
        #expect(portal.vco.profiles == Portal().vco.profiles)
        #expect(portal.vco.modes == OrchestratorModes() && portal.vco.faults.isEmpty)
    }

    /// The command line takes modes as bare words or as JSON.
    @Test func takesModesAsText() {
        #expect(portal.vco.setMode("respelling", to: "every-write") == nil)
        #expect(portal.vco.setMode("no-data", to: "null") == nil)
        #expect(portal.vco.setMode("auth-failure", to: "302") == nil)
        #expect(portal.vco.setMode("bandwidth-cap-max", to: "30") == nil)
        #expect(portal.vco.setMode("vague-errors", to: "true") == nil)
        #expect(portal.vco.setMode("vague-errors", to: "yes")?.contains("true | false") == true)
        #expect(portal.vco.modes.respelling == .everyWrite && portal.vco.modes.noData == .null)
        #expect(portal.vco.modes.authFailure == .redirect && portal.vco.modes.bandwidthCapMax == 30)
        #expect(portal.vco.inject(control: "{\"fault\":\"null\"}", now: 0) == nil)
        #expect(portal.vco.inject(control: "null", now: 0) != nil)
    }
}
