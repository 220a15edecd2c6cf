import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// Schemas, held to by both servers: what is filled in, left out and refused, and in what words.
@Suite struct ContractSchemaTests {
    /// A value that breaks the schema, and how servers refuse it.
    struct Broken: Sendable, CustomTestStringConvertible {
        var patch: JSON
        var field: String
        var words: String
        var isStatus = false

        var testDescription: String { patch.serializedText() }
    }

    static let broken: [Broken] = [
        .init(
            patch: ["spec": ["protocol": "smoke"]], field: "spec.protocol",
            words: "Unsupported value: \"smoke\": supported values: \"tcp\", \"udp\""),
        .init(
            patch: ["spec": ["port": 0]], field: "spec.port",
            words: "Invalid value: 0: spec.port in body should be greater than or equal to 1"),
        .init(
            patch: ["spec": ["port": 65536]], field: "spec.port",
            words: "Invalid value: 65536: spec.port in body should be less than or equal to 65535"),
        .init(
            patch: ["spec": ["port": "x"]], field: "spec.port",
            words: "Invalid value: \"string\": spec.port in body must be of type integer: \"string\""),
        .init(
            patch: ["spec": ["port": .number("1.5")]], field: "spec.port",
            words: "Invalid value: \"number\": spec.port in body must be of type integer: \"number\""),
        .init(
            patch: ["spec": ["note": 5]], field: "spec.note",
            words: "Invalid value: \"integer\": spec.note in body must be of type string: \"integer\""),
        .init(patch: ["spec": ["port": .null]], field: "spec.port", words: "Required value"),
        .init(patch: ["spec": .null], field: "spec", words: "Required value"),
        .init(
            patch: ["spec": "x"], field: "spec",
            words: "Invalid value: \"string\": spec in body must be of type object: \"string\""),
        .init(
            patch: ["spec": ["limit": 0]], field: "<nil>",
            words: "Invalid value: \"\": \"spec.limit\" must not validate the schema (not)"),
        .init(
            patch: ["spec": ["name": "x"]], field: "spec.name",
            words: "Invalid value: \"x\": spec.name in body should be at least 2 chars long"),
        .init(
            patch: ["spec": ["host": "A.test"]], field: "spec.host",
            words: "Invalid value: \"A.test\": spec.host in body should match '^[a-z.]+$'"),
        .init(
            patch: ["spec": ["host": "a.other"]], field: "spec.host",
            words: "Invalid value: \"a.other\": spec.host in body should match '^.*[.]test$'"),
        .init(
            patch: ["spec": ["labels": ["a": 1]]], field: "spec.labels.a",
            words: "Invalid value: \"integer\": spec.labels.a in body must be of type string: \"integer\""),
        .init(
            patch: ["status": ["at": "now"]], field: "status.at",
            words: "Invalid value: \"now\": status.at in body must be of type date-time: \"now\"", isStatus: true),
    ]

