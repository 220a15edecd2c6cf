import ControlLoop
import Testing

extension Informer<Thing> {
    /// One whose first list is coming over a watch that the server has accepted at the time 0.
    fileprivate static func streaming(_ things: [Thing] = []) -> Self {
        var informer = fresh()
        _ = informer.next(now: at(0))
        _ = informer.receive(.opened, now: at(0))
        for thing in things { _ = informer.receive(.event(.added(thing)), now: at(0)) }
        return informer
    }

    /// Takes in the bookmark that ends the initial state.
    fileprivate mutating func end(_ version: String) -> [Affected] {
        receive(.event(.bookmark(resourceVersion: version, endsInitialEvents: true)), now: at(1))
    }
}

/// The list as the beginning of a watch (WatchList), and the list in pages where a server does not do that.
@Suite struct InformerStreamingTests {
    // The first request is a watch that begins with the newest state, or with one not older than an earlier run knew.
    @Test(arguments: [(nil, ""), ("", ""), ("77", "77")]) func firstListIsAskedForOverAWatch(
        known: String?, from: String
    ) {
        var informer = Informer<Thing>(random: SeededRandom(seed: 1), notOlderThan: known, index: { $0.groups })
        let request = informer.watchNow(at(0))
        #expect(request?.sendsInitialEvents == true && request?.from == from)
        #expect((300...600).contains(request?.timeoutSeconds ?? 0))
        #expect(informer.watchNow(at(9)) == request, "it stands until it is answered")
        #expect(informer.wantsEvents)
    }

    // Nothing shows and nothing is told before the end is marked; then everything in one step.
    @Test func initialStateIsHiddenUntilItsEnd() {
        var informer = Informer.streaming([Thing("b/b", "5"), Thing("a/a", "9")])
        #expect(informer.snapshot == nil && !informer.isSynced && informer.object("a/a") == nil)
        #expect(informer.resourceVersion == nil, "initial objects come in any order")
        #expect(informer.streamingSince == at(0))
        let told = informer.end("12")
        #expect(told.map(\.new?.key) == ["a/a", "b/b"] && told.allSatisfy { $0.old == nil })
        #expect(informer.snapshot?.map(\.key) == ["a/a", "b/b"])
        #expect(informer.resourceVersion == "12" && informer.streamingSince == nil)
    }

    // An initial state of nothing is a complete one.
    @Test func emptyInitialStateIsComplete() {
        var informer = Informer<Thing>.streaming()
        #expect(informer.end("3").isEmpty)
        #expect(informer.snapshot == [] && informer.resourceVersion == "3")
    }

    // What changes or goes while the initial state is still coming is in the cache as it is at the end.
    @Test func changesDuringTheInitialStateAreTakenIn() {
        var informer = Informer.streaming([Thing("a/a", "5"), Thing("b/b", "6")])
        _ = informer.receive(.event(.modified(Thing("a/a", "8", generation: 2))), now: at(0))
        _ = informer.receive(.event(.deleted(Thing("b/b", "9"))), now: at(0))
        _ = informer.receive(.event(.added(Thing("c/c", "10"))), now: at(0))
        _ = informer.receive(.event(.unreadable("junk")), now: at(0))
        _ = informer.end("10")
        #expect(informer.snapshot == [Thing("a/a", "8", generation: 2), Thing("c/c", "10")])
    }

