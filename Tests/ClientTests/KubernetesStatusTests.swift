import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesStatusTests {
    /// What the client makes of a reply that is no success.
    private func status(_ code: Int, _ body: String, headers: [HTTPHeader] = []) async throws -> APIStatus {
        let client = try plainClient(KubernetesScript(KubernetesScript.reply(code, body, headers: headers)))
        let failure = await kubernetesFailure { () async throws(KubernetesError) in
            try await client.get(.velocloudBP, namespace: "shop", name: "x")
        }
        guard case .status(let status) = failure else {
            throw Unexpected(what: String(describing: failure))
        }
        return status
    }

    private struct Unexpected: Error { var what: String }

    private static func notFound(_ details: String, reason: String = "NotFound") -> String {
        #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"m","reason":"\#(reason)","#
            + #""details":{\#(details)},"code":404}"#
    }

    private static func timeout(_ member: String) -> String {
        #"{"kind":"Status","reason":"Timeout",\#(member)}"#
    }

    /// Absence is proven only by the server naming that very resource; proxies, missing kinds and others prove nothing.
    @Test(arguments: [
        (404, notFound(#""name":"x","group":"vcn.cloud","kind":"velocloudbps""#), true),
        (404, notFound(#""name":"y","group":"vcn.cloud","kind":"velocloudbps""#), false),
        (404, notFound(#""name":"x","group":"other.cloud","kind":"velocloudbps""#), false),
        (404, notFound(#""name":"x","kind":"velocloudbps""#), false),
        (404, notFound(#""name":"x","group":"vcn.cloud","kind":"velocloudlimits""#), false),
        (404, notFound(#""name":"velocloudbps.vcn.cloud","group":"apiextensions.k8s.io""#), false),
        (404, notFound(""), false),
        (404, notFound(#""name":"x","group":"vcn.cloud","kind":"velocloudbps""#, reason: "Forbidden"), false),
        (403, notFound(#""name":"x","group":"vcn.cloud","kind":"velocloudbps""#), false),
        (410, notFound(#""name":"x","group":"vcn.cloud","kind":"velocloudbps""#), false),
        (404, "404 page not found\n", false),
        (404, "<html><body>404 x velocloudbps vcn.cloud NotFound</body></html>", false),
        (404, "", false),
        (404, #"{"message":"no such route"}"#, false),
        (404, #"{"reason":"NotFound","details":{"name":"x","group":"vcn.cloud","kind":"velocloudbps"}}"#, false),
    ])
    func proofOfAbsence(code: Int, body: String, isProof: Bool) async throws {
        let status = try await status(code, body)
        #expect(status.provesAbsence(of: "x", kind: .velocloudBP) == isProof)
    }

    /// The core group has no name in details, and that is the same as an empty one.
    @Test func proofOfAbsenceInCoreGroup() {
        let kind = ResourceKind(group: "", version: "v1", plural: "namespaces")
        let status = APIStatus(code: 404, reason: "NotFound", detailsName: "shop", detailsKind: "namespaces")
        #expect(status.provesAbsence(of: "shop", kind: kind))
        #expect(!status.provesAbsence(of: "shop", kind: .velocloudBP))
    }

    /// Each predicate holds for its replies, in the spellings of old servers and new ones, and for no other.
    @Test(arguments: [
        (410, #"{"kind":"Status","reason":"Expired","code":410}"#, "gone expired"),
        (410, #"{"kind":"Status","reason":"Gone","code":410}"#, "gone"),
        (410, "", "gone"),
        (504, timeout(#""details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}"#), "large server"),
        (504, timeout(#""details":{"causes":[{"message":"Too large resource version"}]}"#), "large server"),
        (504, timeout(#""message":"Timeout: Too large resource version: 9, current: 5""#), "large server"),
        (504, "upstream timed out", "server"),
        (409, #"{"kind":"Status","reason":"Conflict"}"#, "conflict"),
        (409, #"{"kind":"Status","reason":"AlreadyExists"}"#, "exists"),
        (404, #"{"kind":"Status","reason":"NotFound"}"#, "absent"),
        (404, "404 page not found", "absent"),
        (403, #"{"kind":"Status","reason":"Forbidden"}"#, "forbidden"),
        (401, "", "unauthorized"),
        (429, "slow down", "many"),
        (422, #"{"kind":"Status","reason":"Invalid"}"#, "invalid"),
        (422, #"{"kind":"Status","reason":"Invalid","details":{"causes":[{"field":"metadata.uid"}]}}"#, "conflict"),
        (400, #"{"kind":"Status","reason":"BadRequest"}"#, "invalid"),
        (500, #"{"kind":"Status","reason":"InternalError"}"#, "server"),
        (502, "<html>bad gateway</html>", "server"),
        (302, "", ""),
    ])
    func predicates(code: Int, body: String, expected: String) async throws {
        let status = try await status(code, body)
        let table: [(String, Bool)] = [
            ("gone", status.isGone), ("expired", status.isExpired), ("large", status.isResourceVersionTooLarge),
            ("conflict", status.isConflict), ("exists", status.isAlreadyExists), ("absent", status.isNotFound),
            ("forbidden", status.isForbidden), ("unauthorized", status.isUnauthorized),
            ("many", status.isTooManyRequests), ("invalid", status.isInvalid), ("server", status.isServerError),
        ]
        #expect(table.filter(\.1).map(\.0).joined(separator: " ") == expected)
    }

    /// Inside a watch there is no HTTP status; the Status object alone decides, also one without a code.
    @Test func statusWithoutCode() {
        #expect(APIStatus(code: 0, reason: "Gone").isGone)
        #expect(APIStatus(code: 0, reason: "Expired").isGone)
        #expect(APIStatus(code: 0, reason: "TooManyRequests").isTooManyRequests)
        #expect(APIStatus(code: 0, reason: "InternalError").isServerError)
        #expect(!APIStatus(code: 0, reason: "NotFound").provesAbsence(of: "", kind: .velocloudBP))
    }

    /// The wait that the server asks for is taken from the header, else from the body, and is never absurd.
    @Test(
        arguments: [
            ("7", nil, 7), (nil, 3, 3), ("7", 3, 7), ("0", nil, nil), ("-5", nil, nil), ("soon", 3, 3), (nil, nil, nil),
            ("999999999", nil, 3600),
        ] as [(String?, Int?, Int?)])
    func retryAfter(header: String?, details: Int?, seconds: Int?) async throws {
        let body = #"{"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":\#(details ?? 0)}}"#
        for code in [429, 503] {
            let headers = header.map { [HTTPHeader("retry-after", $0)] } ?? []
            let status = try await status(code, body, headers: headers)
            #expect(status.retryAfter == seconds.map { .seconds($0) })
        }
    }

    /// Every part of a Status is read, and the HTTP status is believed over the body's.
    @Test func wholeStatus() async throws {
        let body = #"""
            {"kind":"Status","apiVersion":"v1","status":"Failure","message":"not valid","reason":"Invalid","code":999,
             "details":{"name":"x","group":"vcn.cloud","kind":"VelocloudBP","causes":[
              {"reason":"FieldValueInvalid","message":"must be 1 to 100","field":"spec.dport"},{"message":"other"}]}}
            """#
        #expect(
            try await status(422, body)
                == APIStatus(
                    code: 422, reason: "Invalid", message: "not valid", detailsName: "x", detailsKind: "VelocloudBP",
                    detailsGroup: "vcn.cloud", causes: ["FieldValueInvalid"],
                    causeMessages: ["must be 1 to 100", "other"], causeFields: ["spec.dport"]))
    }

    /// A reply that is no Status is shown by its first words, on one line and without markup.
    @Test func excerpts() async throws {
        let page = "<html>\n<head><title>502 Bad\u{7}Gateway</title></head>\r\n<body>nginx</body></html>"
        #expect(try await status(502, page).message == "502 Bad Gateway nginx")
        #expect(try await status(500, "a < b and\tb > c").message == "a < b and b > c")
        #expect(try await status(500, "").description == "the API server answered 500")
        let long = try await status(500, String(repeating: "ü", count: 5000)).message
        #expect(long == String(repeating: "ü", count: 200) + "…")
        let redirect = try await status(302, "", headers: [HTTPHeader("Location", "https://sso.example/?secret=1")])
        #expect(redirect.message.contains("sso.example"))
        #expect(!redirect.message.contains("secret"))
    }
}
