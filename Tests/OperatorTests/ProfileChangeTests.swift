import BusinessPolicy
import Operator
import Simulation
import Testing

/// A resource that moves from one profile to another.
@Suite struct ProfileChangeTests {
    /// A changed profile leaves no rule on the old one.
    @Test func changedProfileLeavesNoOrphan() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.until("the new place is told") { world.status("web").rule?.profile == World.branch }
            try await world.becomesReady("web")
            #expect(world.names() == foreign)
            #expect(world.names(102).contains("default.web"))
        }
    }

    /// So it is for a rule that was given another name before: the status follows at once.
    @Test func renamedRuleMoves() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(name: "two"))
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: world.spec(name: "one"))
            try await world.until("the new name is told") { world.status("web").rule?.name == "one" }
            world.blind(101)
            world.apiServer.apply("web", spec: world.spec(profile: World.branch, name: "one"))
            try await world.until("the new profile has the rule") { world.names(102).contains("one") }
            try await world.settle()
            world.unblind()
            try await world.until("the new place is told") { world.status("web").rule?.profile == World.branch }
            try await world.becomesReady("web")
        }
    }

    /// The status names the old place until the rule there is gone, though the new one holds its rule already.
    @Test func statusNamesOldPlaceUntilItIsClear() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.blind(101)
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.until("the new profile has the rule") { world.names(102).contains("default.web") }
            try await world.requestReconcile("web", "once more")
            #expect(world.status("web").rule?.profile == World.profile)
            world.unblind()
            try await world.until("the new place is told") { world.status("web").rule?.profile == World.branch }
            #expect(!world.names().contains("default.web"))
        }
    }

    /// The same holds when the ledger was lost in between: the status leads to the old rule, whatever comes first.
    @Test func oldPlaceIsFoundWithoutLedger() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.apiServer.apply("web", spec: world.spec(profile: World.branch))
        world.blind(101)
        try await world.run {
            try await world.until("the new profile has the rule") { world.names(102).contains("default.web") }
            try await world.requestReconcile("web", "once more")
            try await world.requestReconcile("web", "and again")
            #expect(world.status("web").rule?.profile == World.profile)
            world.unblind()
            try await world.until("the old rule is gone") { world.names() == foreign }
            try await world.until("the new place is told") { world.status("web").rule?.profile == World.branch }
        }
    }

    /// A resource deleted while its old place cannot be read, and unknown to the ledger, waits for it.
    @Test func deletionWaitsForOldPlaceWithoutLedger() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        world.loseLedger()
        world.apiServer.apply("web", spec: world.spec(profile: World.branch))
        world.blind(101)
        try await world.run {
            try await world.until("the new profile has the rule") { world.names(102).contains("default.web") }
            world.apiServer.delete("web")
            try await world.until("the new profile is clear") { !world.names(102).contains("default.web") }
            try await world.settle()
            #expect(world.apiServer.object("web") != nil)
            world.unblind()
            try await world.goes("web")
            #expect(world.names() == foreign)
        }
    }

    /// There and back again leaves one rule, on the profile that is named last.
    @Test func thereAndBackAgain() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            for turn in 0..<3 {
                world.apiServer.apply("web", spec: world.spec(profile: World.branch))
                if turn > 0 {
                    try await world.until("it is on its way") { world.names(102).contains("default.web") }
                }
                world.apiServer.apply("web", spec: world.spec())
                try await world.becomesReady("web")
                try await world.until("all is settled") {
                    world.status("web").rule?.profile == World.profile && world.names().contains("default.web")
                        && !world.names(102).contains("default.web")
                }
            }
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
            #expect(!world.names(102).contains("default.web"))
        }
    }

    /// A resource that moves to a profile that is not there loses its rule on the old one.
    @Test func moveIntoNowhere() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: world.spec(profile: "Nowhere"))
            try await world.becomes("ProfileNotFound", "web")
            try await world.until("the old rule is gone") { world.names() == foreign }
            try await world.until("the status names no rule") { world.status("web").rule == nil }
        }
    }
}
