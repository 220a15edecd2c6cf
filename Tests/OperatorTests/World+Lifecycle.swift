import BusinessPolicy
import Glibc
import HTTPTransport
import Operator
import Simulation
import Testing

/// What the tests of a resource's life do and look at.
extension World {
    static let branch = "Branch Profile"
    static let voice = "Voice Segment"

    /// A controller that looks again every second.
    /// Resources may take over rules that velokube does not know to be its own.
    static var adopting: Settings {
        var settings = Settings()
        settings.policy.allowed = [.adopt]
        return settings
    }

    static var impatient: Settings {
        var settings = Settings()
        settings.resync = .seconds(1)
        return settings
    }

    func becomesReady(_ names: String..., location: SourceLocation = #_sourceLocation) async throws {
        for name in names {
            try await until("\(name) is ready", location: location) { isReady(name) }
        }
    }

    /// Waits until a resource is not ready, for this reason.
    func becomes(_ reason: String, _ name: String, location: SourceLocation = #_sourceLocation) async throws {
        try await until("\(name) says \(reason)", location: location) { self.reason(name) == reason }
    }

    func goes(_ name: String, location: SourceLocation = #_sourceLocation) async throws {
        try await until("\(name) is gone", location: location) { apiServer.object(name) == nil }
    }

    func message(_ name: String, _ type: Status.ConditionType = .ready) -> String {
        status(name).condition(type)?.message ?? ""
    }

    func isStalled(_ name: String) -> Bool {
        status(name).condition(.stalled)?.isTrue ?? false
    }

    /// The rule as velokube makes it of a spec of this name, port and host.
    func honouringRule(_ name: String, fqdn: String = "app.vcn.cloud", port: Int = 8080) throws -> JSON {
        let document = try PolicyDocument(parsing: try #require(orchestrator.profile(101)).data)
        let template = try #require(document.segments.first { $0.id == 0 }?.template)
        return RuleSettings(hostname: fqdn, portLow: port, portHigh: port)
            .composed(name: name, template: template, ruleLogicalID: "made-by-hand-\(name)")
    }

    /// A rule made by hand in the portal's Global Segment.
    func addByHand(_ rule: JSON, at index: Int? = 0) throws {
        try edit(.addRule(101, segment: World.segment, index: index, rule: rule))
    }

    /// Takes the ledger away, as a lost volume does.
    func loseLedger() {
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(statePath + suffix) }
    }

    /// From here on the module of this profile is answered with nonsense, of others as ever.
    func blind(_ profileID: Int) {
        let wanted = "\(profileID)"
        transport.onRequest { request in
            guard request.url.hasSuffix("getConfigurationModules"),
                String(decoding: request.body ?? [], as: UTF8.self).contains(wanted)
            else { return nil }
            return .reply(
                SimulatedReply(
                    status: 200, headers: [HTTPHeader("Content-Type", "application/json")], body: Array("17".utf8)))
        }
    }

    /// From here on neither the list of profiles nor its own read shows this one.
    func hideProfile(_ id: Int) {
        let shown = orchestrator.profiles.filter { $0.id != id }.map { profile in
            JSON.object([.init("id", .int(profile.id)), .init("name", .string(profile.name))])
        }
        transport.onRequest { request in
            let isList = request.url.hasSuffix("getEnterpriseConfigurations")
            let isOwn =
                request.url.hasSuffix("configuration/getConfiguration")
                && String(decoding: request.body ?? [], as: UTF8.self).contains("\(id)")
            guard isList || isOwn else { return nil }
            return .reply(
                SimulatedReply(
                    status: 200, headers: [HTTPHeader("Content-Type", "application/json")],
                    body: (isList ? JSON.array(shown) : .null).serialized()))
        }
    }

    func unblind() { transport.onRequest(nil) }

    func events(_ reason: String) -> [JSON] {
        apiServer.events().filter { $0["reason"]?.string == reason }
    }

    var statusWrites: Int { apiServer.counts["patch velocloudbps/status"] ?? 0 }

    /// Asks for a reconcile and waits until the answer is in the status.
    func requestReconcile(_ name: String, _ token: String, location: SourceLocation = #_sourceLocation) async throws {
        apiServer.annotate(name, VelocloudBP.Annotation.reconcileRequestedAt, token)
        try await until("\(name) answers \(token)", location: location) {
            status(name).lastHandledReconcileAt == token
        }
    }

    func pause(_ name: String) { apiServer.annotate(name, VelocloudBP.Annotation.paused, "true") }
    func unpause(_ name: String) { apiServer.annotate(name, VelocloudBP.Annotation.paused, nil) }
}
