import ControlLoop
import Glibc
import HTTPTransport
import Operator
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// The servers that must agree.
enum ContractServer: String, CaseIterable, CustomTestStringConvertible {
    case simulated
    case real

    var testDescription: String { "\(rawValue) API server" }
}

/// An API server of one of the two kinds, spoken to in plain requests: a client of ours would share our mistakes.
///
/// What is expected of both was read from the real server of the tests, Kubernetes 1.20. Where later releases are known
/// to answer otherwise, a test says so and takes either.
struct ContractCluster {
    let server: ContractServer
    /// Which every test has to itself.
    let namespace: String
    /// The simulated one, for what only a test can bring about there.
    let simulated: SimulatedAPIServer?
    private let transport: any HTTPTransport
    private let url: String
    private let token: String
    private let security: HTTPRequest.Security

    struct Unavailable: Error, CustomStringConvertible {
        var description: String
    }

    /// Opens a server with the definition of `Contract` established, and a namespace.
    init(_ server: ContractServer, namespace: String) async throws {
        self.server = server
        self.namespace = namespace
        switch server {
        case .simulated:
            let clock = Clock()
            let api = SimulatedAPIServer(administratorToken: "administrator", seed: 7) { clock.now }
            simulated = api
            transport = SimulatedTransport(
                orchestrator: OrchestratorSimulator(), apiServer: api, wallMilliseconds: { clock.now })
            url = "https://kubernetes.example.test"
            token = "administrator"
            security = .init()
        case .real:
            let file = try RealServerFile()
            simulated = nil
            transport = CurlTransport(userAgent: "velokube-contract")
            url = file.url
            token = file.token
            security = .init(authorities: file.authority)
        }
        let made = try await ask("POST", Contract.definitions, Contract.definition)
        try #require([201, 409].contains(made.status), "\(made.json)")
        try await establish()
        let home = try await ask(
            "POST", "/api/v1/namespaces", .object([.init("metadata", ["name": .string(namespace)])]))
        try #require(home.status == 201, "\(home.json)")
    }

    private func establish() async throws {
        let watch = try await watch(
            "\(Contract.definitions)?watch=true&fieldSelector=metadata.name=contracts.\(Contract.group)")
        while let event = try await watch.next() {
            let conditions = event["object"]?[path: "status.conditions"]?.array ?? []
            if conditions.contains(where: { $0["type"] == "Established" && $0["status"] == "True" }) {
                if server == .real { try await settle() }
                return
            }
        }
        throw Unavailable(description: "the definition was not established")
    }

    /// A real server makes the storage of a new kind anew shortly after it is established, and ends the watches on it.
    /// That is over once a watch lives for as long as it was asked to.
    private func settle() async throws {
        var began: Instant
        repeat {
            began = Time.live.now()
            let watch = try await watch("\(Contract.base)/contracts?watch=true&timeoutSeconds=1")
            while try await watch.next() != nil {}
        } while Time.live.now().since(began) < .milliseconds(900)
    }

    struct Reply {
        var status: Int
        var json: JSON
        var headers: [HTTPHeader]

        var message: String { json["message"]?.string ?? "" }
        var reason: String { json["reason"]?.string ?? "" }
        var version: String { json[path: "metadata.resourceVersion"]?.string ?? "" }
        var items: [String] { json["items"]?.array?.compactMap { $0[path: "metadata.name"]?.string } ?? [] }
    }

    static let merge = "application/merge-patch+json"

