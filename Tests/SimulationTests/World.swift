import Glibc
import HTTPTransport
import Simulation

import enum BusinessPolicy.JSON

/// A VCO to ask, at a time that only the test moves.
struct Portal {
    var vco: OrchestratorSimulator
    /// 2026-01-01T00:00:00.250Z
    var now: Int64 = 1_767_225_600_250

    init(modes: OrchestratorModes = .init(), token: String? = nil, includingNetworkBased: Bool = false) {
        vco = OrchestratorSimulator(token: token, modes: modes, includingNetworkBased: includingNetworkBased)
    }

    static func request(_ method: String, _ body: String, token: String = "Token abc") -> SimulatedRequest {
        SimulatedRequest(
            "POST", "/portal/rest/\(method)", headers: [HTTPHeader("authorization", token)], body: Array(body.utf8))
    }

    /// The reply to a call on the REST-like interface; nil when the connection was dropped.
    func reply(_ method: String, _ body: String = "{}", token: String = "Token abc") -> SimulatedReply? {
        vco.answer(Self.request(method, body, token: token), now: now).reply
    }

    /// The bare result of a call.
    func result(_ method: String, _ body: String = "{}") -> JSON {
        reply(method, body).map(\.json) ?? .string("dropped")
    }

    /// The QOS module of a profile as `configuration/getConfigurationModules` shows it.
    func module(_ profile: Int = 101, noData: Bool = false) -> JSON {
        let body = "{\"configurationId\":\(profile),\"modules\":[\"QOS\"],\"noData\":\(noData)}"
        return result("configuration/getConfigurationModules", body)[0] ?? .null
    }

    /// Writes a document; the reply's JSON.
    @discardableResult
    func write(_ data: String, module: Int = 503) -> SimulatedReply? {
        reply("configuration/updateConfigurationModule", "{\"id\":\(module),\"_update\":{\"data\":\(data)}}")
    }

    /// The document of a profile as it is.
    func data(_ profile: ProfileKey = 101) -> String {
        String(decoding: vco.profile(profile)?.data ?? [], as: UTF8.self)
    }

    /// A document of one segment with these rules.
    static func document(_ rules: String...) -> String {
        "{\"segments\":[{\"segment\":{\"segmentId\":0,\"name\":\"Global Segment\"},\"rules\":["
            + rules.joined(separator: ",") + "],\"defaults\":[],\"webProxy\":{}}]}"
    }

    /// A rule that the strictest validation accepts.
    static func rule(_ name: String, port: Int = 443, cap: Int = -1, id: String? = nil) -> String {
        let scheduler = "{\"bandwidthCapPct\":\(cap),\"priority\":\"normal\"}"
        let last = id.map { ",\"ruleLogicalId\":\"\($0)\"" } ?? ""
        return "{\"name\":\"\(name)\",\"match\":{\"dport_low\":\(port),\"hostname\":\"a.example.test\"},\"action\":"
            + "{\"QoS\":{\"type\":\"bulk\",\"rxScheduler\":\(scheduler),\"txScheduler\":\(scheduler)}}\(last)}"
    }
}

extension SimulatedReply {
    var json: JSON { (try? JSON.parse(body)) ?? .string("not JSON: \(text)") }
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension JSON {
    /// A value at a dotted path; numbers are indexes.
    subscript(path path: String) -> JSON? {
        path.split(separator: ".").reduce(Optional(self)) { value, step in
            Int(step).map { value?[$0] } ?? value?[String(step)]
        }
    }

    static func text(_ text: String) -> JSON { (try? JSON.parse(Array(text.utf8))) ?? .string("not JSON: \(text)") }

    var names: [String] { members?.map(\.name) ?? [] }
}

/// A file of the vendor's shapes.
func resource(_ name: String) -> JSON {
    let path = ResourceFile.path(name)
    guard let file = fopen(path, "r") else { return .string("no file \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { break }
        bytes += chunk[..<count]
    }
    return (try? JSON.parse(bytes)) ?? .string("not JSON: \(path)")
}

enum ResourceFile {
    /// Where a fixture lies, found from this very file: reading it needs no bundle and no Foundation.
    static func path(_ name: String, file: String = #filePath) -> String {
        file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
            + "/Fixtures/vco/" + name
    }
}
