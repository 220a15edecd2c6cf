import BusinessPolicy
import ControlLoop
import Testing

@testable import Operator

/// Which profiles are looked at first: those where somebody waits.
@Suite struct ResourceCacheTests {
    private static let start = Instant(nanoseconds: 0)
    private static let later = start + .seconds(1)

    private func resource(
        _ name: String, profile: String, version: Int = 5, generation: Int = 1, observed: Int? = 1,
        deletedAt: String? = nil
    ) throws -> VelocloudBP {
        let deletion = deletedAt.map { #","deletionTimestamp":"\#($0)""# } ?? ""
        let status = observed.map { #","status":{"observedGeneration":\#($0)}"# } ?? ""
        let text = #"""
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"\#(name)","namespace":"n",
            "uid":"uid-\#(name)","resourceVersion":"\#(version)","generation":\#(generation),
            "creationTimestamp":"2026-01-01T00:00:00Z"\#(deletion)},
            "spec":{"profile":"\#(profile)","fqdn":"a.example","dport":80}\#(status)}
            """#
        return try VelocloudBP(json: JSON.parse(Array(text.utf8)))
    }

    /// A cache whose first list held these.
    private func cache(listing resources: [VelocloudBP]) -> ResourceCache {
        let cache = ResourceCache(random: SeededRandom(seed: 1), notOlderThan: nil)
        _ = cache.next(now: Self.start)
        cache.receive(.failed(.invalid("not known here")), now: Self.start)
        let isFirst = cache.receive(
            .page(items: resources, resourceVersion: "10", continueToken: nil), now: Self.start)
        #expect(isFirst)
        return cache
    }

    private func takeAll(_ cache: ResourceCache) -> [String] {
        var keys: [String] = []
        while case .key(let key) = cache.take(now: Self.later) { keys.append(key) }
        return keys
    }

    // Of what is there at the start, wishes that no status has answered go before what is as we left it.
    @Test func unansweredWishesGoFirstAtTheStart() throws {
        let cache = cache(listing: [
            try resource("a", profile: "settled"), try resource("b", profile: "new", observed: nil),
            try resource("c", profile: "edited", generation: 2),
            try resource("d", profile: "leaving", deletedAt: "2026-01-02T00:00:00Z"),
        ])
        #expect(takeAll(cache) == ["new", "edited", "leaving", "settled"])
    }

    // A user's change goes before the profiles that a resync looks at, though they were there before it.
    @Test func changeGoesBeforeAResync() throws {
        let cache = cache(listing: [try resource("a", profile: "A"), try resource("b", profile: "B")])
        for key in takeAll(cache) { cache.finish(key, .done, now: Self.start) }
        cache.enqueue(["A", "B"], priority: .background, now: Self.start)
        let edited = try resource("b", profile: "B", version: 11, generation: 2)
        cache.receive(.event(.modified(edited)), now: Self.start)
        #expect(takeAll(cache) == ["B", "A"])
    }

    // What a relist shows as changed, come or gone happened while nobody watched, and is a user's all the same.
    @Test func changesFoundByARelistAreUsers() throws {
        let cache = cache(listing: [try resource("a", profile: "A"), try resource("gone", profile: "G")])
        for key in takeAll(cache) { cache.finish(key, .done, now: Self.start) }
        cache.enqueue(["A"], priority: .background, now: Self.start)
        cache.receive(.failed(.gone), now: Self.start)
        _ = cache.next(now: Self.start)
        let items = [try resource("a", profile: "A"), try resource("new", profile: "N", version: 12)]
        cache.receive(.page(items: items, resourceVersion: "12", continueToken: nil), now: Self.start)
        #expect(takeAll(cache) == ["G", "N", "A"])
    }
}
