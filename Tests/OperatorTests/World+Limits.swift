import BusinessPolicy
import Simulation
import Testing

/// What the WAN team does to the limits of a namespace, and sees of them.
extension World {
    func limit(_ spec: JSON, _ name: String = "preprod", namespace: String = "default") {
        apiServer.apply(name, namespace: namespace, kind: .velocloudLimit, spec: spec)
    }

    func removeLimit(_ name: String = "preprod", namespace: String = "default") {
        apiServer.delete(name, namespace: namespace, kind: .velocloudLimit)
    }

    func limitStatus(_ name: String = "preprod", namespace: String = "default") throws -> LimitStatus {
        let limit = try #require(apiServer.object(name, namespace: namespace, kind: .velocloudLimit))
        return try VelocloudLimit(json: limit).status
    }

    /// Events under a limit.
    func limitEvents(_ reason: String) -> [JSON] {
        events(reason).filter { $0["involvedObject"]?["kind"] == "VelocloudLimit" }
    }

    func becomesOutOfLimits(_ names: String..., location: SourceLocation = #_sourceLocation) async throws {
        for name in names { try await becomes("OutOfLimits", name, location: location) }
    }
}
