import ControlLoop
import Testing

@Suite struct InformerWatchTests {
    // The server ends each watch after 5 to 10 minutes, drawn anew each time so that reconnects spread.
    @Test func watchTimeoutIsRandomBetween5And10Minutes() {
        var informer = Informer<Thing>.watching()
        var timeouts: Set<Int> = []
        for minute in 1...200 {
            timeouts.insert(informer.watchNow(at(Double(minute) * 60))?.timeoutSeconds ?? 0)
            _ = informer.receive(.opened, now: at(Double(minute) * 60))
            _ = informer.receive(.closed, now: at(Double(minute) * 60 + 59))
        }
        #expect(timeouts.allSatisfy { (300...600).contains($0) })
        #expect(timeouts.count > 50 && timeouts.min() ?? 600 < 330 && timeouts.max() ?? 300 > 570)
    }

    // Each event, and each bookmark, is where a later watch goes on from.
    @Test func everyEventAdvancesTheVersion() {
        var informer = Informer<Thing>.watching([Thing("a/a", "1")], version: "10")
        let events: [(Informer<Thing>.Event, String)] = [
            (.added(Thing("b/b", "11")), "11"), (.modified(Thing("a/a", "12")), "12"),
            (.deleted(Thing("b/b", "13")), "13"), (.bookmark(resourceVersion: "20"), "20"),
        ]
        for (event, version) in events {
            _ = informer.receive(.event(event), now: at(1))
            #expect(informer.resourceVersion == version)
        }
        _ = informer.receive(.closed, now: at(2))
        #expect(informer.watchNow(at(2))?.from == "20")
        #expect(informer.snapshot == [Thing("a/a", "12")])
    }

    // A watch from no version begins with all objects in any order: only what follows them is a place to go on from.
    @Test(arguments: ["", "0"]) func initialObjectsOfAVersionlessWatchDoNotAdvance(version: String) {
        var informer = Informer<Thing>.watching(version: version)
        _ = informer.receive(.event(.added(Thing("a/a", "50"))), now: at(1))
        _ = informer.receive(.event(.added(Thing("b/b", "7"))), now: at(1))
        #expect(informer.resourceVersion == version && informer.snapshot?.count == 2)
        _ = informer.receive(.event(.modified(Thing("b/b", "51"))), now: at(1))
        #expect(informer.resourceVersion == "51")
        _ = informer.receive(.event(.added(Thing("c/c", "52"))), now: at(1))
        #expect(informer.resourceVersion == "52")
    }

    // What is told of each event is the object before and after.
    @Test func eventsTellOldAndNew() {
        var informer = Informer<Thing>.watching()
        let (one, two) = (Thing("a/a", "11"), Thing("a/a", "12", generation: 2))
        #expect(informer.receive(.event(.added(one)), now: at(1)) == [Affected(old: nil, new: one)])
        #expect(informer.receive(.event(.modified(two)), now: at(1)) == [Affected(old: one, new: two)])
        let last = Thing("a/a", "13", generation: 2)
        #expect(informer.receive(.event(.deleted(last)), now: at(1)) == [Affected(old: two, new: nil)])
        #expect(informer.receive(.event(.deleted(last)), now: at(1)).isEmpty, "it was gone already")
        #expect(informer.snapshot == [])
    }

    // An object that changes its uid in the stream is another object.
    @Test func recreatedInTheStreamIsADeleteAndAnAdd() {
        let (old, new) = (Thing("a/a", uid: "one", "5"), Thing("a/a", uid: "two", "11"))
        var informer = Informer.watching([old])
        let affected = informer.receive(.event(.modified(new)), now: at(1))
        #expect(affected == [Affected(old: old, new: nil), Affected(old: nil, new: new)])
        #expect(informer.receive(.event(.deleted(Thing("a/a", uid: "one", "6"))), now: at(1)).isEmpty)
        #expect(informer.object("a/a") == new, "a late word of the earlier one does not take it away")
    }

