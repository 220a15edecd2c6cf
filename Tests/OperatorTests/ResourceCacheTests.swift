import BusinessPolicy
import ControlLoop
import Testing

@testable import Operator

/// Which profiles are looked at first: those where somebody waits.
@Suite struct ResourceCacheTests {
    private typealias Given = CacheFixtures
    private static let start = CacheFixtures.start

    // Of what is there at the start, wishes that no status has answered go before what is as we left it.
    @Test func unansweredWishesGoFirstAtTheStart() throws {
        let cache = Given.cache(listing: [
            try Given.resource("a", profile: "settled"), try Given.resource("b", profile: "new", observed: nil),
            try Given.resource("c", profile: "edited", generation: 2),
            try Given.resource("d", profile: "leaving", deletedAt: "2026-01-02T00:00:00Z"),
        ])
        #expect(cache.takeProfiles() == ["new", "edited", "leaving", "settled"])
    }

    // A user's change goes before the profiles that a resync looks at, though they were there before it.
    @Test func changeGoesBeforeAResync() throws {
        let cache = Given.cache(listing: [
            try Given.resource("a", profile: "A"), try Given.resource("b", profile: "B"),
        ])
        _ = cache.takeProfiles()
        cache.enqueue(["A", "B"], priority: .background, now: Self.start)
        let edited = try Given.resource("b", profile: "B", version: 11, generation: 2)
        cache.receive(Given.Resources.event(.modified(edited)), now: Self.start)
        #expect(cache.takeProfiles() == ["B", "A"])
    }

    // What a relist shows as changed, come or gone happened while nobody watched, and is a user's all the same.
    @Test func changesFoundByARelistAreUsers() throws {
        let cache = Given.cache(listing: [
            try Given.resource("a", profile: "A"), try Given.resource("gone", profile: "G"),
        ])
        _ = cache.takeProfiles()
        cache.enqueue(["A"], priority: .background, now: Self.start)
        cache.list([try Given.resource("a", profile: "A"), try Given.resource("new", profile: "N", version: 12)])
        #expect(cache.takeProfiles() == ["G", "N", "A"])
    }

    // Resources are found by the profile they name, by the one where their rule is, and by their namespace.
    @Test func resourcesAreFoundByProfileAndByNamespace() throws {
        let cache = Given.cache(listing: [
            try Given.resource("moved", in: "shop", profile: "A", ruleOn: "B"),
            try Given.resource("b", in: "shop", profile: "B"), try Given.resource("c", in: "lab", profile: "A"),
        ])
        func names(_ resources: [VelocloudBP]) -> [String] { resources.map(\.owner.name) }
        #expect(
            names(cache.resources(of: "A")) == ["c", "moved"] && names(cache.resources(of: "B")) == ["b", "moved"])
        #expect(names(cache.resources(in: "shop")) == ["b", "moved"] && names(cache.resources(in: "lab")) == ["c"])
        #expect(cache.keys == ["A", "B"], "no namespace is a profile")
        #expect(cache.resources(of: "shop").isEmpty && cache.resources(in: "A").isEmpty)
    }
}
