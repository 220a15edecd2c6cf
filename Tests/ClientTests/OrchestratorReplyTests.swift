import BusinessPolicy
import HTTPTransport
import Orchestrator
import Testing

@Suite struct OrchestratorReplyTests {
    /// How a read and an update end with the same reply.
    private func classes(_ step: Step) async throws -> (read: String, update: String, words: [String]) {
        var classes: [String] = []
        var words: [String] = []
        do {
            _ = try await client(ScriptedTransport(step)).module(profileID: 101)
            classes.append("ok")
        } catch let error as OrchestratorError {
            classes.append(CallResult(error).rawValue)
            words.append("\(error)")
        }
        do {
            try await client(ScriptedTransport(step)).update(moduleID: 503, data: Array("{}".utf8))
            classes.append("ok")
        } catch let error as OrchestratorError {
            classes.append(CallResult(error).rawValue)
            words.append("\(error)")
        }
        return (classes[0], classes[1], words)
    }

    // Every case of the fixtures ends in its class, for a read and for an update.
    @Test func fixturesAreClassified() async throws {
        let expected = [
            "session-expired-in-200": ("authentication", "authentication"),
            "session-expired-html": ("authentication", "outcome_unknown"),
            "token-invalid-401": ("authentication", "authentication"),
            "login-failed-302": ("authentication", "authentication"),
            "login-success-200": ("ok", "outcome_unknown"),
            "validation-400": ("rejected", "rejected"),
            "validation-400-minimal": ("rejected", "rejected"),
            "privilege-jsonrpc": ("permission", "permission"),
            "privilege-rest": ("permission", "permission"),
            "unknown-method-jsonrpc": ("failed", "failed"),
            "unknown-id-null-result": ("unreadable", "outcome_unknown"),
            "server-error-500": ("unreachable", "outcome_unknown"),
            "rate-limited-429": ("rate_limited", "rate_limited"),
            "error-in-result-200": ("failed", "failed"),
            "jsonrpc-success": ("unreadable", "outcome_unknown"),
            "gateway-503-html": ("unreachable", "outcome_unknown"),
            "apiv2-429": ("rate_limited", "rate_limited"),
            "apiv2-404": ("unreadable", "failed"),
        ]
        let cases = try #require(try JSON.parse(try resource("vco/errors.json")).array)
        #expect(cases.count == expected.count)
        for entry in cases {
            let name = try #require(entry["case"]?.string)
            let body = try #require(entry["body"])
            let status = try #require(entry["status"]?.int)
            let headers = entry["headers"]?.members?.map { HTTPHeader($0.name, $0.value.string ?? "") } ?? []
            // A page stands in the fixtures as a string.
            let text = body.string ?? body.serializedText()
            let found = try await classes(.reply(status, text, headers: headers))
            #expect(found.read == expected[name]?.0, "\(name), read: \(found.words)")
            #expect(found.update == expected[name]?.1, "\(name), update: \(found.words)")
        }
    }