    // 410 as the answer to the watch, or inside the stream, leads to a list at once and without a pause.
    @Test(arguments: [InformerFailure.gone, .expired], [true, false])
    func expiredWatchRelists(failure: InformerFailure, isInStream: Bool) {
        var informer = Informer<Thing>.watching([Thing("a/a", "1")], version: "10")
        if isInStream {
            _ = informer.receive(.event(.added(Thing("b/b", "11"))), now: at(1))
        } else {
            _ = informer.receive(.closed, now: at(1))
            _ = informer.next(now: at(1))
        }
        _ = informer.receive(.failed(failure), now: at(2))
        #expect(informer.listNow(at(2))?.resourceVersion == (isInStream ? "11" : "10"))
    }

    // Where each list's version has expired as soon as it is watched, list and watch do not chase each other.
    @Test func repeatedlyExpiredWatchBacksOff() {
        var informer = Informer<Thing>.watching(version: "10")
        _ = informer.receive(.failed(.gone), now: at(1))
        _ = informer.receive(.page(items: [], resourceVersion: "11", continueToken: nil), now: at(1))
        _ = informer.receive(.failed(.gone), now: at(1))
        #expect(informer.pause(at(1)) ?? .zero >= .milliseconds(800))
        #expect(informer.listNow(informer.waited(at(1)))?.resourceVersion == "11")
    }

    // A server that is busy or away gets the same watch again after a pause, and no list: the cache is as good.
    @Test(arguments: [InformerFailure.tooManyRequests(retryAfter: nil), .unreachable, .unauthorized], [true, false])
    func busyServerIsWatchedAgainWithoutAList(failure: InformerFailure, isOpened: Bool) {
        var informer = Informer<Thing>.watching(version: "10")
        var now = at(5)
        _ = informer.receive(.closed, now: now)
        for _ in 1...5 {
            #expect(informer.watchNow(now)?.from == "10")
            if isOpened { _ = informer.receive(.opened, now: now) }
            _ = informer.receive(.failed(failure), now: now)
            #expect(informer.pause(now) ?? .zero >= .milliseconds(800))
            now = informer.waited(now)
        }
        #expect(informer.watchNow(now)?.from == "10")
    }

    // The server's own word on when to come back is kept, within reason.
    @Test func retryAfterIsHonoured() {
        var informer = Informer<Thing>.watching()
        _ = informer.receive(.failed(.tooManyRequests(retryAfter: .seconds(42))), now: at(1))
        #expect(informer.pause(at(1)) == .seconds(42))
        _ = informer.next(now: at(43))
        _ = informer.receive(.failed(.tooManyRequests(retryAfter: .zero)), now: at(43))
        #expect(informer.pause(at(43)) ?? .zero >= .milliseconds(1600), "no shorter than the backoff")
        let now = informer.waited(at(43))
        _ = informer.next(now: now)
        _ = informer.receive(.failed(.tooManyRequests(retryAfter: .seconds(1_000_000))), now: now)
        #expect(informer.pause(now) == .seconds(300))
    }

    // An error inside the stream that is not understood leads to a list, after a pause.
    @Test(arguments: [InformerFailure.serverError, .invalid("no"), .other("odd")])
    func errorInTheStreamRelistsAfterBackoff(failure: InformerFailure) {
        var informer = Informer<Thing>.watching(version: "10")
        _ = informer.receive(.event(.bookmark(resourceVersion: "15")), now: at(1))
        _ = informer.receive(.failed(failure), now: at(2))
        #expect(informer.pause(at(2)) ?? .zero >= .milliseconds(800))
        #expect(informer.listNow(informer.waited(at(2)))?.resourceVersion == "15")
    }

    // Pauses double from 800 ms to 30 s, each lengthened by up to itself.
    @Test func backoffDoublesUpTo30SecondsWithJitter() {
        var informer = Informer<Thing>.watching()
        var now = at(0)
        var ratios: Set<Double> = []
        for step in 0..<12 {
            _ = informer.next(now: now)
            _ = informer.receive(.failed(.unreachable), now: now)
            let delay = min(.milliseconds(800) * (1 << min(step, 10)), Duration.seconds(30))
            let pause = informer.pause(now) ?? .zero
            #expect(pause >= delay && pause < delay * 2)
            ratios.insert(pause / delay)
            now = now + pause
        }
        #expect(ratios.count > 10, "no two servers' clients keep step")
    }

