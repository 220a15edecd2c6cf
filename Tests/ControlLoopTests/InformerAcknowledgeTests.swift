import ControlLoop
import Testing

@Suite struct InformerAcknowledgeTests {
    // What we wrote is what we read, before the watch shows it; the watch's own word of it is no news.
    @Test func ownWriteIsSeenAtOnceAndOnce() {
        let (old, written) = (Thing("a/a", "5"), Thing("a/a", "12", groups: ["new"]))
        var informer = Informer.watching([old], version: "10")
        #expect(informer.acknowledge(written, replacing: "5") == [Affected(old: old, new: written)])
        #expect(informer.object("a/a") == written && informer.snapshot == [written])
        #expect(informer.indexValues == ["new"])
        #expect(informer.resourceVersion == "10", "a write is no place for the watch to go on from")
        #expect(informer.receive(.event(.modified(written)), now: at(1)).isEmpty)
        #expect(informer.resourceVersion == "12")
    }

    // A reply that comes after newer news does not take us back.
    @Test func lateReplyDoesNotReplaceANewerState() {
        var informer = Informer.watching([Thing("a/a", "5")])
        _ = informer.receive(.event(.modified(Thing("a/a", "12"))), now: at(1))
        _ = informer.receive(.event(.modified(Thing("a/a", "13"))), now: at(1))
        #expect(informer.acknowledge(Thing("a/a", "12"), replacing: "5").isEmpty)
        #expect(informer.object("a/a")?.resourceVersion == "13")
    }

    // A reply about an object that is gone, or that is another one by now, is dropped.
    @Test func replyForAnotherObjectIsDropped() {
        var informer = Informer.watching([Thing("a/a", uid: "two", "5")])
        #expect(informer.acknowledge(Thing("a/a", uid: "one", "12"), replacing: "5").isEmpty)
        #expect(informer.acknowledge(Thing("b/b", "12"), replacing: "5").isEmpty)
        #expect(informer.snapshot == [Thing("a/a", uid: "two", "5")])
    }

    // The write that takes the last finalizer off a deleted object may come back under the version that it was made
    // on. It is taken in all the same, or it would be made again until the end of the object is told.
    @Test func lastWriteMayKeepTheVersion() {
        var informer = Informer.watching([Thing("a/a", "5", generation: 1)])
        _ = informer.acknowledge(Thing("a/a", "5", generation: 2), replacing: "5")
        #expect(informer.snapshot == [Thing("a/a", "5", generation: 2)])
        _ = informer.receive(.event(.deleted(Thing("a/a", "6", generation: 2))), now: at(1))
        #expect(informer.snapshot == [])
    }

    // States that our own writes have replaced arrive late in the stream: they are passed over, and what follows is
    // not.
    @Test func statesBetweenOwnWritesAreNotTakenBack() {
        var informer = Informer.watching([Thing("a/a", "5")], version: "10")
        _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5")
        _ = informer.acknowledge(Thing("a/a", "14"), replacing: "12")
        #expect(informer.receive(.event(.modified(Thing("a/a", "12"))), now: at(1)).isEmpty)
        #expect(informer.object("a/a")?.resourceVersion == "14" && informer.resourceVersion == "12")
        #expect(informer.receive(.event(.modified(Thing("a/a", "14"))), now: at(1)).isEmpty)
        #expect(informer.receive(.event(.modified(Thing("a/a", "15"))), now: at(1)).count == 1)
        #expect(informer.object("a/a")?.resourceVersion == "15")
    }

