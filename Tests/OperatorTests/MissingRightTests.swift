import BusinessPolicy
import ControlLoop
import HTTPTransport
import Logging
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
            world.apiServer.annotate("web", VelocloudBP.Annotation.reconcileRequestedAt, "look")
            try await world.settle()
            #expect(world.status("web").lastHandledReconcileAt == nil, "nothing was tried")
            world.apiServer.modes.forbidden = []
            world.clock.advance(by: .seconds(61))
            try await world.becomesReady("web")
            try await world.until("the request is answered") { world.status("web").lastHandledReconcileAt == "look" }
        }
    }

    /// A resource whose rule stands keeps that word while its finalizer cannot be put back.
    @Test func finalizerIsForbiddenLater() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            let condition = world.status("web").condition(.ready)
            world.apiServer.modes.forbidden = ["patch velocloudbps"]
            world.clearCounts()
            world.apiServer.merge(.object([.init("metadata", .object([.init("finalizers", .array([]))]))]), "web")
            try await world.until("it was tried") { world.apiServer.counts["patch velocloudbps"] ?? 0 >= 1 }
            try await world.settle()
            #expect(world.status("web").condition(.ready) == condition)
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
        try await world.run(World.adopting) {
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

    /// A namespace that is being deleted takes no Events, which is nobody's missing right.
    @Test func endingNamespaceIsNoMissingRight() async throws {
        let world = try World()
        let lines = Locked<[String]>([])
        let log = Logger(label: "test") { _ in
            LineLogHandler(format: .text, level: LogLevel(.debug), now: world.clock.time.wallMilliseconds) { line in
                lines.withLock { $0.append(line) }
                world.look()
            }
        }
        try await world.run(log: log) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.modes.terminatingNamespaces = ["default"]
            world.apiServer.delete("web")
            try await world.goes("web")
            try await world.until("the Event is refused") {
                lines.withLock { $0.contains { $0.contains("because it is being terminated") } }
            }
            #expect(!lines.withLock { $0.contains { $0.contains("may not write Events") } })
            world.apiServer.modes.terminatingNamespaces = []
            world.apiServer.modes.forbidden = ["create events"]
            world.apiServer.apply("app", spec: world.spec())
            try await world.becomesReady("app")
            try await world.until("that is told") {
                lines.withLock { $0.contains { $0.contains("may not write Events") } }
            }
        }
    }
}
