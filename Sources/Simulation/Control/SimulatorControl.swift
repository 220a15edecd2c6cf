import HTTPTransport

import enum BusinessPolicy.JSON

/// The control endpoint `/sim/`: looking at the simulated VCO and making it misbehave, over HTTP and without a token.
package struct SimulatorControl: Sendable {
    private let vco: OrchestratorSimulator

    package init(_ vco: OrchestratorSimulator) {
        self.vco = vco
    }

    /// True for requests that are not the VCO's own.
    package static func handles(_ request: SimulatedRequest) -> Bool {
        let path = request.path
        return path == "/" || path == "/sim" || path.hasPrefix("/sim/")
    }

    /// Answers a request.
    package func answer(_ request: SimulatedRequest, now: Int64) -> SimulatedReply {
        do throws(ControlProblem) {
            return try reply(request, now: now)
        } catch {
            return Self.json(.record(["error": .string(error.text)]), status: error.status)
        }
    }

    private func reply(_ request: SimulatedRequest, now: Int64) throws(ControlProblem) -> SimulatedReply {
        switch (request.method, request.path) {
        case ("GET", "/"), ("GET", "/sim"), ("GET", "/sim/"):
            let type = HTTPHeader("Content-Type", "text/plain; charset=utf-8")
            return SimulatedReply(status: 200, headers: [type], body: Array(Self.help.utf8))
        case ("GET", "/sim/profiles"): return Self.json(.array(vco.profiles.map(\.json)))
        case ("GET", "/sim/rules"):
            let query = try Self.query(request, known: ["profile", "segment", "name"])
            return Self.json(.array(vco.profiles.flatMap { $0.rules(query) }))
        case ("GET", "/sim/calls"): return Self.json(vco.log.json(try Self.query(request, known: ["last", "method"])))
        case ("DELETE", "/sim/calls"): vco.clearLog()
        case ("GET", "/sim/modes"): return Self.json(ModeTable().json(vco.modes))
        case ("POST", "/sim/modes"):
            try setModes(request.body)
            return Self.json(ModeTable().json(vco.modes))
        case ("GET", "/sim/faults"): return Self.json(.array(vco.faults.map(\.json)))
        case ("POST", "/sim/faults"):
            vco.inject(try FaultRule(control: request.body, now: now))
            return Self.json(.array(vco.faults.map(\.json)))
        case ("DELETE", "/sim/faults"): vco.clearFaults()
        case ("POST", "/sim/edit"): try edit(request.body, now: now)
        case ("POST", "/sim/reset"): vco.reset()
        default:
            throw ControlProblem("no \(request.method) \(request.path) here; GET / explains what is", status: 404)
        }
        return Self.json(.record(["done": .bool(true)]))
    }

    private func setModes(_ bytes: [UInt8]) throws(ControlProblem) {
        guard let members = (try? JSON.parse(bytes))?.members else {
            throw ControlProblem("the body must be a JSON object")
        }
        var modes = vco.modes
        for member in members {
            if let problem = ModeTable().set(member.name, to: member.value, in: &modes) {
                throw ControlProblem(problem)
            }
        }
        vco.modes = modes
    }

    private func edit(_ bytes: [UInt8], now: Int64) throws(ControlProblem) {
        let body = try ControlBody(bytes, known: PortalEdit.members)
        let edit = try PortalEdit(control: body)
        let isQuiet = try body.flag("quiet")
        if let method = try body.text("before") { return vco.edit(edit, isQuiet: isQuiet, beforeNext: method) }
        do {
            try vco.edit(edit, isQuiet: isQuiet, now: now)
        } catch {
            throw ControlProblem(error.text, status: 404)
        }
    }

    private static func query(
        _ request: SimulatedRequest, known: [String]
    ) throws(ControlProblem) -> [String: String] {
        guard let start = request.target.firstIndex(of: "?") else { return [:] }
        let query = APICall.query(request.target[request.target.index(after: start)...])
        if let stranger = query.keys.sorted().first(where: { !known.contains($0) }) {
            throw ControlProblem("unknown parameter \(stranger); known are \(known.joined(separator: ", "))")
        }
        return query
    }

    /// JSON with a line end, as it is read in terminals.
    private static func json(_ json: JSON, status: Int = 200) -> SimulatedReply {
        .json(status, json.serialized() + [UInt8(ascii: "\n")])
    }
}

/// For the command line, which knows the same names.
extension OrchestratorSimulator {
    /// Sets a mode from text; what is wrong, in words, or nil.
    package func setMode(_ name: String, to text: String) -> String? {
        var modes = self.modes
        if let problem = ModeTable().set(name, toText: text, in: &modes) { return problem }
        self.modes = modes
        return nil
    }

    /// Lets a fault befall coming calls, from the JSON that `POST /sim/faults` takes; what is wrong, or nil.
    package func inject(control text: String, now: Int64) -> String? {
        do throws(ControlProblem) {
            inject(try FaultRule(control: Array(text.utf8), now: now))
            return nil
        } catch {
            return error.text
        }
    }
}
