import BusinessPolicy
import Operator
import Simulation
import Testing

/// Profiles that are missing, renamed, deleted, or left for another one.
@Suite struct ProfileTests {
    /// A profile that nobody made stalls its resources in words, and a resync after it was made makes them ready.
    @Test func unknownProfileIsFoundOnceMade() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(profile: "Not Yet"))
            try await world.becomes("ProfileNotFound", "web")
            #expect(world.isStalled("web"))
            #expect(world.message("web").contains("\"Not Yet\""))
            #expect(world.message("web").contains(World.profile), "the message names the profiles there are")
            try world.edit(.createProfile(name: "Not Yet"))
            try await world.becomesReady("web")
            #expect(world.status("web").condition(.stalled) == nil)
            #expect(world.names("Not Yet") == ["default.web"])
        }
    }

    /// A name that is right but for upper and lower case is answered with the right spelling.
    @Test func caseIsHinted() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(profile: "quick start profile"))
            try await world.becomes("ProfileNotFound", "web")
            #expect(world.message("web").contains("did you mean \"\(World.profile)\""))
            #expect(world.vcoWrites == 0)
        }
    }

    /// An unknown profile holds up nobody else.
    @Test func unknownProfileHoldsUpNobody() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("lost", spec: world.spec(profile: "No Such Profile"))
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            try await world.becomes("ProfileNotFound", "lost")
            world.apiServer.delete("lost")
            try await world.goes("lost")
        }
    }

    /// A renamed profile loses our rules, its resources show ProfileNotFound, and the old name back brings them back.
    @Test func renamedProfile() async throws {
        let world = try World()
        let foreign = world.names()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            try world.edit(.renameProfile(101, to: "New Name"))
            try await world.becomes("ProfileNotFound", "web")
            try await world.until("our rule is out") { world.names() == foreign }
            try await world.until("the status names no rule") { world.status("web").rule == nil }
            try world.edit(.renameProfile(101, to: World.profile))
            try await world.becomesReady("web")
            #expect(world.names() == ["default.web"] + foreign)
        }
    }

    /// A resource that follows a renamed profile before anybody looked keeps its rule, and its status the new name.
    @Test func resourceFollowsRename() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
        }
        try world.edit(.renameProfile(101, to: "New Name"))
        world.apiServer.apply("web", spec: world.spec(profile: "New Name"))
        world.clearCounts()
        try await world.run {
            try await world.becomesReady("web")
            try await world.until("the status has the new name") { world.status("web").rule?.profile == "New Name" }
            #expect(world.vcoWrites == 0)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names().contains("default.web"))
        }
    }

    /// Who has a profile made and asks for a reconcile need not wait for the next resync.
    @Test func requestFindsNewProfile() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(profile: "Not Yet"))
            try await world.becomes("ProfileNotFound", "web")
            try world.edit(.createProfile(name: "Not Yet"))
            world.apiServer.annotate("web", VelocloudBP.Annotation.reconcileRequestedAt, "now")
            try await world.becomesReady("web")
        }
    }

    /// A profile that one resync does not see is not gone: its rules stay ours.
    @Test func profileMissingOnce() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.becomesReady("web")
            world.clearCounts()
            world.hideProfile(102)
            try await world.becomes("ProfileNotFound", "web")
            world.unblind()
            try await world.becomesReady("web")
            #expect(world.vcoWrites == 0)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names(102).contains("default.web"))
        }
    }

    /// A profile counts as deleted after two resyncs; then its rules are forgotten and its resources may go.
    @Test func deletedProfile() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.becomesReady("web")
            try world.edit(.deleteProfile(102))
            try await world.becomes("ProfileNotFound", "web")
            try await world.until("the status names no rule") { world.status("web").rule == nil }
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// A resource deleted together with its profile goes after two resyncs.
    @Test func resourceDeletedWithItsProfile() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.becomesReady("web")
            try world.edit(.deleteProfile(102))
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// A profile deleted and made anew under its name gets the rules again, and resources can be deleted afterwards.
    @Test func profileMadeAnew() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec(profile: World.branch))
            try await world.becomesReady("web")
            try world.edit(.deleteProfile(102))
            try world.edit(.createProfile(name: World.branch))
            try await world.until("the new profile has the rule") { world.names("Branch Profile") == ["default.web"] }
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.names("Branch Profile") == [])
        }
    }

    /// Two profiles of one name are told apart for nobody; whoever has a rule on one keeps it.
    @Test func twoProfilesOfOneName() async throws {
        let world = try World()
        try world.edit(.createProfile(name: World.branch))
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.apply("new", spec: world.spec(profile: World.branch))
            try await world.becomes("ProfileNotFound", "new")
            #expect(world.message("new").contains("2 profiles are named \"\(World.branch)\""))
            try world.edit(.createProfile(name: World.profile))
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.becomesReady("web")
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 9090)
        }
    }

    /// A NETWORK_BASED profile cannot be edited, which its resources say; it is never written to.
    @Test func networkBasedProfile() async throws {
        let world = try World(includingNetworkBased: true)
        let before = world.orchestrator.profile(103)?.data
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(profile: "Old Network Profile"))
            try await world.becomes("SegmentNotFound", "web")
            #expect(world.message("web").contains("NETWORK_BASED"))
            #expect(world.isStalled("web"))
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.orchestrator.profile(103)?.data == before)
            #expect(world.vcoWrites == 0)
        }
    }
}