    // After two minutes without failure the next failure is a first one; a moment of success is not enough.
    @Test func backoffStartsAnewAfterTwoMinutesOfCalm() {
        func pauseAfter(_ calm: Double) -> Duration {
            var informer = Informer<Thing>.watching()
            var now = at(0)
            for _ in 1...8 {
                _ = informer.next(now: now)
                _ = informer.receive(.failed(.unreachable), now: now)
                now = informer.waited(now)
            }
            _ = informer.next(now: now)
            _ = informer.receive(.opened, now: now)
            now = now + .seconds(calm)
            _ = informer.receive(.failed(.unreachable), now: now)
            return informer.pause(now) ?? .zero
        }
        #expect(pauseAfter(119) >= .seconds(30))
        #expect(pauseAfter(120) < .milliseconds(1600))
    }

    // A watch that ends within a second and has told nothing counts as a failure.
    @Test func veryShortWatchBacksOff() {
        var informer = Informer<Thing>.watching(version: "10")
        _ = informer.receive(.closed, now: at(0.9))
        #expect(informer.pause(at(0.9)) ?? .zero >= .milliseconds(800))
        let now = informer.waited(at(0.9))
        #expect(informer.watchNow(now)?.from == "10")
        _ = informer.receive(.event(.unreadable("junk")), now: now)
        _ = informer.receive(.closed, now: now)
        #expect(informer.pause(now) ?? .zero >= .milliseconds(1600), "junk is nothing told")
    }

    // A watch that ends after its time, or has told something, is opened again at once from there.
    @Test func closedWatchGoesOnAtOnce() {
        var informer = Informer<Thing>.watching(version: "10")
        _ = informer.receive(.closed, now: at(1))
        #expect(informer.watchNow(at(1))?.from == "10")
        _ = informer.receive(.opened, now: at(1))
        _ = informer.receive(.event(.bookmark(resourceVersion: "11")), now: at(1))
        _ = informer.receive(.closed, now: at(1))
        #expect(informer.watchNow(at(1))?.from == "11")
    }

    // A reply that comes late, to a request that is over, is as if it had never come.
    @Test func lateRepliesChangeNothing() {
        let thing = Thing("a/a", "1")
        var informer = Informer.watching([thing], version: "10")
        #expect(informer.receive(.page(items: [], resourceVersion: "99", continueToken: nil), now: at(1)).isEmpty)
        #expect(informer.snapshot == [thing] && informer.watchNow(at(1))?.from == "10")
        _ = informer.receive(.failed(.unreachable), now: at(1))
        let pause = informer.pause(at(1))
        for reply in [.opened, .closed, .failed(.gone), .event(.deleted(thing))] as [Informer<Thing>.Reply] {
            #expect(informer.receive(reply, now: at(1)).isEmpty)
        }
        #expect(informer.pause(at(1)) == pause && informer.snapshot == [thing])
    }

    // A line that cannot be read is passed over; the stream goes on.
    @Test func unreadableLinesAreSkipped() {
        var informer = Informer<Thing>.watching(version: "10")
        #expect(informer.receive(.event(.unreadable("{")), now: at(1)).isEmpty)
        #expect(informer.resourceVersion == "10" && informer.watchNow(at(1))?.from == "10")
        #expect(informer.receive(.event(.added(Thing("a/a", "11"))), now: at(1)).count == 1)
    }

    // A stream that is silent for longer than bookmarks take is dead: the same watch again, at once, and no list.
    @Test func silentWatchIsOpenedAgainFromTheLastVersion() {
        var informer = Informer<Thing>.watching(version: "10")
        let idle = informer.watchNow(at(0))?.idle ?? .zero
        #expect(idle > .seconds(60) && idle < .seconds(300), "longer than bookmarks, shorter than the timeout")
        _ = informer.receive(.event(.bookmark(resourceVersion: "14")), now: at(60))
        _ = informer.receive(.failed(.idle), now: at(60) + idle)
        #expect(informer.watchNow(at(60) + idle)?.from == "14")
        _ = informer.receive(.failed(.idle), now: at(60) + idle)
        #expect(informer.pause(at(60) + idle) != nil, "a watch that was never accepted is a failure")
    }

