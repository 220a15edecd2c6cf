import BusinessPolicy
import Operator
import Simulation
import Testing

/// Who has a name that several resources want.
@Suite struct ClaimsTests {
    /// The second resource of a name waits with NameConflict, naming the holder, and has it once it is freed.
    @Test func secondOneWaitsAndTakesOver() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("first", spec: world.spec(name: "shared"))
            try await world.becomesReady("first")
            world.apiServer.apply("second", spec: world.spec(name: "shared", port: 9090))
            try await world.becomes("NameConflict", "second")
            #expect(world.isStalled("second"))
            #expect(world.message("second").contains("default/first"))
            #expect(world.apiServer.object("second")?["metadata"]?["finalizers"] == nil)
            #expect(world.rule("shared")?["match"]?["dport_low"] == 8080)
            world.clearCounts()
            world.apiServer.delete("first")
            try await world.goes("first")
            try await world.becomesReady("second")
            #expect(world.rule("shared")?["match"]?["dport_low"] == 9090)
            #expect(world.vcoWrites == 1, "the rule is handed over in one write")
            #expect(world.names().filter { $0 == "shared" }.count == 1)
        }
    }

    /// The name is free as well when its holder takes another.
    @Test func holderTakesAnotherName() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("first", spec: world.spec(name: "shared"))
            try await world.becomesReady("first")
            world.apiServer.apply("second", spec: world.spec(name: "shared", port: 9090))
            try await world.becomes("NameConflict", "second")
            world.apiServer.apply("first", spec: world.spec(name: "own"))
            try await world.until("the first has its new name") { world.status("first").rule?.name == "own" }
            try await world.becomesReady("first", "second")
            #expect(world.rule("shared")?["match"]?["dport_low"] == 9090)
            #expect(world.rule("own")?["match"]?["dport_low"] == 8080)
        }
    }

    /// The recorded owner keeps a name though an older resource comes to want it, also after a restart.
    @Test func recordedOwnerKeepsTheName() async throws {
        let world = try World()
        world.apiServer.apply("older", spec: world.spec(name: "other"))
        try await world.run {
            try await world.becomesReady("older")
            world.apiServer.apply("younger", spec: world.spec(name: "shared"))
            try await world.becomesReady("younger")
            world.apiServer.apply("older", spec: world.spec(name: "shared"))
            try await world.becomes("NameConflict", "older")
            try await world.until("its old rule is gone") { !world.names().contains("other") }
        }
        world.clearCounts()
        try await world.run {
            try await world.requestReconcile("older", "again")
            #expect(world.reason("older") == "NameConflict")
            #expect(world.isReady("younger"))
            #expect(world.vcoWrites == 0)
        }
    }

    /// Of two that come at once, exactly one has the rule, and the other's deletion touches nothing.
    @Test func twoAtOnce() async throws {
        let world = try World()
        world.apiServer.apply("one", spec: world.spec(name: "shared"))
        world.apiServer.apply("two", spec: world.spec(name: "shared"))
        try await world.run {
            try await world.until("one is ready, the other waits") {
                let states = ["one", "two"].map { world.isReady($0) ? "Ready" : world.reason($0) }
                return Set(states) == ["Ready", "NameConflict"]
            }
            let loser = world.isReady("one") ? "two" : "one"
            world.clearCounts()
            world.apiServer.delete(loser)
            try await world.goes(loser)
            try await world.settle()
            #expect(world.names().filter { $0 == "shared" }.count == 1)
            #expect(world.vcoWrites == 0)
        }
    }

    /// One name in two segments or on two profiles is no conflict.
    @Test func namesArePerPlace() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("global", spec: world.spec(name: "shared"))
            world.apiServer.apply("voice", spec: world.spec(name: "shared", ["segment": .string(World.voice)]))
            world.apiServer.apply("branch", spec: world.spec(profile: World.branch, name: "shared"))
            try await world.becomesReady("global", "voice", "branch")
        }
    }

    /// A paused holder keeps its name, and whoever wants it waits.
    @Test func pausedHolderKeepsTheName() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("first", spec: world.spec(name: "shared"))
            try await world.becomesReady("first")
            world.pause("first")
            try await world.becomes("Paused", "first")
            world.apiServer.apply("second", spec: world.spec(name: "shared", port: 9090))
            try await world.becomes("NameConflict", "second")
            #expect(world.rule("shared")?["match"]?["dport_low"] == 8080)
        }
    }
}