    // What stands in no fixture: empty, broken and odd bodies, odd errors, and other statuses.
    @Test(arguments: [
        (200, "", "unreadable", "outcome_unknown"),
        (204, "", "unreadable", "outcome_unknown"),
        (200, "null", "ok", "outcome_unknown"),
        (200, "[]", "ok", "outcome_unknown"),
        (200, "{}", "ok", "outcome_unknown"),
        (200, "17", "unreadable", "outcome_unknown"),
        (200, "{\"rows\":1", "unreadable", "outcome_unknown"),
        (200, "\u{FEFF} \n<html>", "authentication", "outcome_unknown"),
        (200, #"{"rows":1}"#, "unreadable", "ok"),
        (200, #"{"rows":1,"error":null}"#, "unreadable", "ok"),
        (200, #"{"rows":1,"error":""}"#, "unreadable", "ok"),
        (200, #"{"rows":1,"error":"no"}"#, "failed", "failed"),
        (200, #"{"rows":1,"error":{}}"#, "failed", "failed"),
        (200, #"{"rows":0}"#, "unreadable", "failed"),
        (200, #"{"rows":2}"#, "unreadable", "failed"),
        (200, #"{"rows":"1"}"#, "unreadable", "outcome_unknown"),
        (200, #"{"error":"tokenError [expired]"}"#, "authentication", "authentication"),
        (200, #"[{"name":"QOS","version":"1"}]"#, "unreadable", "outcome_unknown"),
        (200, #"[{"name":"QOS","id":1}]"#, "unreadable", "outcome_unknown"),
        (200, #"[{"name":"QOS","id":1,"version":"1"}]"#, "unreadable", "outcome_unknown"),
        (200, #"[{"name":"QOS","id":1,"version":"1","data":"{}"}]"#, "unreadable", "outcome_unknown"),
        (200, #"[{"name":"QOS","id":1,"version":"1","data":{},"configurationId":7}]"#, "unreadable", "outcome_unknown"),
        (200, #"[{"name":"QOS","id":1,"version":17,"data":{},"configurationId":101}]"#, "ok", "outcome_unknown"),
        (200, #"[{"name":"WAN","id":1,"version":"1","data":{}}]"#, "ok", "outcome_unknown"),
        (301, "", "authentication", "authentication"),
        (400, "", "rejected", "rejected"),
        (400, "<html>plain HTTP to an HTTPS port</html>", "unreadable", "outcome_unknown"),
        (400, #"{"error":{"message":"methodError"}}"#, "failed", "failed"),
        (401, "", "authentication", "authentication"),
        (403, "", "permission", "permission"),
        (403, #"{"error":{"message":"tokenError [revoked]"}}"#, "authentication", "authentication"),
        (404, "<html></html>", "unreadable", "outcome_unknown"),
        (405, "", "unreadable", "outcome_unknown"),
        (408, "", "unreachable", "outcome_unknown"),
        (413, "<html></html>", "rejected", "rejected"),
        (429, "slow down", "rate_limited", "rate_limited"),
        (500, #"{"error":{"message":"missing privilege X"}}"#, "permission", "permission"),
        (500, #"{"error":{"message":"tokenError"}}"#, "authentication", "authentication"),
        (502, "", "unreachable", "outcome_unknown"),
    ])
    func repliesAreClassified(status: Int, body: String, read: String, update: String) async throws {
        let found = try await classes(.reply(status, body))
        #expect(found.read == read, "\(found.words)")
        #expect(found.update == update, "\(found.words)")
        for words in found.words where status != 429 {
            #expect(words.hasPrefix("VCO vco.example.net, configuration/"))
        }
    }

    // A transfer that breaks: a read may be tried again, an update is unsent only if it certainly is.
    @Test(arguments: [
        (Step.failure(.connect("refused")), "unreachable", "unreachable"),
        (.failure(.security("untrusted")), "unreachable", "unreachable"),
        (.failure(.request("bad option")), "unreachable", "unreachable"),
        (.failure(.broken("reset")), "unreachable", "outcome_unknown"),
        (.failure(.timeout("first byte")), "unreachable", "outcome_unknown"),
        (.failure(.cancelled), "unreachable", "outcome_unknown"),
        (.torn(200, .broken("reset")), "unreachable", "outcome_unknown"),
        (.torn(200, .connect("odd")), "unreachable", "outcome_unknown"),
        (.torn(200, .bodyTooLarge(limit: 5)), "unreadable", "outcome_unknown"),
        (.torn(400, .broken("reset")), "unreachable", "outcome_unknown"),
        (.torn(503, .broken("reset")), "unreachable", "outcome_unknown"),
        (.torn(429, .broken("reset")), "rate_limited", "rate_limited"),
        (.torn(401, .broken("reset")), "authentication", "authentication"),
        (.torn(302, .broken("reset")), "authentication", "authentication"),
    ])
    func brokenTransfersAreClassified(step: Step, read: String, update: String) async throws {
        let found = try await classes(step)
        #expect(found.read == read, "\(found.words)")
        #expect(found.update == update, "\(found.words)")
    }

    // The VCO's findings reach the user as `path: message`, and words about a rule are never taken for a privilege.
    @Test func findingsAreKept() async throws {
        let body = #"""
            {"error":{"code":-32600,"message":"invalid privilege-app","data":{"valid":false,"error":[
            {"code":"enum","message":"is not allowed","path":"data.segments[0].rules[3].action.QoS.type"},
            {"message":"no path"}, 7],"warning":[]}}}
            """#
        let client = try client(ScriptedTransport(.reply(400, body)))
        await #expect {
            try await client.update(moduleID: 503, data: Array("{}".utf8))
        } throws: { error in
            guard case .rejected(let message, let faults) = error as? OrchestratorError else { return false }
            return message.hasSuffix("refused the request (400): invalid privilege-app")
                && faults == ["data.segments[0].rules[3].action.QoS.type: is not allowed", "no path", "7"]
        }
    }

    // The token is in no message, even where the VCO or the transport repeats it, cut or wrapped in other text.
    @Test(arguments: [
        Step.reply(401, #"{"error":{"message":"tokenError [\#(testToken)]"}}"#),
        .reply(200, #"{"error":"bad header: Token \#(testToken)"}"#),
        .reply(200, #"{"error":{"message":"\#(String(repeating: "x", count: 480))\#(testToken)"}}"#),
        .reply(
            400, #"{"error":{"message":"m","data":{"error":[{"path":"\#(testToken)","message":"\#(testToken)"}]}}}"#),
        .reply(400, #"{"error":["\#(testToken)"]}"#),
        .reply(404, #"{"message":"\#(testToken)"}"#),
        .reply(500, #"{"error":{"message":"missing privilege for \#(testToken)\#(testToken)"}}"#),
        .failure(.broken("sent Authorization: Token \(testToken)")),
    ])
    func theTokenIsScrubbed(step: Step) async throws {
        let words = try await classes(step).words
        #expect(words.count == 2)
        for text in words {
            #expect(!text.contains("secret-token"), "\(text)")
            #expect(!text.contains("eyJh"), "\(text)")
        }
    }

    // Foreign text stays on one line and within bounds.
    @Test func foreignTextIsTamed() async throws {
        let long = String(repeating: "line\\n\\u0007", count: 1000)
        let words = try await classes(.reply(500, #"{"error":{"message":"\#(long)"}}"#)).words
        for text in words {
            #expect(text.count < 700)
            #expect(!text.contains("\n") && !text.contains("\u{07}"))
        }
    }

    // An unknown profile is nil, however the VCO says it; a profile that is not the one asked for is an error.
    @Test func absentProfiles() async throws {
        for body in ["null", "[]", "{}"] {
            #expect(try await client(ScriptedTransport(.reply(200, body))).profile(id: 5) == nil)
        }
        let refusal = #"{"error":{"code":-1,"message":"Configuration 5 not found"}}"#
        #expect(try await client(ScriptedTransport(.reply(400, refusal))).profile(id: 5) == nil)
        for step in [
            Step.reply(400, #"{"error":{"message":"An error occurred while processing your request"}}"#),
            .reply(404, "<html>not found</html>"), .reply(200, #"{"id":6,"name":"other"}"#),
            .reply(200, #"{"id":5}"#), .reply(500, ""), .reply(200, ""),
        ] {
            await #expect(throws: OrchestratorError.self) {
                try await client(ScriptedTransport(step)).profile(id: 5)
            }
        }
    }

    // Old profiles are told apart by their type.
    @Test func networkBasedProfilesAreMarked() async throws {
        let body = #"[{"id":1,"name":"a","configurationType":"NETWORK_BASED"},{"id":2,"name":"b"}]"#
        let profiles = try await client(ScriptedTransport(.reply(200, body))).profiles()
        #expect(profiles.map(\.isSegmentBased) == [false, true])
    }
}