    // A relist that was answered before our write does not take us back, whether the write came before it or amid its
    // pages.
    @Test(arguments: [true, false]) func listFromBeforeOurWriteDoesNotTakeUsBack(isAmidPages: Bool) {
        var informer = Informer.watching([Thing("a/a", "5"), Thing("b/b", "6")], version: "10")
        if !isAmidPages { _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5") }
        _ = informer.receive(.failed(.gone), now: at(1))
        _ = informer.receive(.page(items: [Thing("a/a", "5")], resourceVersion: "11", continueToken: "t"), now: at(1))
        if isAmidPages { _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5") }
        let affected = informer.receive(
            .page(items: [Thing("b/b", "6")], resourceVersion: "11", continueToken: nil), now: at(1))
        #expect(affected.isEmpty)
        #expect(informer.object("a/a")?.resourceVersion == "12")
        #expect(informer.receive(.event(.modified(Thing("a/a", "12"))), now: at(2)).isEmpty)
    }

    // The object goes while the reply to our write is under way: the reply does not bring it back, nor does it touch
    // one that was made again under the name.
    @Test(arguments: [true, false]) func replyAfterTheDeletionBringsNothingBack(isRecreated: Bool) {
        var informer = Informer.watching([Thing("a/a", uid: "one", "5")])
        _ = informer.receive(.event(.deleted(Thing("a/a", uid: "one", "13"))), now: at(1))
        let again = Thing("a/a", uid: "two", "14")
        if isRecreated { _ = informer.receive(.event(.added(again)), now: at(1)) }
        #expect(informer.acknowledge(Thing("a/a", uid: "one", "12"), replacing: "5").isEmpty)
        #expect(informer.snapshot == (isRecreated ? [again] : []))
    }

    // Replies that come in another order than the writes were made in leave the cache at a true state, and the watch
    // brings the newest.
    @Test func repliesOutOfOrderLeaveATrueState() {
        var informer = Informer.watching([Thing("a/a", "5")])
        #expect(informer.acknowledge(Thing("a/a", "14"), replacing: "12").isEmpty, "not made on what is known")
        #expect(informer.acknowledge(Thing("a/a", "12"), replacing: "5").count == 1)
        _ = informer.receive(.event(.modified(Thing("a/a", "12"))), now: at(1))
        #expect(informer.receive(.event(.modified(Thing("a/a", "14"))), now: at(1)).count == 1)
        #expect(informer.object("a/a")?.resourceVersion == "14")
    }

    // A list that is newer than our write is taken, and so is what follows it.
    @Test func listFromAfterOurWriteIsTaken() {
        var informer = Informer.watching([Thing("a/a", "5")], version: "10")
        _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5")
        _ = informer.receive(.failed(.gone), now: at(1))
        let newer = Thing("a/a", "15", generation: 2)
        let told = informer.receive(.page(items: [newer], resourceVersion: "16", continueToken: nil), now: at(1))
        #expect(told == [Affected(old: Thing("a/a", "12"), new: newer)])
        #expect(informer.receive(.event(.modified(Thing("a/a", "17"))), now: at(2)).count == 1)
    }

    // An object made again after our write is another: states of the earlier one are not mistaken for old ones of it.
    @Test func recreationAfterOurWriteIsTaken() {
        var informer = Informer.watching([Thing("a/a", uid: "one", "5")])
        _ = informer.acknowledge(Thing("a/a", uid: "one", "12"), replacing: "5")
        _ = informer.receive(.event(.deleted(Thing("a/a", uid: "one", "13"))), now: at(1))
        let again = Thing("a/a", uid: "two", "5")
        #expect(informer.receive(.event(.added(again)), now: at(1)) == [Affected(old: nil, new: again)])
    }

    // Someone else's change after ours is taken, although ours was never shown.
    @Test func foreignChangeAfterOursIsTaken() {
        var informer = Informer.watching([Thing("a/a", "5")])
        _ = informer.acknowledge(Thing("a/a", "12"), replacing: "5")
        let foreign = Thing("a/a", "13", generation: 2)
        #expect(
            informer.receive(.event(.modified(foreign)), now: at(1)) == [
                Affected(old: Thing("a/a", "12"), new: foreign)
            ])
    }

    // An object that is deleted after our write is gone, and so it is when a list no longer holds it.
    @Test(arguments: [true, false]) func deletionAfterOurWriteIsTaken(isByList: Bool) {
        var informer = Informer.watching([Thing("a/a", "5")])
        let written = Thing("a/a", "12")
        _ = informer.acknowledge(written, replacing: "5")
        let affected: [Affected]
        if isByList {
            _ = informer.receive(.failed(.gone), now: at(1))
            affected = informer.receive(.page(items: [], resourceVersion: "14", continueToken: nil), now: at(1))
        } else {
            affected = informer.receive(.event(.deleted(Thing("a/a", "13"))), now: at(1))
        }
        #expect(affected == [Affected(old: written, new: nil)])
        #expect(informer.snapshot == [])
    }
}
