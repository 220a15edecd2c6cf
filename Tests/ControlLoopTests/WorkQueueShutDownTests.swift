import ControlLoop
import Testing

@Suite struct WorkQueueShutDownTests {
    // After the end no key is taken in; those that are ready are still done, then it says so, as often as it is asked.
    @Test func shutDownDrainsReadyKeysAndTakesNoMore() {
        var queue = Queue.fresh()
        for key in ["a", "b"] { queue.add(key, at: at(0)) }
        queue.add("later", notBefore: at(5), now: at(0))
        queue.shutDown()
        queue.shutDown()
        queue.add("c", at: at(1))
        #expect(queue.takeAll(at(1)) == ["a", "b"])
        queue.finish("a", .again(at: at(2)), now: at(1))
        queue.finish("b", .failed, now: at(1))
        #expect(queue.take(now: at(1)) == .shutDown)
        #expect(queue.take(now: at(99)) == .shutDown && queue.count == 0)
    }

    // The end waits for the keys that are worked on, and those that were added meanwhile run once more, without
    // waiting.
    @Test func shutDownWaitsForProcessingAndDirtyKeys() {
        var queue = Queue.fresh()
        for key in ["clean", "dirty"] { queue.add(key, at: at(0)) }
        _ = queue.takeAll(at(0))
        queue.add("dirty", notBefore: at(50), now: at(1))
        queue.shutDown()
        queue.add("clean", at: at(1))
        #expect(queue.take(now: at(1)) == .idle)
        queue.finish("clean", .done, now: at(2))
        #expect(queue.take(now: at(2)) == .idle)
        queue.finish("dirty", .done, now: at(3))
        #expect(queue.take(now: at(3)) == .key("dirty"))
        #expect(queue.take(now: at(3)) == .idle)
        queue.finish("dirty", .done, now: at(4))
        #expect(queue.take(now: at(4)) == .shutDown)
    }

    // What fails after the end is not tried again, though it was added meanwhile: its backoff could not be waited for.
    @Test func failureAfterShutDownIsNotTriedAgain() {
        var queue = Queue.fresh()
        queue.add("a", at: at(0))
        _ = queue.take(now: at(0))
        queue.add("a", at: at(1))
        queue.shutDown()
        queue.finish("a", .failed, now: at(2))
        #expect(queue.take(now: at(2)) == .shutDown)
    }
}