    // After the end the same stream is the watch: no second request, and what follows is told one by one.
    @Test func sameStreamGoesOnAsTheWatch() {
        var informer = Informer.streaming([Thing("a/a", "5")])
        _ = informer.end("10")
        #expect(informer.wantsEvents)
        let changed = Thing("a/a", "11")
        #expect(
            informer.receive(.event(.modified(changed)), now: at(2)) == [Affected(old: Thing("a/a", "5"), new: changed)]
        )
        #expect(informer.resourceVersion == "11")
        #expect(informer.receive(.event(.bookmark(resourceVersion: "15")), now: at(3)).isEmpty)
        _ = informer.receive(.closed, now: at(400))
        let request = informer.watchNow(at(400))
        #expect(request?.from == "15" && request?.sendsInitialEvents == false, "a resumed watch begins with nothing")
    }

    // A stream that ends at once after a complete initial state was of use: the watch follows without a pause.
    @Test func shortStreamWithACompleteListIsNoFailure() {
        var informer = Informer.streaming([Thing("a/a", "5")])
        _ = informer.end("10")
        _ = informer.receive(.closed, now: at(0.1))
        #expect(informer.watchNow(at(0.1))?.from == "10")
    }

    // 410 after the list leads to another list over a watch, not older than what was seen; the old state stays visible
    // until the new one is complete, and what it does not hold is told as gone.
    @Test func expiredWatchIsListedOverAWatchAgain() {
        var informer = Informer.streaming([Thing("a/a", "5"), Thing("b/b", "6")])
        _ = informer.end("10")
        _ = informer.receive(.event(.bookmark(resourceVersion: "20")), now: at(2))
        _ = informer.receive(.failed(.gone), now: at(3))
        let request = informer.watchNow(at(3))
        #expect(request?.sendsInitialEvents == true && request?.from == "20")
        _ = informer.receive(.opened, now: at(3))
        _ = informer.receive(.event(.added(Thing("b/b", "6"))), now: at(3))
        #expect(informer.snapshot?.map(\.key) == ["a/a", "b/b"])
        #expect(informer.end("30") == [Affected(old: Thing("a/a", "5"), new: nil)])
        #expect(informer.snapshot == [Thing("b/b", "6")])
    }

    // What came of a broken stream is not mixed into the next one.
    @Test func brokenInitialStateIsForgotten() {
        var informer = Informer.streaming([Thing("old/old", "5")])
        _ = informer.receive(.failed(.tooManyRequests(retryAfter: nil)), now: at(1))
        let later = informer.waited(at(1))
        #expect(informer.watchNow(later)?.sendsInitialEvents == true)
        _ = informer.receive(.event(.added(Thing("a/a", "6"))), now: later)
        _ = informer.end("10")
        #expect(informer.snapshot?.map(\.key) == ["a/a"])
    }

    // A busy server, or one that is not to be reached, is asked for the same again after a pause: a list in pages would
    // be no easier for it.
    @Test(arguments: [InformerFailure.tooManyRequests(retryAfter: .seconds(20)), .unreachable], [true, false])
    func busyServerIsAskedAgain(failure: InformerFailure, isOpened: Bool) {
        var informer = Informer<Thing>.fresh()
        _ = informer.next(now: at(0))
        if isOpened { _ = informer.receive(.opened, now: at(0)) }
        _ = informer.receive(.failed(failure), now: at(0))
        let pause = informer.pause(at(0)) ?? .zero
        #expect(pause >= (failure == .unreachable ? .milliseconds(800) : .seconds(20)))
        #expect(informer.watchNow(at(0) + pause)?.sendsInitialEvents == true)
    }

    // Where the version asked for is expired, gone or not there yet, the newest state is asked for at once; a server
    // that has not even that is left alone for a while.
    @Test(arguments: [InformerFailure.gone, .expired, .resourceVersionTooLarge])
    func unavailableVersionLeadsToTheNewestState(failure: InformerFailure) {
        var informer = Informer<Thing>(random: SeededRandom(seed: 1), notOlderThan: "77", index: { $0.groups })
        #expect(informer.watchNow(at(0))?.from == "77")
        _ = informer.receive(.failed(failure), now: at(0))
        let request = informer.watchNow(at(0))
        #expect(request?.from == "" && request?.sendsInitialEvents == true)
        _ = informer.receive(.failed(failure), now: at(0))
        #expect(informer.pause(at(0)) != nil)
        let later = informer.waited(at(0))
        #expect(informer.watchNow(later)?.from == "")
        _ = informer.end("90")
        _ = informer.receive(.failed(.gone), now: later)
        #expect(informer.watchNow(later)?.from == "90", "forgotten after success")
    }

    // A server that refuses the request as invalid costs one request: from then on lists come in pages.
    @Test func serverThatDoesNotKnowItIsAskedOnce() {
        var informer = Informer<Thing>.fresh()
        _ = informer.next(now: at(0))
        _ = informer.receive(.failed(.invalid("sendInitialEvents is forbidden for watch")), now: at(0))
        #expect(informer.next(now: at(0)) == .list(.init(resourceVersion: "0", limit: 500)), "at once")
        _ = informer.receive(.page(items: [], resourceVersion: "5", continueToken: nil), now: at(0))
        #expect(informer.watchNow(at(0))?.from == "5" && informer.watchNow(at(0))?.sendsInitialEvents == false)
        _ = informer.receive(.failed(.gone), now: at(1))
        #expect(informer.listNow(at(1))?.resourceVersion == "5")
    }

    // An older server opens an ordinary watch. A bookmark without the mark shows it, also one whose mark is not true,
    // and so does a silence; neither is taken for the end of the state.
    @Test(arguments: [
        Informer<Thing>.Reply.event(.bookmark(resourceVersion: "12", endsInitialEvents: false)), .failed(.idle),
    ])
    func ordinaryWatchIsKnownForWhatItIs(sign: Informer<Thing>.Reply) {
        var informer = Informer.streaming([Thing("a/a", "5")])
        #expect(informer.receive(sign, now: at(1)).isEmpty && informer.snapshot == nil)
        #expect(!informer.wantsEvents, "its reader is to let go of the stream")
        #expect(informer.receive(.event(.added(Thing("b/b", "13"))), now: at(1)).isEmpty, "late")
        #expect(informer.listNow(at(1))?.resourceVersion == "0")
        _ = informer.receive(.page(items: [], resourceVersion: "14", continueToken: nil), now: at(1))
        #expect(informer.snapshot == [])
        _ = informer.receive(.failed(.gone), now: at(2))
        #expect(informer.listNow(at(2)) != nil, "and it is not asked again")
    }

    // Any other failure, and an early end, lead to a list in pages at once: to get on is better than to insist. The
    // next list is asked for over a watch again.
    @Test(arguments: [
        Informer<Thing>.Reply.failed(.serverError), .failed(.other("odd")), .failed(.forbidden), .failed(.unauthorized),
        .failed(.notFound), .closed,
    ])
    func failedInitialStateIsListedInPages(reply: Informer<Thing>.Reply) {
        var informer = Informer.streaming([Thing("a/a", "5")])
        _ = informer.receive(reply, now: at(1))
        #expect(informer.listNow(at(1)) != nil && informer.isBlocked == nil)
        _ = informer.receive(.failed(.serverError), now: at(1))
        let later = informer.waited(at(1))
        #expect(informer.listNow(later) != nil, "as long as the server is in trouble one request is enough")
        _ = informer.receive(.page(items: [], resourceVersion: "14", continueToken: nil), now: later)
        _ = informer.receive(.failed(.gone), now: later)
        #expect(informer.watchNow(later)?.sendsInitialEvents == true)
    }

    // Silence before the server has answered at all says nothing about what it knows.
    @Test func silenceBeforeAnyAnswerProvesNothing() {
        var informer = Informer<Thing>.fresh()
        _ = informer.next(now: at(0))
        _ = informer.receive(.failed(.idle), now: at(30))
        _ = informer.receive(.page(items: [], resourceVersion: "14", continueToken: nil), now: at(30))
        _ = informer.receive(.failed(.gone), now: at(31))
        #expect(informer.watchNow(at(31))?.sendsInitialEvents == true)
    }

    // Whoever may not list or watch is told so by the list that follows, and no longer once a list over a watch
    // succeeds.
    @Test func completeInitialStateEndsABlock() {
        var informer = Informer.streaming()
        _ = informer.end("10")
        _ = informer.receive(.failed(.forbidden), now: at(2))
        #expect(informer.isBlocked == .forbidden)
        let later = informer.waited(at(2))
        #expect(informer.watchNow(later)?.sendsInitialEvents == true)
        _ = informer.receive(.opened, now: later)
        #expect(informer.isBlocked == .forbidden, "an accepted stream is not yet a list")
        _ = informer.end("11")
        #expect(informer.isBlocked == nil)
    }

    // A list over a watch that is older than a write of ours does not take us back.
    @Test func initialStateFromBeforeOurWriteDoesNotTakeUsBack() {
        var informer = Informer.streaming([Thing("a/a", "5")])
        _ = informer.end("10")
        _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5")
        _ = informer.receive(.failed(.gone), now: at(1))
        _ = informer.next(now: at(1))
        _ = informer.receive(.event(.added(Thing("a/a", "5"))), now: at(1))
        #expect(informer.end("11").isEmpty)
        #expect(informer.object("a/a")?.resourceVersion == "12")
    }

    // A hundred thousand initial objects are taken in at a cost that does not grow with what came before.
    @Test func takesInAHundredThousandInitialObjects() {
        var informer = Informer<Thing>.streaming()
        for number in 0..<100_000 {
            _ = informer.receive(.event(.added(Thing("n/\(number)", "\(number)"))), now: at(1))
        }
        #expect(informer.end("100000").count == 100_000)
    }
}
