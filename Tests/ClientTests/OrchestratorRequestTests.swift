import BusinessPolicy
import HTTPTransport
import Orchestrator
import Testing

@Suite struct OrchestratorRequestTests {
    static let module = #"[{"id":503,"name":"QOS","version":"17","configurationId":101,"data":{"segments":[]}}]"#

    // Each method is one POST below /portal/rest with the token in its header, and exactly this body.
    @Test(arguments: [nil, "12"] as [String?])
    func requestsAreExact(enterprise: String?) async throws {
        let transport = ScriptedTransport(
            .reply(200, "[]"), .reply(200, "null"), .reply(200, "[]"), .reply(200, Self.module),
            .reply(200, #"{"rows":1}"#))
        let client = try client(transport, enterpriseID: enterprise)
        _ = try await client.profiles()
        _ = try await client.profile(id: 101)
        _ = try await client.moduleSummary(profileID: 101)
        _ = try await client.module(profileID: 101)
        try await client.update(moduleID: 503, data: Array(#"{"segments" : []}"#.utf8))

        let only = enterprise == nil ? "" : #""enterpriseId":12"#
        let last = enterprise == nil ? "" : "," + only
        let second = enterprise == nil ? "" : only + ","
        let query = #"{"configurationId":101,"modules":["QOS"]"#
        let expected = [
            ("enterprise/getEnterpriseConfigurations", "{\(only)}"),
            ("configuration/getConfiguration", #"{"id":101\#(last)}"#),
            ("configuration/getConfigurationModules", #"\#(query),"noData":true\#(last)}"#),
            ("configuration/getConfigurationModules", #"\#(query)\#(last)}"#),
            ("configuration/updateConfigurationModule", #"{"id":503,\#(second)"_update":{"data":{"segments" : []}}}"#),
        ]
        #expect(transport.requests.count == expected.count)
        for (request, (method, body)) in zip(transport.requests, expected) {
            #expect(request.method == .post)
            #expect(request.url == "https://vco.example.net/portal/rest/" + method)
            #expect(String(decoding: request.body ?? [], as: UTF8.self) == body)
            #expect(
                request.headers == [
                    HTTPHeader("Authorization", "Token " + testToken),
                    HTTPHeader("Content-Type", "application/json"), HTTPHeader("Accept", "application/json"),
                ])
            #expect(request.bodyBytesMax == 64 << 20)
            #expect(request.usesFreshConnection == method.contains("update"))
            #expect(request.timeouts.whole != nil && request.timeouts.firstByte != nil)
        }
    }

    // Every documented request has the members that the vendor's own schema requires, in types that it allows.
    @Test func requestsFollowTheVendorsSchema() async throws {
        let transport = ScriptedTransport(
            .reply(200, "[]"), .reply(200, "null"), .reply(200, "[]"), .reply(200, Self.module),
            .reply(200, #"{"rows":1}"#))
        let client = try client(transport, enterpriseID: "12")
        _ = try await client.profiles()
        _ = try await client.profile(id: 101)
        _ = try await client.moduleSummary(profileID: 101)
        _ = try await client.module(profileID: 101)
        try await client.update(moduleID: 503, data: Array(#"{"segments":[]}"#.utf8))

        let document = try JSON.parse(try resource("vco/openapi-v1-5.0.0-subset.json"))
        let paths = try #require(document["paths"])
        for request in transport.requests {
            let path = try #require(request.url.split(separator: "/portal/rest").last.map(String.init))
            let operation = try #require(paths[path]?["post"], "\(path) is not documented")
            let schema = try #require(operation["parameters"]?[0]?["schema"])
            let body = try JSON.parse(request.body ?? [])
            // The schema of an update shares the module's, which requires a name; the vendor's own example and prose
            // leave it out, so what the example lacks may be lacking here.
            let excused = schema["example"].map { schemaFaults($0, schema, in: document) } ?? []
            #expect(schemaFaults(body, schema, in: document).filter { !excused.contains($0) } == [], "\(path)")
            #expect(excused == (path.hasSuffix("updateConfigurationModule") ? ["$._update: name is missing"] : []))
        }
    }

    // The check above can fail: a missing member, a wrong type and a value outside an enumeration are all found.
    @Test func theSchemaCheckFindsFaults() throws {
        let document = try JSON.parse(try resource("vco/openapi-v1-5.0.0-subset.json"))
        let schema = try #require(
            document["paths"]?["/configuration/getConfigurationModules"]?["post"]?["parameters"]?[0]?["schema"])
        for bad in [#"{"modules":["QOS"]}"#, #"{"configurationId":"1"}"#, #"{"configurationId":1,"modules":["qos"]}"#] {
            #expect(schemaFaults(try JSON.parse(Array(bad.utf8)), schema, in: document).count == 1, "\(bad)")
        }
    }

    // The document of a module goes out again byte for byte: white space, order, duplicates and spellings included.
    @Test func dataRoundTripsByteForByte() async throws {
        let data = #"""
            { "segments" : [ {"b":1.0,"a":1e2,
            \#t"a":-0.10}],"\u0061":"\u00e9/\/", "é" : null }
            """#
        let reply =
            #"[{"id":1,"name":"WAN","data":{"x":1}},{"data":\#(data),"version":"17","name":"QOS","id":503}]"#
        let transport = ScriptedTransport(.reply(200, reply), .reply(200, #"{"rows":1}"#))
        let client = try client(transport)
        let module = try #require(try await client.module(profileID: 101))
        #expect(module.id == 503)
        #expect(module.version == "17")
        #expect(String(decoding: module.data, as: UTF8.self) == data)
        try await client.update(moduleID: module.id, data: module.data)
        let sent = String(decoding: transport.requests[1].body ?? [], as: UTF8.self)
        #expect(sent == #"{"id":503,"_update":{"data":\#(data)}}"#)
    }

    // A write takes no longer than it may, and is not sent once it must not begin; other calls need no permit.
    @Test func permitLimitsAWrite() async throws {
        let transport = ScriptedTransport(.reply(200, #"{"rows":1}"#), .reply(200, #"{"rows":1}"#))
        let client = try client(transport)
        try await client.update(moduleID: 503, data: Array("{}".utf8), permit: { .seconds(7) })
        try await client.update(moduleID: 503, data: Array("{}".utf8), permit: { .seconds(7000) })
        #expect(transport.requests.map(\.timeouts.whole) == [.seconds(7), .seconds(120)])
        let error = await #expect(throws: OrchestratorError.self) {
            try await client.update(moduleID: 503, data: Array("{}".utf8), permit: { nil })
        }
        guard case .unreachable(let words) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(words.contains("not sent") && transport.requests.count == 2)
    }

    // The fixtures are read as what they are.
    @Test func fixturesAreRead() async throws {
        let transport = ScriptedTransport(
            .reply(200, try resourceText("vco/getEnterpriseConfigurations.response.json")),
            .reply(200, try resourceText("vco/getConfiguration.with-modules.response.json")),
            .reply(200, try resourceText("vco/getConfigurationModules.noData.response.json")),
            .reply(200, try resourceText("vco/getConfigurationModules.QOS.response.json")),
            .reply(200, try resourceText("vco/updateConfigurationModule.response.json")),
            .reply(200, try resourceText("vco/updateConfigurationModule.error-in-result.response.json")))
        let client = try client(transport)
        let profiles = try await client.profiles()
        #expect(profiles.map(\.id) == [101, 102])
        #expect(profiles.map(\.name) == ["Quick Start Profile", "Branch Profile"])
        #expect(profiles.allSatisfy { $0.isSegmentBased })
        #expect(try await client.profile(id: 101)?.name == "Quick Start Profile")
        let summary = try await client.moduleSummary(profileID: 101)
        #expect(summary == ModuleSummary(id: 503, version: "1734155438714"))
        let module = try #require(try await client.module(profileID: 101))
        let fixture = try JSON.parse(try resource("vco/getConfigurationModules.QOS.response.json"))
        #expect(try JSON.parse(module.data) == fixture[0]?["data"])
        try await client.update(moduleID: 503, data: module.data)
        await #expect(throws: OrchestratorError.self) { try await client.update(moduleID: 503, data: module.data) }
    }

    // A VCO behind a gateway, on another port or given with its own path is spoken to below that path.
    @Test(arguments: [
        ("https://VCO.example.net:8443/portal/", "https://vco.example.net:8443/portal/rest/"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/portal/rest/"),
        ("https://gateway.example/vco/portal/rest", "https://gateway.example/vco/portal/rest/"),
    ])
    func theBaseIsNormalised(url: String, base: String) async throws {
        let transport = ScriptedTransport(.reply(200, "[]"))
        _ = try await client(transport, url: url).profiles()
        #expect(transport.requests[0].url == base + "enterprise/getEnterpriseConfigurations")
    }
}

/// What a value has against a schema, as far as types, required members and enumerations go.
private func schemaFaults(_ value: JSON, _ schema: JSON, in document: JSON, at path: String = "$") -> [String] {
    if let reference = schema["$ref"]?.string {
        let target = reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
        guard let target else { return ["\(path): \(reference) is not there"] }
        return schemaFaults(value, target, in: document, at: path)
    }
    var faults: [String] = []
    if let allowed = schema["enum"]?.array, !allowed.contains(value) { faults.append("\(path): not in enum") }
    switch (schema["type"]?.string, value) {
    case ("integer", _): if value.int == nil { faults.append("\(path): no integer") }
    case ("boolean", _): if value.bool == nil { faults.append("\(path): no boolean") }
    case ("string", _): if value.string == nil { faults.append("\(path): no string") }
    case ("array", .array(let elements)):
        for (index, element) in elements.enumerated() {
            faults += schemaFaults(element, schema["items"] ?? .null, in: document, at: "\(path)[\(index)]")
        }
    case ("array", _): faults.append("\(path): no array")
    case ("object", .object(let members)):
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where value[name] == nil {
            faults.append("\(path): \(name) is missing")
        }
        for member in members {
            guard let inner = schema["properties"]?[member.name] else { continue }
            faults += schemaFaults(member.value, inner, in: document, at: path + "." + member.name)
        }
    case ("object", _): faults.append("\(path): no object")
    default: break
    }
    return faults
}
