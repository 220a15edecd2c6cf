import BusinessPolicy
import ControlLoop
import Testing

@testable import Operator

/// When the cache is the cluster's state, and what is said while it is not.
@Suite struct ResourceCacheSyncTests {
    private typealias Given = CacheFixtures
    private static let start = CacheFixtures.start

    /// Lets the first request of a kind, which is for a list over a watch, and the list after it fail.
    @discardableResult
    private func fail<Object: WatchedResource>(
        _ cache: ResourceCache, _: Object.Type, _ failure: InformerFailure, now: Instant = start
    ) -> Bool {
        _ = cache.next(Object.self, now: now)
        let isFirst = cache.informer(\Informer<Object>.isStreaming)
        let isSynced = isFirst && cache.receive(Informer<Object>.Reply.failed(failure), now: now)
        return cache.receive(Informer<Object>.Reply.failed(failure), now: now) || isSynced
    }

    /// What is said at the start.
    private static let firstLists =
        "the first list of velocloudbps.vcn.cloud is not complete yet; "
        + "the first list of velocloudlimits.vcn.cloud is not complete yet"

    // Both lists make the cluster's state, in either order; whoever waits is told once, by the second.
    @Test(arguments: [true, false]) func bothListsAreNeeded(limitsComeFirst: Bool) throws {
        let cache = Given.fresh()
        #expect(cache.unsyncedBecause == Self.firstLists)
        let resources = [try Given.resource("a", profile: "A")]
        let limits = [try Given.limit()]
        #expect(!(limitsComeFirst ? cache.list(limits) : cache.list(resources)))
        #expect(!cache.isSynced && cache.unsyncedBecause != nil)
        #expect(limitsComeFirst ? cache.list(resources) : cache.list(limits))
        #expect(cache.isSynced && cache.unsyncedBecause == nil)
        #expect(cache.takeProfiles() == ["A"] && cache.takeReports() == ["n"])
        #expect(!cache.list(limits, version: "20") && !cache.list(resources, version: "20"), "told already")
    }

    // What was answered before we came can wait though its namespace has limits; a wish that was not goes first.
    @Test func firstListsLeaveWishesFirst() throws {
        let cache = Given.cache(
            listing: [
                try Given.resource("a", profile: "A"), try Given.resource("b", profile: "B", observed: nil),
            ], [try Given.limit()])
        #expect(cache.takeProfiles() == ["B", "A"])
    }

    // Where VelocloudLimit is not installed there are no limits, and nobody waits for them; once it is, they count as
    // what somebody has just made.
    @Test func missingLimitsAreNone() throws {
        let cache = Given.fresh()
        cache.list([try Given.resource("a", profile: "A"), try Given.resource("far", in: "far", profile: "F")])
        #expect(fail(cache, VelocloudLimit.self, .notFound), "told of the cluster's state by the 404")
        #expect(cache.isSynced && cache.unsyncedBecause == nil && cache.limits(in: "n").isEmpty)
        _ = cache.takeProfiles()
        let again = Self.start + .seconds(60)
        #expect(cache.next(VelocloudLimit.self, now: again) != .wait(until: again), "it is asked for again")
        cache.receive(Given.Limits.failed(.unreachable), now: again)
        #expect(cache.isSynced, "an outage does not bring limits about")
        _ = cache.next(VelocloudLimit.self, now: again + .seconds(60))
        cache.enqueue(["F"], priority: .background, now: Self.start)
        #expect(
            !cache.receive(
                Given.Limits.page(items: [try Given.limit()], resourceVersion: "12", continueToken: nil),
                now: Self.start))
        #expect(cache.takeProfiles() == ["A", "F"] && cache.limits(in: "n").count == 1)
    }

    // The resources are what everything is about: without them nothing is known.
    @Test func missingResourcesAreNotNone() throws {
        let cache = Given.fresh()
        cache.list([VelocloudLimit]())
        #expect(!fail(cache, VelocloudBP.self, .notFound) && !cache.isSynced)
        #expect(
            cache.unsyncedBecause == "the CustomResourceDefinition velocloudbps.vcn.cloud is not installed")
    }

    // A list of limits that is refused could have held any: then nothing is decided, and the words name the right.
    @Test func refusedLimitsAreNotNone() throws {
        let cache = Given.fresh()
        cache.list([try Given.resource("a", profile: "A")])
        #expect(!fail(cache, VelocloudLimit.self, .forbidden) && !cache.isSynced)
        #expect(cache.unsyncedBecause == "the service account may not list and watch velocloudlimits.vcn.cloud")
        fail(cache, VelocloudBP.self, .forbidden)
        #expect(
            cache.unsyncedBecause == "the service account may not list and watch velocloudbps.vcn.cloud; "
                + "the service account may not list and watch velocloudlimits.vcn.cloud")
    }

    // An outage, too, leaves it open whether there are limits.
    @Test func unreachableLimitsAreNotNone() throws {
        let cache = Given.fresh()
        cache.list([try Given.resource("a", profile: "A")])
        #expect(!fail(cache, VelocloudLimit.self, .unreachable) && !cache.isSynced)
        #expect(cache.unsyncedBecause == "the first list of velocloudlimits.vcn.cloud is not complete yet")
    }

    // Limits that were known stay in force, whatever befalls their watch and lists later.
    @Test(arguments: [InformerFailure.notFound, .forbidden, .unreachable, .serverError, .gone])
    func knownLimitsStay(_ failure: InformerFailure) throws {
        let cache = Given.cache(listing: [try Given.resource("a", profile: "A")], [try Given.limit()])
        _ = (cache.takeProfiles(), cache.takeReports())
        var now = Self.start
        for _ in 1...4 {
            _ = cache.next(VelocloudLimit.self, now: now)
            cache.receive(Given.Limits.failed(failure), now: now)
            now = now + .seconds(60)
        }
        #expect(cache.isSynced && cache.limits(in: "n").count == 1)
        #expect((cache.unsyncedBecause != nil) == (failure == .forbidden), "only that is for somebody to mend")
        #expect(cache.takeProfiles() == [] && cache.takeReports() == [])
    }

    // The watch that has been silent for longer is the stale one; that of limits counts once there was a list.
    @Test func lastContactIsTheOlder() throws {
        func at(_ seconds: Int) -> Instant { Self.start + .seconds(seconds) }
        let cache = Given.fresh()
        #expect(cache.lastContact == nil)
        cache.list([try Given.resource("a", profile: "A")])
        cache.receive(Given.Resources.opened, now: at(5))
        fail(cache, VelocloudLimit.self, .notFound)
        #expect(cache.lastContact == at(5), "what is not installed is not stale")
        _ = cache.next(VelocloudLimit.self, now: at(6))
        cache.receive(Given.Limits.page(items: [], resourceVersion: "12", continueToken: nil), now: at(6))
        #expect(cache.lastContact == at(5))
        cache.receive(Given.Resources.event(.bookmark(resourceVersion: "13")), now: at(9))
        #expect(cache.lastContact == at(6))
        cache.receive(Given.Limits.failed(.notFound), now: at(20))
        #expect(cache.lastContact == at(9), "removed again")
    }
}
