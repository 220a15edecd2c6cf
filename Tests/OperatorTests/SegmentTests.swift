import BusinessPolicy
import Operator
import Simulation
import Testing

/// Segments are found by name; the default one also by its id.
@Suite struct SegmentTests {
    private func voiceSpec(_ world: World, segment: String = World.voice) -> JSON {
        world.spec(["segment": .string(segment)])
    }

    /// A resource's rule goes into the segment it names, and not into another.
    @Test func ruleGoesIntoItsSegment() async throws {
        let world = try World()
        let global = world.names()
        try await world.run {
            world.apiServer.apply("web", spec: voiceSpec(world))
            try await world.becomesReady("web")
            #expect(world.names(segment: World.voice).contains("default.web"))
            #expect(world.names() == global)
            world.apiServer.apply("web", spec: world.spec(["segment": .string(World.segment)]))
            try await world.until("it moved") { world.names() == ["default.web"] + global }
            try await world.becomesReady("web")
            #expect(!world.names(segment: World.voice).contains("default.web"))
            #expect(world.status("web").rule?.segment == World.segment)
        }
    }

    /// A segment that is not there stalls the resource in words, and a resync after it was made makes it ready.
    @Test func unknownSegmentIsFoundOnceMade() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: voiceSpec(world, segment: "Guests"))
            world.apiServer.apply("other", spec: world.spec())
            try await world.becomes("SegmentNotFound", "web")
            try await world.becomesReady("other")
            #expect(world.isStalled("web"))
            #expect(world.message("web").contains("\"\(World.voice)\""), "the message names the segments there are")
            try world.edit(.createSegment(101, name: "Guests", id: 7))
            try await world.becomesReady("web")
            #expect(world.names(segment: "Guests") == ["default.web"])
        }
    }

    /// The default segment is segmentId 0, whatever its name on this VCO.
    @Test func globalSegmentUnderAnotherName() async throws {
        let world = try World()
        try world.edit(.renameSegment(101, segment: World.segment, to: "Corporate"))
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            #expect(world.names(segment: "Corporate").first == "default.web")
            #expect(world.status("web").rule?.segment == "Corporate")
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(!world.names(segment: "Corporate").contains("default.web"))
        }
    }

    /// The Global Segment may be renamed under our rules: nothing is written, and the status has the new name.
    @Test func globalSegmentRenamedLater() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            let before = world.names()
            world.clearCounts()
            try world.edit(.renameSegment(101, segment: World.segment, to: "Corporate"))
            try await world.until("the new name is told") { world.status("web").rule?.segment == "Corporate" }
            #expect(world.names(segment: "Corporate") == before)
            #expect(world.vcoWrites == 0)
        }
    }

    /// A renamed segment loses our rules, found by its id, and its resources show SegmentNotFound.
    @Test func renamedSegment() async throws {
        let world = try World()
        let foreign = world.names(segment: World.voice)
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: voiceSpec(world))
            try await world.becomesReady("web")
            try world.edit(.renameSegment(101, segment: World.voice, to: "Telephony"))
            try await world.becomes("SegmentNotFound", "web")
            #expect(world.message("web").contains("\"Telephony\""))
            #expect(world.names(segment: "Telephony") == foreign)
            #expect(world.status("web").rule == nil)
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// A deleted segment takes its rules along; its resources say so and may go.
    @Test func deletedSegment() async throws {
        let world = try World()
        try await world.run(World.impatient) {
            world.apiServer.apply("web", spec: voiceSpec(world))
            try await world.becomesReady("web")
            try world.edit(.deleteSegment(101, segment: World.voice))
            try await world.becomes("SegmentNotFound", "web")
            try await world.until("the status names no rule") { world.status("web").rule == nil }
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// A wrong segment in an edit is a typing error and no reason to take the rule away where it was.
    @Test func mistypedSegmentKeepsTheRule() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: voiceSpec(world))
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: voiceSpec(world, segment: "Voise Segment"))
            try await world.becomes("SegmentNotFound", "web")
            #expect(world.names(segment: World.voice).contains("default.web"))
            #expect(world.status("web").rule?.segment == World.voice)
        }
    }
}
