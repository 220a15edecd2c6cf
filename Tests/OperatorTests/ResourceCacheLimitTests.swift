import BusinessPolicy
import ControlLoop
import Testing

@testable import Operator

/// What a change in a namespace with limits, and a change of a limit, gives to do.
@Suite struct ResourceCacheLimitTests {
    private typealias Given = CacheFixtures
    private static let start = CacheFixtures.start

    /// Three resources on profiles of their own, one of them in another namespace, with nothing left to do.
    private func cache(_ limits: VelocloudLimit...) throws -> ResourceCache {
        let cache = Given.cache(
            listing: [
                try Given.resource("a", profile: "A"), try Given.resource("b", profile: "B", ruleOn: "B2"),
                try Given.resource("far", in: "far", profile: "F"),
            ], limits)
        _ = (cache.takeProfiles(), cache.takeReports())
        return cache
    }

    private func edit(_ cache: ResourceCache) throws {
        let edited = try Given.resource("a", profile: "A", version: 11, generation: 2)
        cache.receive(Given.Resources.event(.modified(edited)), now: Self.start)
    }

    // Under a quota a change may make room on any profile of the namespace; it goes before what a resync looks at.
    @Test func underAQuotaAllProfilesOfTheNamespaceAreLookedAt() throws {
        let cache = try cache(try Given.limit())
        cache.enqueue(["F"], priority: .background, now: Self.start)
        try edit(cache)
        #expect(cache.takeProfiles() == ["A", "B", "B2", "F"] && cache.takeReports() == ["n"])
        let gone = try Given.resource("a", profile: "A", version: 12, generation: 2)
        cache.receive(Given.Resources.event(.deleted(gone)), now: Self.start)
        #expect(cache.takeProfiles() == ["A", "B", "B2"] && cache.takeReports() == ["n"])
        let new = try Given.resource("new", profile: "N", version: 13)
        cache.receive(Given.Resources.event(.added(new)), now: Self.start)
        #expect(cache.takeProfiles() == ["N", "B", "B2"], "and none where nobody is any more")
    }

    // Without a quota a resource is judged alone: only the counts are made anew.
    @Test func withoutAQuotaOnlyItsOwnProfileIsLookedAt() throws {
        let cache = try cache(try Given.limit(spec: Given.bound))
        try edit(cache)
        #expect(cache.takeProfiles() == ["A"] && cache.takeReports() == ["n"])
    }

    // Limits of other namespaces have no say, and without any there is nothing to report.
    @Test func withoutALimitNothingIsReported() throws {
        let cache = try cache(try Given.limit(in: "far"))
        try edit(cache)
        #expect(cache.takeProfiles() == ["A"] && cache.takeReports() == [])
    }

    // Our own status of a resource moves neither profiles nor reports, by the reply and by the watch.
    @Test func ownStatusOfAResourceGivesNothingToDo() throws {
        let cache = try cache(try Given.limit())
        let written = try Given.resource("b", profile: "B", version: 11, ruleOn: "B")
        cache.acknowledge(written, replacing: "5")
        cache.receive(Given.Resources.event(.modified(written)), now: Self.start)
        let later = try Given.resource("b", profile: "B", version: 12)
        cache.receive(Given.Resources.event(.modified(later)), now: Self.start)
        #expect(cache.takeProfiles() == [] && cache.takeReports() == [])
        try edit(cache)
        #expect(cache.takeProfiles() == ["A", "B"], "where its rule is no more is no concern of the namespace")
    }

    // A limit that comes, changes, is made anew or goes concerns every resource of its namespace, quota or not.
    @Test(arguments: [Given.bound, #"{"max-rules":3}"#]) func changedLimitConcernsItsNamespace(_ spec: String) throws {
        let cache = try cache(try Given.limit("other", in: "far"))
        func expectWork(_ what: Comment, _ event: Informer<VelocloudLimit>.Event) {
            cache.receive(Given.Limits.event(event), now: Self.start)
            #expect(cache.takeProfiles() == ["A", "B", "B2"], what)
            #expect(cache.takeReports() == ["n"], what)
        }
        expectWork("made", .added(try Given.limit(version: 11, spec: spec)))
        expectWork("changed", .modified(try Given.limit(version: 12, generation: 2, spec: spec)))
        expectWork("another of its name", .modified(try Given.limit(version: 13, uid: "second", spec: spec)))
        expectWork("gone", .deleted(try Given.limit(version: 14, uid: "second", spec: spec)))
        #expect(cache.limits(in: "n").isEmpty && cache.namespacesWithLimits == ["far"])
    }

    // Our own status of a limit gives nothing to do, by the reply and by the watch, late states of it included.
    @Test func ownStatusOfALimitGivesNothingToDo() throws {
        let cache = try cache(try Given.limit())
        cache.acknowledge(try Given.limit(version: 11), replacing: "5")
        #expect(cache.limits(in: "n").map(\.resourceVersion) == ["11"], "the next write is made on top of this one")
        for version in [5, 11, 12] {
            cache.receive(Given.Limits.event(.modified(try Given.limit(version: version))), now: Self.start)
        }
        #expect(cache.limits(in: "n").map(\.resourceVersion) == ["12"])
        #expect(cache.takeProfiles() == [] && cache.takeReports() == [])
    }

    // A burst of changes is one report, which waits a little; a resync asks for one of each namespace with a limit.
    @Test func reportsAreBundledAndRepeated() throws {
        let cache = try cache(try Given.limit(), try Given.limit("second"), try Given.limit(in: "far"))
        try edit(cache)
        cache.receive(Given.Limits.event(.added(try Given.limit("third", version: 12))), now: Self.start)
        #expect(cache.takeReport(now: Self.start) == .wait(until: Self.start + ResourceCache.reportDebounce))
        #expect(cache.takeReports() == ["n"])
        #expect(cache.takeReport(now: Given.later) == .idle)
        cache.enqueueReports(now: Self.start)
        #expect(cache.takeReports() == ["far", "n"])
        #expect(cache.reportStatistics.adds == 5 && cache.limits(in: "n").map(\.owner.name).count == 3)
    }

    // Whoever waits for work hears of it, of either kind.
    @Test func bellRingsForReports() throws {
        let cache = try cache(try Given.limit())
        for change in [
            { cache.enqueueReports(now: Self.start) },
            { cache.receive(Given.Limits.opened, now: Self.start) },
            {
                guard case .key(let key) = cache.takeReport(now: Given.later) else { return }
                cache.finishReport(key, .failed, now: Given.later)
            },
        ] {
            let heard = cache.bell.count
            change()
            #expect(cache.bell.count > heard)
        }
    }
}