    /// Each break of the schema is 422, with a cause that names the field and says what is wrong with it.
    @Test(arguments: ContractServer.allCases, broken)
    func breaksAreRefused(_ server: ContractServer, _ broken: Broken) async throws {
        let cluster = try await ContractCluster(server, namespace: "broken-\(Self.number(of: broken))")
        let made = try await cluster.create("a", ["port": 1, "name": "abc"])
        try #require(made.status == 201, "\(made.json)")
        let refused = try await cluster.patch("a", broken.patch, status: broken.isStatus)
        #expect(refused.status == 422 && refused.reason == "Invalid", "\(refused.json)")
        #expect(refused.json["details"]?["kind"] == "Contract" && refused.json["details"]?["name"] == "a")
        let causes = refused.json["details"]?["causes"]?.array ?? []
        #expect(
            causes.contains { $0["field"]?.string == broken.field && $0["message"]?.string == broken.words },
            "\(refused.json)")
        #expect(refused.message.hasPrefix("Contract.\(Contract.group) \"a\" is invalid: "))
        #expect(refused.message.contains(broken.words))
        #expect(try await cluster.get("a").json == made.json)
    }

    private static func number(of broken: Broken) -> Int {
        Self.broken.firstIndex { $0.patch == broken.patch } ?? 0
    }

    /// Several breaks are told together; texts that are too long are refused, in words that releases spell differently.
    @Test(arguments: ContractServer.allCases)
    func breaksAreToldTogether(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "several")
        let two = try await cluster.create("a", ["port": 0, "protocol": "smoke"])
        #expect(two.status == 422)
        let fields = two.json["details"]?["causes"]?.array?.compactMap { $0["field"]?.string } ?? []
        #expect(fields.sorted() == ["spec.port", "spec.protocol"], "\(two.json)")
        #expect(two.message.hasPrefix("Contract.\(Contract.group) \"a\" is invalid: [spec."))
        let long = try await cluster.create("a", ["port": 1, "name": "abcdef"])
        #expect(long.status == 422 && long.json[path: "details.causes.0.field"] == "spec.name", "\(long.json)")
        // 1.20: "should be at most 5 chars long"; since 1.25 "Too long: may not be …".
        #expect(long.message.contains("at most 5 chars long") || long.message.contains("Too long: may not be"))
        let name = try await cluster.create("Not_A_Name")
        #expect(name.status == 422 && name.json[path: "details.causes.0.field"] == "metadata.name")
        #expect(
            name.message.hasPrefix(
                "Contract.\(Contract.group) \"Not_A_Name\" is invalid: metadata.name: Invalid value: \"Not_A_Name\": a "
                    + "lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters"))
    }

    /// An element of a list that lacks what it must have is refused. 1.20 names the list, later releases the element.
    @Test(arguments: ContractServer.allCases)
    func elementsAreChecked(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "elements")
        _ = try await cluster.create("a")
        let bad = try await cluster.patch(
            "a", ["status": ["conditions": [["type": "Ready", "status": "Maybe"]]]], status: true)
        #expect(bad.status == 422)
        let cause = bad.json[path: "details.causes.0"]
        #expect(
            ["status.conditions.status", "status.conditions[0].status"].contains(cause?["field"]?.string), "\(bad.json)"
        )
        #expect(
            cause?["message"] == "Unsupported value: \"Maybe\": supported values: \"True\", \"False\", \"Unknown\"")
    }

    /// Defaults are filled in when they are missing, and what the schema does not name is left out.
    @Test(arguments: ContractServer.allCases)
    func defaultsAndPruning(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "defaults")
        let spec: JSON = ["port": 1, "stray": 1, "labels": ["any": "x"], "free": ["any": ["thing": 1]]]
        let made = try await cluster.create("a", spec, [.init("extra", 1)])
        #expect(made.status == 201)
        #expect(made.json["extra"] == nil && made.json["spec"]?["stray"] == nil)
        #expect(made.json["spec"]?["protocol"] == "tcp")
        #expect(made.json["spec"]?["labels"] == ["any": "x"] && made.json["spec"]?["free"] == ["any": ["thing": 1]])
        let changed = try await cluster.patch("a", ["spec": ["protocol": "udp", "stray": 2]])
        #expect(changed.json["spec"]?["protocol"] == "udp" && changed.json["spec"]?["stray"] == nil)
        let back = try await cluster.patch("a", ["spec": ["protocol": .null]])
        #expect(back.json["spec"]?["protocol"] == "tcp")
        #expect(back.json[path: "metadata.generation"]?.int == 3)
    }

    /// Whoever asks for strict checks is refused what the schema does not name. Releases before 1.25 know no such
    /// parameter and take it.
    @Test(arguments: ContractServer.allCases)
    func strictnessIsAskedFor(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "strict")
        let body = Contract.resource("a", ["port": 1, "stray": 1])
        let strict = try await cluster.ask("POST", "\(cluster.path)?fieldValidation=Strict", body)
        let words = "Contract in version \"v1\" cannot be handled as a Contract: strict decoding error: unknown field "
        #expect(strict.status == 201 && server == .real || strict.message == words + "\"spec.stray\"", "\(strict.json)")
        #expect(strict.status == 201 && server == .real || strict.status == 400 && strict.reason == "BadRequest")
        _ = try await cluster.ask("DELETE", "\(cluster.path)/a")
        let lax = try await cluster.ask("POST", "\(cluster.path)?fieldValidation=Ignore", body)
        #expect(lax.status == 201 && !lax.headers.contains { $0.name.lowercased() == "warning" })
    }
}
