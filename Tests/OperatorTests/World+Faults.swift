import BusinessPolicy
import ControlLoop
import HTTPTransport
import Operator
import Simulation
import Testing

/// What tests of cost and faults do and look at, beyond what a user does.
extension World {
    static let list = "enterprise/getEnterpriseConfigurations"
    static let modules = "configuration/getConfigurationModules"
    static let update = "configuration/updateConfigurationModule"
    static let otherProfile = "Branch Profile"

    /// Waits until all of these are ready; each is looked at until it is, and not again.
    func untilReady(
        _ names: [String], within limit: Duration = .seconds(60), location: SourceLocation = #_sourceLocation
    ) async throws {
        var open = names[...]
        try await until("all are ready", within: limit, location: location) {
            while let name = open.first, isReady(name) { open = open.dropFirst() }
            return open.isEmpty
        }
    }

    /// Makes resources and waits until they are ready and quiet; the counts begin after that.
    func establish(_ resources: [(name: String, spec: JSON)]) async throws {
        for resource in resources { apiServer.apply(resource.name, spec: resource.spec) }
        try await untilReady(resources.map(\.name))
        try await settle()
        clearCounts()
    }

    func establish(_ name: String = "web", _ others: [String: JSON] = [:]) async throws {
        try await establish([(name, spec(name: name, others))])
    }

    /// All calls to the VCO since the counts were cleared.
    var callsTotal: Int { calls.values.reduce(0, +) }

    /// Lets the time of the next resync come; runs have one each hour unless they say otherwise.
    func passResync() async throws {
        try await clock.waitForSleeper(atLeast: .seconds(1000))
        clock.advance(by: .seconds(4000))
    }

    func condition(_ type: Status.ConditionType, of name: String) -> Status.Condition? {
        status(name).condition(type)
    }

    /// What Events of that reason say.
    func messages(_ reason: String) -> [String] {
        events(reason).compactMap { $0["message"]?.string }
    }

    /// Reconciles that have ended.
    var reconciles: Int { metrics.snapshot.reconciles.values.reduce(0, +) }

    /// What befalls every request to the VCO until it is taken back.
    func breakOrchestrator(_ fault: SimulatedTransport.Fault?) {
        guard let fault else { return onRequest(nil) }
        onRequest { $0.isToOrchestrator ? fault : nil }
    }
}

extension HTTPRequest {
    var isToOrchestrator: Bool { url.hasPrefix("https://vco.") }
    var isUpdate: Bool { url.hasSuffix(World.update) }
    var isStatusPatch: Bool { method == .patch && url.contains("/status") }
    var text: String { String(decoding: body ?? [], as: UTF8.self) }

    /// A read of a profile's module, or of its version alone.
    func readsModule(of profile: Int) -> Bool {
        url.hasSuffix(World.modules) && text.contains("\"configurationId\":\(profile)")
    }

    /// A read of the document.
    var isWholeRead: Bool { url.hasSuffix(World.modules) && !text.contains("noData") }
}

extension SimulatedReply {
    static func text(_ status: Int, _ body: String) -> SimulatedReply {
        SimulatedReply(
            status: status, headers: [HTTPHeader("Content-Type", "application/json")], body: Array(body.utf8))
    }
}
