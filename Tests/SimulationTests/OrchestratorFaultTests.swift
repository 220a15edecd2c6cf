import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct OrchestratorFaultTests {
    private static let update = "configuration/updateConfigurationModule"

    /// Each fault answers as clients have seen it or as the vendor documents it, and has no effect.
    @Test(arguments: [
        (OrchestratorFault.tooManyRequests(), 429, "Too Many Requests"),
        (.serverError, 500, "An error occurred"), (.unavailable, 503, "<html>"), (.unauthorized, 401, "tokenError"),
        (.errorObject("no luck"), 200, "{\"error\":{\"code\":-32603,\"message\":\"no luck\"}}"),
        (.errorText("no luck"), 200, "{\"error\":\"no luck\",\"rows\":0}"), (.rowsZero, 200, "{\"rows\":0}"),
        (.null, 200, "null"), (.standby, 503, "standby"),
        (.reply(SimulatedReply(status: 418, body: Array("tea".utf8))), 418, "tea"),
    ])
    func faultsAnswerInsteadOfWorking(fault: OrchestratorFault, status: Int, text: String) throws {
        let portal = Portal()
        let before = portal.data()
        portal.vco.inject(fault)
        let reply = try #require(portal.write(Portal.document(Portal.rule("a"))))
        #expect(reply.status == status)
        #expect(reply.text.contains(text))
        #expect(portal.data() == before)
        #expect(portal.write(Portal.document(Portal.rule("a")))?.text == "{\"rows\":1}")
        #expect(portal.vco.log.entries.map(\.fault) == [fault.name, nil])
        #expect(portal.vco.log.effects == [Self.update: 1])
    }

    /// The shapes of errors are those of the fixtures.
    @Test func errorsMatchTheFixtures() throws {
        let cases = resource("errors.json").array ?? []
        func body(_ name: String) -> JSON? { cases.first { $0["case"]?.string == name }?["body"] }
        let portal = Portal(token: "right")
        #expect(portal.result("system/getVersionInfo") == body("token-invalid-401"))
        portal.vco.setToken(nil)
        portal.vco.inject(.serverError)
        #expect(portal.result("system/getVersionInfo") == body("server-error-500"))
        portal.vco.inject(.tooManyRequests())
        #expect(portal.result("system/getVersionInfo") == body("rate-limited-429"))
        portal.vco.inject(.errorText("<message>"))
        #expect(portal.result("system/getVersionInfo") == body("error-in-result-200"))
        portal.vco.modes.missingPrivilege = .update
        #expect(portal.write("{}")?.json == body("privilege-rest"))
        portal.vco.modes = .init()
        portal.vco.modes.rejectedNames = ["a"]
        let refused = try #require(portal.write(Portal.document(Portal.rule("a")))?.json)
        #expect(refused["error"]?.names == body("validation-400")?["error"]?.names)
        #expect(refused[path: "error.data"]?.names == body("validation-400")?[path: "error.data"]?.names)
        portal.vco.modes.hasVagueErrors = true
        #expect(portal.write(Portal.document(Portal.rule("a")))?.json == body("validation-400-minimal"))
    }

    /// A connection that drops before the work leaves everything as it was; one that drops after it does not.
    @Test func dropsBeforeAndAfterTheEffect() {
        let portal = Portal()
        let before = portal.data()
        portal.vco.inject(.dropBefore)
        #expect(portal.write(Portal.document()) == nil)
        #expect(portal.data() == before)
        portal.vco.inject(.dropAfter)
        #expect(portal.write(Portal.document()) == nil)
        #expect(portal.data() == Portal.document())
        #expect(portal.vco.log.entries.map(\.rows) == [nil, 1])
        #expect(portal.vco.log.entries.map(\.status) == [nil, nil])
    }

    /// A stale read shows the document and the version before the last write, and passes.
    @Test func staleReadsShowThePast() {
        let portal = Portal()
        let past = portal.module()
        portal.write(Portal.document())
        portal.vco.inject(.staleRead, calls: 2)
        #expect(portal.module() == past)
        #expect(portal.module(noData: true)["version"] == past["version"])
        #expect(portal.module()["version"] != past["version"])
    }

    /// A fault can be told its method, how many calls it befalls, how many it spares first, and until when it lasts.
    @Test func faultsChooseTheirCalls() {
        var portal = Portal()
        func status(_ method: String = "system/getVersionInfo") -> Int? { portal.reply(method)?.status }
        portal.vco.inject(.serverError, method: "enterprise/getEnterprise", calls: 2, skipping: 1)
        #expect([status("enterprise/getEnterprise"), status()] == [200, 200])
        #expect((0..<3).map { _ in status("enterprise/getEnterprise") } == [500, 500, 200])
        #expect(portal.vco.faults.isEmpty)

        portal.vco.inject(FaultRule(.tooManyRequests(retryAfter: 7), calls: nil, until: portal.now + 5000))
        #expect([status(), status()] == [429, 429])
        portal.now += 5000
        #expect(status() == 200)

        portal.vco.inject(.standby, calls: nil)
        #expect((0..<3).map { _ in status() } == [503, 503, 503])
        portal.vco.clearFaults()
        #expect(status() == 200)
    }

    /// Latency adds up and stands beside another fault; the work is done at the end of the wait.
    @Test func latencyDelaysTheWork() {
        let portal = Portal()
        portal.vco.inject(.latency(milliseconds: 30), calls: nil)
        portal.vco.inject(.latency(milliseconds: 12))
        portal.vco.inject(.rowsZero)
        let request = Portal.request(Self.update, "{\"id\":503,\"_update\":{\"data\":\(Portal.document())}}")
        let first = portal.vco.begin(request, now: portal.now)
        let second = portal.vco.begin(request, now: portal.now)
        #expect([first.latency, second.latency] == [.milliseconds(42), .milliseconds(30)])
        #expect(portal.data() != Portal.document())
        #expect(portal.vco.finish(second, now: portal.now).reply?.json["rows"]?.int == 1)
        #expect(portal.data() == Portal.document())
        #expect(portal.vco.finish(first, now: portal.now).reply?.json["rows"]?.int == 0)
    }

    /// The log counts every call by its method, refused ones too, and numbers them.
    @Test func countsCalls() {
        let portal = Portal()
        _ = portal.module()
        portal.write(Portal.document())
        _ = portal.reply("x/y")
        _ = portal.vco.answer(SimulatedRequest("GET", "/elsewhere"), now: portal.now)
        let log = portal.vco.log
        #expect(log.counts == ["configuration/getConfigurationModules": 1, Self.update: 1, "x/y": 1, "-": 1])
        #expect(log.total == 4)
        #expect(log.entries.map(\.number) == [1, 2, 3, 4])
        #expect(log.entries.map(\.status) == [200, 200, 400, 404])
        portal.vco.clearLog()
        #expect(portal.vco.log.total == 0)
    }
}
