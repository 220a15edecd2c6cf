import BusinessPolicy
import Operator
import Simulation
import Testing

/// A right that the service account lost: who waits is told where it can be, and all goes on once it is given back.
@Suite struct MissingRightTests {
    /// Without the right to put finalizers on there is no rule, and the resource says why.
    @Test func finalizerIsForbidden() async throws {
        let world = try World()
        world.apiServer.modes.forbidden = ["patch velocloudbps"]
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomes("Pending", "web")
            for words in ["cannot put its finalizer", "403 Forbidden", "patch"] {
                #expect(world.message("web").contains(words), "\(world.message("web"))")
            }
            #expect(world.vcoWrites == 0)
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(61))
            try await world.becomesReady("web")
        }
    }

    /// Without the right to write statuses the rule is made, nothing is told that was not written, and the status comes
    /// with the right.
    @Test func statusIsForbidden() async throws {
        let world = try World()
        world.apiServer.modes.forbidden = ["patch velocloudbps/status"]
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(port: 70_000))
            world.apiServer.apply("app", spec: world.spec())
            try await world.until("the rule is there") { world.names().contains("default.app") }
            try await world.settle()
            #expect(world.status("app").conditions.isEmpty)
            #expect(world.apiServer.events().allSatisfy { $0["reason"] == "RuleAdded" })
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(61))
            try await world.becomesReady("app")
            try await world.becomes("InvalidSpec", "web")
            #expect(world.vcoWrites == 1)
        }
    }

    /// Without the right to get a resource, nobody knows whether the watch is behind and the rule its own: it takes
    /// over none until it can be told, and says so. Others get theirs.
    @Test func lookIsForbidden() async throws {
        let world = try World()
        try world.addByHand(try world.honouringRule("mine"))
        world.apiServer.modes.forbidden = ["get velocloudbps"]
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "mine"))
            world.apiServer.apply("app", spec: world.spec())
            try await world.becomesReady("app")
            try await world.becomes("Pending", "web")
            #expect(world.message("web").contains("cannot tell yet whose it is"), "\(world.message("web"))")
            #expect(world.message("web").contains("403 Forbidden"), "\(world.message("web"))")
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(61))
            try await world.becomesReady("web")
        }
    }
}