    // How long nothing was heard can be told: from pages, accepted watches and lines, but not from failures.
    @Test func lastContactIsTheLastThatWasHeard() {
        var informer = Informer<Thing>.fresh().listingInPages()
        #expect(informer.lastContact == nil)
        _ = informer.next(now: at(0))
        _ = informer.receive(.failed(.forbidden), now: at(1))
        #expect(informer.lastContact == nil)
        _ = informer.next(now: at(10))
        _ = informer.receive(.page(items: [], resourceVersion: "1", continueToken: nil), now: at(10))
        #expect(informer.lastContact == at(10))
        _ = informer.receive(.opened, now: at(11))
        #expect(informer.lastContact == at(11))
        _ = informer.receive(.event(.bookmark(resourceVersion: "2")), now: at(60))
        #expect(informer.lastContact == at(60))
        _ = informer.receive(.event(.unreadable("{")), now: at(61))
        #expect(informer.lastContact == at(61))
        _ = informer.receive(.closed, now: at(99))
        #expect(informer.lastContact == at(61))
    }

    // An update that leaves the generation alone is told with both states, for the caller to tell what matters to it.
    @Test func updatesOfTheSameGenerationAreToldWithBothStates() {
        let (old, new) = (Thing("a/a", "1", generation: 4), Thing("a/a", "11", generation: 4))
        var informer = Informer.watching([old])
        #expect(informer.receive(.event(.modified(new)), now: at(1)) == [Affected(old: old, new: new)])
        #expect(informer.receive(.event(.modified(new)), now: at(1)).isEmpty, "the same version is the same state")
    }

    // A missing CRD or right is visible as long as it lasts, the cache is kept, and it is tried again with backoff.
    @Test(arguments: [InformerFailure.notFound, .forbidden], [true, false])
    func missingKindOrRightIsVisibleWhileItLasts(failure: InformerFailure, isSynced: Bool) {
        var informer = isSynced ? Informer.watching([Thing("a/a", "1")]) : Informer<Thing>.fresh().listingInPages()
        var now = at(5)
        _ = informer.next(now: now)
        for _ in 1...3 {
            _ = informer.receive(.failed(failure), now: now)
            #expect(informer.isBlocked == failure && informer.pause(now) != nil)
            now = informer.waited(now)
            #expect(informer.listNow(now) != nil && informer.isBlocked == failure)
        }
        #expect(informer.snapshot?.count == (isSynced ? 1 : nil))
        _ = informer.receive(.failed(.unreachable), now: now)
        #expect(informer.isBlocked == failure, "an outage does not say that it is over")
        now = informer.waited(now)
        _ = informer.next(now: now)
        _ = informer.receive(.page(items: [], resourceVersion: "20", continueToken: nil), now: now)
        #expect(informer.isBlocked == nil && informer.snapshot == [])
    }

    // Where listing is allowed and watching is not, the cache is kept by listing, and it stays visible as a fault.
    @Test func forbiddenWatchIsVisibleAlthoughListsSucceed() {
        var informer = Informer<Thing>.watching()
        _ = informer.receive(.failed(.forbidden), now: at(5))
        let now = informer.waited(at(5))
        #expect(informer.listNow(now) != nil)
        _ = informer.receive(.page(items: [Thing("a/a", "9")], resourceVersion: "20", continueToken: nil), now: now)
        #expect(informer.isBlocked == .forbidden && informer.snapshot?.count == 1)
        _ = informer.next(now: now)
        _ = informer.receive(.opened, now: now)
        #expect(informer.isBlocked == nil)
    }

    // A hundred thousand objects are cached, found and listed in order.
    @Test func holdsAHundredThousandObjects() {
        let things = (0..<100_000).map { Thing("n\($0 % 100)/\($0)", "\($0)", groups: ["p\($0 % 1000)"]) }
        var informer = Informer.watching(things, version: "200000")
        for step in 0..<1000 {
            _ = informer.receive(.event(.modified(Thing("n0/0", "\(300_000 + step)", groups: ["p0"]))), now: at(1))
        }
        #expect(informer.snapshot?.count == 100_000 && informer.objects(indexedBy: "p7").count == 100)
        let isSteady = (0..<10_000).allSatisfy { _ in informer.snapshot?.first?.key == "n0/0" }
        #expect(isSteady, "ten thousand looks, one sorting")
    }
}
