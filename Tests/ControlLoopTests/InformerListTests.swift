import ControlLoop
import Testing

@Suite struct InformerListTests {
    // The first list takes any state the server has at hand, page by page.
    @Test func firstListAsksForAnyVersionInPagesOf500() {
        var informer = Informer<Thing>.fresh().listingInPages()
        #expect(informer.next(now: at(0)) == .list(.init(resourceVersion: "0", limit: 500)))
    }

    // A relist asks for at least what was seen last, unpaged so that the server can answer from its watch cache.
    @Test func relistAsksForTheLastSeenVersionUnpaged() {
        var informer = Informer.watching([Thing("a/a", "3")], version: "10")
        _ = informer.receive(.event(.modified(Thing("a/a", "12"))), now: at(1))
        _ = informer.receive(.failed(.gone), now: at(2))
        #expect(informer.next(now: at(2)) == .list(.init(resourceVersion: "12")))
    }

    // A server that paged the first list has no watch cache to spare, so a relist is paged as well.
    @Test func relistStaysPagedWhereTheFirstListCameInPages() {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.page(items: [Thing("a/a", "1")], resourceVersion: "9", continueToken: "t"), now: at(0))
        _ = informer.receive(.page(items: [Thing("a/b", "2")], resourceVersion: "9", continueToken: nil), now: at(0))
        _ = informer.receive(.failed(.gone), now: at(0))
        #expect(informer.next(now: at(0)) == .list(.init(resourceVersion: "9", limit: 500)))
    }

    // A version known from an earlier run is the oldest that the first list may show.
    @Test func firstListIsNotOlderThanAnEarlierRun() {
        var informer = Informer<Thing>(random: SeededRandom(seed: 1), notOlderThan: "77", index: { $0.groups })
            .listingInPages()
        #expect(informer.next(now: at(0)) == .list(.init(resourceVersion: "77")))
        informer = Informer<Thing>(random: SeededRandom(seed: 1), notOlderThan: "", index: { $0.groups })
            .listingInPages()
        #expect(informer.listNow(at(0))?.resourceVersion == "0", "no version is not one")
    }

    // Further pages name the token and no version; the list's version is the one of page 1; nothing shows before the
    // end.
    @Test func pagesAreJoinedAndShownOnceComplete() {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        let first = informer.receive(
            .page(items: [Thing("b/b", "2")], resourceVersion: "9", continueToken: "t1"), now: at(0))
        #expect(first.isEmpty && informer.snapshot == nil && informer.resourceVersion == nil)
        #expect(informer.next(now: at(0)) == .list(.init(limit: 500, continueToken: "t1")))
        let second = informer.receive(
            .page(items: [Thing("c/c", "3")], resourceVersion: "11", continueToken: "t2"), now: at(0))
        #expect(second.isEmpty && informer.snapshot == nil && informer.objects(indexedBy: "g").isEmpty)
        #expect(informer.next(now: at(0)) == .list(.init(limit: 500, continueToken: "t2")))
        let last = informer.receive(
            .page(items: [Thing("a/a", "1")], resourceVersion: "12", continueToken: ""), now: at(0))
        #expect(last.map(\.new?.key) == ["a/a", "b/b", "c/c"])
        #expect(informer.snapshot?.map(\.key) == ["a/a", "b/b", "c/c"])
        #expect(informer.watchNow(at(0))?.from == "9")
    }

    // An empty list is a complete one.
    @Test func emptyListIsComplete() {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        #expect(informer.receive(.page(items: [], resourceVersion: "1", continueToken: nil), now: at(0)).isEmpty)
        #expect(informer.snapshot == [])
    }

    // Asking again before the answer gives the same request.
    @Test func requestStandsUntilItIsAnswered() {
        var informer = Informer<Thing>.fresh().listingInPages()
        #expect(informer.next(now: at(0)) == informer.next(now: at(9)))
        _ = informer.receive(.page(items: [], resourceVersion: "1", continueToken: nil), now: at(9))
        #expect(informer.next(now: at(9)) == informer.next(now: at(10)))
    }

    // When a page's token has expired, one list of everything at the same version takes the place of the pages.
    @Test(arguments: [InformerFailure.gone, .expired])
    func expiredPageLeadsToOneFullList(failure: InformerFailure) {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.page(items: [Thing("a/gone", "1")], resourceVersion: "9", continueToken: "t"), now: at(0))
        _ = informer.receive(.failed(failure), now: at(0))
        #expect(informer.next(now: at(0)) == .list(.init(resourceVersion: "0")))
        _ = informer.receive(.page(items: [Thing("a/a", "2")], resourceVersion: "12", continueToken: nil), now: at(0))
        #expect(informer.snapshot == [Thing("a/a", "2")])
        #expect(informer.resourceVersion == "12")
    }

    // A version that the server does not have is given up at once for the newest state, until a list succeeds.
    @Test(arguments: [InformerFailure.gone, .expired, .resourceVersionTooLarge])
    func unavailableVersionLeadsToTheNewestAtOnce(failure: InformerFailure) {
        var informer = Informer.watching(version: "10")
        _ = informer.receive(.failed(.gone), now: at(5))
        #expect(informer.listNow(at(5))?.resourceVersion == "10")
        _ = informer.receive(.failed(failure), now: at(5))
        #expect(informer.next(now: at(5)) == .list(.init(resourceVersion: "", limit: 500)))
        _ = informer.receive(.failed(.serverError), now: at(5))
        let later = informer.waited(at(5))
        #expect(informer.listNow(later)?.resourceVersion == "", "not forgotten by another failure")
        _ = informer.receive(.page(items: [], resourceVersion: "3", continueToken: nil), now: later)
        _ = informer.receive(.event(.bookmark(resourceVersion: "4")), now: later)
        _ = informer.receive(.failed(.gone), now: later)
        #expect(informer.listNow(later)?.resourceVersion == "4", "forgotten after success")
    }

    // A server that has not even the newest state is not asked without pause.
    @Test func unavailableNewestVersionBacksOff() {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.failed(.expired), now: at(0))
        #expect(informer.listNow(at(0))?.resourceVersion == "")
        _ = informer.receive(.failed(.expired), now: at(0))
        #expect(informer.pause(at(0)) != nil)
    }

    // A server that gives the same token for ever does not keep us listing for ever.
    @Test func listInCirclesBacksOff() {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.page(items: [], resourceVersion: "9", continueToken: "t"), now: at(0))
        _ = informer.receive(.page(items: [], resourceVersion: "9", continueToken: "t"), now: at(0))
        #expect(informer.pause(at(0)) != nil)
        #expect(informer.snapshot == nil)
    }

    // Every other failure of a list is waited out, and the list starts again from its first page.
    @Test(arguments: [
        InformerFailure.unreachable, .serverError, .notFound, .forbidden, .unauthorized, .idle, .invalid("no"),
        .other("odd"),
        .tooManyRequests(retryAfter: nil),
    ])
    func failedListStartsAgainAfterBackoff(failure: InformerFailure) {
        var informer = Informer<Thing>.fresh().listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.page(items: [Thing("a/a", "1")], resourceVersion: "9", continueToken: "t"), now: at(0))
        _ = informer.receive(.failed(failure), now: at(1))
        let pause = informer.pause(at(1)) ?? .zero
        #expect(pause >= .milliseconds(800) && pause < .milliseconds(1600))
        #expect(informer.next(now: at(1) + pause) == .list(.init(resourceVersion: "0", limit: 500)))
    }

    // What vanished while we did not look is told with its last known state, before anything that came.
    @Test func relistTellsDeletesBeforeAdds() {
        var informer = Informer.watching([Thing("a/a", "1"), Thing("m/m", "2"), Thing("z/z", "3")])
        _ = informer.receive(.failed(.gone), now: at(1))
        let again = Thing("z/z", uid: "other", "14")
        let items = [Thing("b/b", "11"), again, Thing("m/m", "12"), Thing("a/0", "13")]
        let affected = informer.receive(.page(items: items, resourceVersion: "13", continueToken: nil), now: at(1))
        #expect(
            affected == [
                Affected(old: Thing("a/a", "1"), new: nil),
                Affected(old: Thing("z/z", "3"), new: nil),
                Affected(old: nil, new: Thing("a/0", "13")),
                Affected(old: nil, new: Thing("b/b", "11")),
                Affected(old: Thing("m/m", "2"), new: Thing("m/m", "12")),
                Affected(old: nil, new: again),
            ])
        #expect(informer.snapshot?.map(\.key) == ["a/0", "b/b", "m/m", "z/z"])
    }

    // A relist that shows what is known already changes nothing.
    @Test func relistOfTheSameTellsNothing() {
        let things = [Thing("a/a", "1"), Thing("b/b", "2")]
        var informer = Informer.watching(things)
        _ = informer.receive(.failed(.gone), now: at(1))
        #expect(informer.receive(.page(items: things, resourceVersion: "10", continueToken: nil), now: at(1)).isEmpty)
    }

    // Deleted and made again under the same name while we did not look: the old one is gone, and this is another.
    @Test func recreatedInAGapIsADeleteAndAnAdd() {
        let old = Thing("a/a", uid: "one", "5")
        let new = Thing("a/a", uid: "two", "11")
        var informer = Informer.watching([old])
        _ = informer.receive(.failed(.gone), now: at(1))
        let affected = informer.receive(.page(items: [new], resourceVersion: "12", continueToken: nil), now: at(1))
        #expect(affected == [Affected(old: old, new: nil), Affected(old: nil, new: new)])
        #expect(informer.object("a/a") == new)
    }

    // Whoever acts on the cache hears of every initial object in the same step that makes it visible.
    @Test func syncedOnlyWithEveryInitialObjectTold() {
        var informer = Informer<Thing>.fresh().listingInPages()
        #expect(informer.snapshot == nil)
        _ = informer.next(now: at(0))
        let things = [Thing("a/a", "1"), Thing("b/b", "2")]
        let told = informer.receive(.page(items: things, resourceVersion: "9", continueToken: nil), now: at(0))
        #expect(told.compactMap(\.new) == informer.snapshot)
    }

    // The world as it was stays visible while a relist goes on or fails.
    @Test func cacheStaysVisibleDuringARelist() {
        var informer = Informer.watching([Thing("a/a", "1")])
        _ = informer.receive(.failed(.gone), now: at(1))
        _ = informer.receive(.page(items: [Thing("b/b", "11")], resourceVersion: "12", continueToken: "t"), now: at(1))
        #expect(informer.snapshot == [Thing("a/a", "1")])
        _ = informer.receive(.failed(.unreachable), now: at(1))
        #expect(informer.snapshot == [Thing("a/a", "1")])
    }

    // The cache holds what the caller decoded and nothing else, so what a decoder leaves out (managedFields) costs no
    // memory.
    @Test func cacheHoldsOnlyTheDecodedObject() {
        final class Text: Sendable {}
        struct Decoded: InformerObject {
            var key = "a/a"
            var uid = "u"
            var resourceVersion: String
            var kept: Text
        }
        weak var dropped: Text?
        var informer = Informer<Decoded>(random: SeededRandom(seed: 1), index: { _ in [] }).listingInPages()
        _ = informer.next(now: at(0))
        do {
            let kept = Text()
            dropped = kept
            let item = Decoded(resourceVersion: "1", kept: kept)
            _ = informer.receive(.page(items: [item], resourceVersion: "9", continueToken: nil), now: at(0))
        }
        #expect(dropped != nil && informer.snapshot?.count == 1)
        _ = informer.receive(.event(.modified(Decoded(resourceVersion: "10", kept: Text()))), now: at(0))
        #expect(dropped == nil, "the state before is not held on to")
    }

    // Objects are found by each of their index values, also after they moved from one to another.
    @Test func indexFollowsTheObjects() {
        var informer = Informer.watching([
            Thing("b/b", "1", groups: ["north", "south"]), Thing("a/a", "2", groups: ["south"]),
        ])
        #expect(informer.indexValues == ["north", "south"])
        #expect(informer.objects(indexedBy: "south").map(\.key) == ["a/a", "b/b"])
        _ = informer.receive(.event(.modified(Thing("b/b", "11", groups: ["east"]))), now: at(1))
        #expect(informer.indexValues == ["east", "south"])
        #expect(informer.objects(indexedBy: "south").map(\.key) == ["a/a"])
        #expect(informer.objects(indexedBy: "north").isEmpty)
        _ = informer.receive(.event(.deleted(Thing("a/a", "12", groups: ["odd"]))), now: at(1))
        #expect(informer.indexValues == ["east"])
    }

    // Which index values go together is known until the last object that has both is gone.
    @Test func indexValuesSideBySide() {
        var informer = Informer.watching([
            Thing("a/a", "1", groups: ["p1", "n", "n"]), Thing("b/b", "2", groups: ["p2", "n"]),
            Thing("c/c", "3", groups: ["p1", "n"]), Thing("d/d", "4", groups: ["p3", "m"]),
        ])
        #expect(informer.indexValues(beside: "n") == ["p1", "p2"] && informer.indexValues(beside: "p3") == ["m"])
        _ = informer.receive(.event(.deleted(Thing("a/a", "11"))), now: at(1))
        _ = informer.receive(.event(.modified(Thing("b/b", "12", groups: ["p4", "n"]))), now: at(1))
        #expect(informer.indexValues(beside: "n") == ["p1", "p4"])
        _ = informer.receive(.event(.deleted(Thing("c/c", "13"))), now: at(1))
        #expect(informer.indexValues(beside: "n") == ["p4"] && informer.indexValues(beside: "p1").isEmpty)
    }

    // A view taken before a change stays as it was, and the next one shows the change: also for a copy of the informer.
    @Test func viewsAreValues() {
        var informer = Informer.watching([Thing("a/a", "1")])
        var copy = informer
        let before = informer.snapshot
        _ = informer.receive(.event(.added(Thing("b/b", "11"))), now: at(1))
        #expect(copy.snapshot?.map(\.key) == ["a/a"] && copy.objects(indexedBy: "g").map(\.key) == ["a/a"])
        _ = copy.receive(.event(.added(Thing("c/c", "11"))), now: at(1))
        #expect(before?.map(\.key) == ["a/a"])
        #expect(informer.snapshot?.map(\.key) == ["a/a", "b/b"])
        #expect(copy.snapshot?.map(\.key) == ["a/a", "c/c"])
        #expect(copy.objects(indexedBy: "g").map(\.key) == ["a/a", "c/c"])
    }

    // A view may be asked for from several threads at once, each with its copy of one informer.
    @Test func viewsMayBeReadSideBySide() async {
        for round in 0..<20 {
            let informer = Informer.watching((0..<200).map { Thing("n/\($0)", "\($0 + round)") }, version: "500")
            let views = await withTaskGroup(of: [Thing].self) { group in
                for index in 0..<8 {
                    group.addTask { index % 2 == 0 ? informer.snapshot ?? [] : informer.objects(indexedBy: "g") }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(views).count == 1 && views[0].count == 200)
        }
    }
}