    /// Sends a request as the administrator, or with other headers in the place of the token.
    func ask(
        _ method: String, _ target: String, _ body: JSON? = nil, type: String = "application/json",
        headers: [HTTPHeader] = [], token: String? = nil
    ) async throws -> Reply {
        let response = try await send(method, target, body, type, headers, token)
        let bytes = try await response.body.collect()
        let json = (try? JSON.parse(bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
        return Reply(status: response.status, json: json, headers: response.headers)
    }

    private func send(
        _ method: String, _ target: String, _ body: JSON?, _ type: String, _ headers: [HTTPHeader], _ token: String?
    ) async throws -> HTTPResponse {
        let method = try #require(HTTPRequest.Method(rawValue: method))
        let own = [
            HTTPHeader("Authorization", "Bearer \(token ?? self.token)"), HTTPHeader("Content-Type", type),
        ]
        let accept = headers.contains { $0.name == "Accept" } ? [] : [HTTPHeader("Accept", "application/json")]
        return try await transport.send(
            HTTPRequest(
                method, url: url + target, headers: own + accept + headers, body: body?.serialized(),
                security: security))
    }

    /// A watch that is open.
    func watch(_ target: String) async throws -> Watcher {
        let response = try await send("GET", target, nil, "application/json", [], nil)
        guard response.status == 200 else {
            let text = String(decoding: try await response.body.collect(), as: UTF8.self)
            throw Unavailable(description: "\(target): \(response.status) \(text)")
        }
        return Watcher(response.body)
    }

    // The resources of `Contract`, in this namespace.

    var path: String { "\(Contract.base)/namespaces/\(namespace)/contracts" }

    func create(_ name: String, _ spec: JSON = ["port": 1], _ members: [JSON.Member] = []) async throws -> Reply {
        try await ask("POST", path, Contract.resource(name, spec, members))
    }

    func patch(_ name: String, _ patch: JSON, status: Bool = false) async throws -> Reply {
        try await ask("PATCH", "\(path)/\(name)\(status ? "/status" : "")", patch, type: Self.merge)
    }

    func get(_ name: String) async throws -> Reply {
        try await ask("GET", "\(path)/\(name)")
    }
}

/// The kind that the suite is about. It is nobody else's, so that other tests on the same server are not in the way.
enum Contract {
    static let group = "contract.velokube.test"
    static let base = "/apis/\(group)/v1"
    static let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    static func resource(_ name: String, _ spec: JSON, _ members: [JSON.Member] = []) -> JSON {
        .object(
            [
                .init("apiVersion", .string("\(group)/v1")), .init("kind", "Contract"),
                .init("metadata", ["name": .string(name)]), .init("spec", spec),
            ] + members)
    }

    static let definition: JSON = .text(
        """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
         "metadata":{"name":"contracts.\(group)"},
         "spec":{"group":"\(group)","scope":"Namespaced",
          "names":{"kind":"Contract","plural":"contracts","singular":"contract","shortNames":["con"]},
          "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
           "additionalPrinterColumns":[
            {"name":"Port","type":"integer","jsonPath":".spec.port","description":"The port."},
            {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\\"Ready\\")].status"},
            {"name":"Note","type":"string","jsonPath":".spec.note","priority":1}],
           "schema":{"openAPIV3Schema":{"type":"object","required":["spec"],"properties":{
            "spec":{"type":"object","required":["port"],"properties":{
             "port":{"type":"integer","minimum":1,"maximum":65535},
             "limit":{"type":"integer","minimum":-1,"maximum":100,"not":{"enum":[0]}},
             "protocol":{"type":"string","enum":["tcp","udp"],"default":"tcp"},
             "name":{"type":"string","minLength":2,"maxLength":5},
             "host":{"type":"string","pattern":"^[a-z.]+$","allOf":[{"pattern":"^.*[.]test$"}]},
             "note":{"type":"string"},
             "labels":{"type":"object","additionalProperties":{"type":"string"}},
             "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
            "status":{"type":"object","properties":{
             "seen":{"type":"integer","format":"int64"},
             "at":{"type":"string","format":"date-time"},
             "conditions":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"],
              "items":{"type":"object","required":["type","status"],"properties":{
               "type":{"type":"string"},"status":{"type":"string","enum":["True","False","Unknown"]}}}}}}}}}}]}}
        """)
}

/// What `scripts/with-control-plane` says of the server it started.
private struct RealServerFile {
    var url: String
    var token: String
    var authority: [UInt8]

    init() throws {
        guard let variable = getenv("VELOKUBE_TEST_KUBECONFIG") else {
            throw ContractCluster.Unavailable(
                description: "no API server: run these tests as `scripts/with-control-plane swift test`")
        }
        let path = String(cString: variable)
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let text = String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
        func value(_ name: String) throws -> String {
            let line = text.split(separator: "\n").first { $0.contains("\(name): ") }
            return String(try #require(line).split(separator: " ").last ?? "")
        }
        url = try value("server")
        token = try value("token")
        authority = Self.decoded(try value("certificate-authority-data"))
    }

    private static func decoded(_ base64: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bits = 0
        var count = 0
        var bytes: [UInt8] = []
        for byte in base64.utf8 {
            guard let value = alphabet.firstIndex(of: byte) else { continue }
            bits = (bits << 6 | value) & 0xFF_FFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }
}
