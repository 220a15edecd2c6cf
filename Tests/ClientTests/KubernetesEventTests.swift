import BusinessPolicy
import Kubernetes
import Testing

@Suite struct KubernetesEventTests {
    private static let start: Int64 = 1_767_323_045_000

    private static func occurrence(
        _ message: String, name: String = "pay", namespace: String = "shop", reason: String = "RuleAdded",
        severity: EventOccurrence.Severity = .normal, resourceVersion: String? = nil
    ) -> EventOccurrence {
        EventOccurrence(
            subject: EventSubject(
                Owner(namespace: namespace, name: name, uid: "u-\(name)"), resourceVersion: resourceVersion),
            severity: severity, reason: reason, message: message)
    }

    /// The write there must be.
    private static func written(_ write: EventWrite?) throws -> EventWrite {
        try #require(write)
    }

    private static func isCreate(_ write: EventWrite?) -> Bool {
        guard case .create = write?.action else { return false }
        return true
    }

    /// A new Event is a whole object of the core group that the API server takes.
    @Test func wholeEvent() throws {
        var recorder = EventRecorder()
        let write = try Self.written(
            recorder.record(Self.occurrence("added", severity: .warning, resourceVersion: "5"), now: Self.start))
        #expect(write.namespace == "shop")
        #expect(write.action == .create(write.event))
        let name = try #require(write.event["metadata"]?["name"]?.string)
        #expect(name.hasPrefix("pay."))
        #expect(
            write.event.serializedText()
                == #"{"apiVersion":"v1","kind":"Event","metadata":{"name":"\#(name)","namespace":"shop"},"#
                + #""involvedObject":{"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","namespace":"shop","#
                + #""name":"pay","uid":"u-pay","resourceVersion":"5"},"type":"Warning","reason":"RuleAdded","#
                + #""message":"added","source":{"component":"velokube"},"reportingComponent":"velokube","#
                + #""firstTimestamp":"2026-01-02T03:04:05Z","lastTimestamp":"2026-01-02T03:04:05Z","count":1}"#)
    }

    /// The same again is counted on the Event that is there, and the whole Event stays at hand for when it expired.
    @Test func sameAgain() throws {
        var recorder = EventRecorder()
        let first = try Self.written(recorder.record(Self.occurrence("added", resourceVersion: "5"), now: Self.start))
        let again = try Self.written(
            recorder.record(Self.occurrence("added", resourceVersion: "6"), now: Self.start + 60_000))
        let name = try #require(first.event["metadata"]?["name"]?.string)
        guard case .patch(name, let patch) = again.action else {
            Issue.record("\(again.action)")
            return
        }
        #expect(patch.serializedText() == #"{"count":2,"lastTimestamp":"2026-01-02T03:05:05Z","message":"added"}"#)
        #expect(again.event["count"]?.int == 2)
        #expect(again.event["firstTimestamp"]?.string == "2026-01-02T03:04:05Z")
        #expect(again.event["metadata"]?["name"]?.string == name)
    }

    /// Another resource, uid, reason, severity or message is another Event, each under a name of its own.
    @Test func differentEvents() {
        var recorder = EventRecorder()
        var recreated = Self.occurrence("m")
        recreated.subject.uid = "u-2"
        let writes = [
            Self.occurrence("m"), Self.occurrence("n"), Self.occurrence("m", name: "b"),
            Self.occurrence("m", namespace: "b"), Self.occurrence("m", reason: "RuleDeleted"),
            Self.occurrence("m", severity: .warning), recreated,
        ].map { recorder.record($0, now: Self.start) }
        #expect(writes.allSatisfy(Self.isCreate))
        #expect(Set(writes.compactMap { $0?.event["metadata"]?["name"]?.string }).count == writes.count)
    }

    /// Ten different messages of a reason have their own Events; the next ones share one, which is counted.
    @Test func combined() throws {
        var recorder = EventRecorder()
        for number in 0..<10 {
            let write = recorder.record(Self.occurrence("m\(number)"), now: Self.start + Int64(number))
            #expect(write?.event["message"]?.string == "m\(number)")
            #expect(Self.isCreate(write))
        }
        let eleventh = try Self.written(recorder.record(Self.occurrence("m10"), now: Self.start + 10))
        #expect(Self.isCreate(eleventh))
        #expect(eleventh.event["message"]?.string == "(combined from similar events): m10")
        let twelfth = try Self.written(recorder.record(Self.occurrence("m11"), now: Self.start + 11))
        #expect(!Self.isCreate(twelfth))
        #expect(twelfth.event["count"]?.int == 2)
        #expect(twelfth.event["message"]?.string == "(combined from similar events): m11")
        // One that has its own Event goes on there; another resource is not touched by it.
        #expect(recorder.record(Self.occurrence("m3"), now: Self.start + 12)?.event["message"]?.string == "m3")
        #expect(
            recorder.record(Self.occurrence("m12", name: "b"), now: Self.start + 13)?.event["message"]?.string == "m12")
    }

    /// After ten quiet minutes similar messages stand for themselves again.
    @Test func combinedEnds() {
        var recorder = EventRecorder()
        for number in 0..<11 {
            _ = recorder.record(Self.occurrence("m\(number)"), now: Self.start)
        }
        let soon = recorder.record(Self.occurrence("m20"), now: Self.start + 600_000)
        #expect(soon?.event["message"]?.string == "(combined from similar events): m20")
        let later = recorder.record(Self.occurrence("m21"), now: Self.start + 1_200_001)
        #expect(later?.event["message"]?.string == "m21")
    }

    /// One resource gets 25 writes at once and then one in five minutes; nobody else pays for it, and the count is
    /// true.
    @Test func spam() {
        var recorder = EventRecorder()
        let writes = (0..<100).map { _ in recorder.record(Self.occurrence("m"), now: Self.start) }
        #expect(writes.compactMap(\.self).count == 25)
        #expect(recorder.record(Self.occurrence("m"), now: Self.start + 299_999) == nil)
        #expect(recorder.record(Self.occurrence("m"), now: Self.start + 300_000)?.event["count"]?.int == 102)
        #expect(recorder.record(Self.occurrence("m"), now: Self.start + 300_001) == nil)
        #expect(recorder.record(Self.occurrence("m", name: "b"), now: Self.start + 300_001) != nil)
        let rested = (0..<100).map { _ in recorder.record(Self.occurrence("m"), now: Self.start + 86_400_000) }
        #expect(rested.compactMap(\.self).count == 25)
    }

    /// A new message that is held back is no Event to patch later: its next write makes it.
    @Test func heldBackIsNotPatched() {
        var recorder = EventRecorder()
        for _ in 0..<25 {
            _ = recorder.record(Self.occurrence("m"), now: Self.start)
        }
        #expect(recorder.record(Self.occurrence("new"), now: Self.start) == nil)
        #expect(Self.isCreate(recorder.record(Self.occurrence("new"), now: Self.start + 300_000)))
    }

    /// A wall clock that jumps back gives no wrong order of times and no more writes.
    @Test func clockBack() {
        var recorder = EventRecorder()
        for _ in 0..<25 {
            _ = recorder.record(Self.occurrence("m"), now: Self.start)
        }
        #expect(recorder.record(Self.occurrence("m"), now: 0) == nil)
        let write = recorder.record(Self.occurrence("m"), now: Self.start + 300_000)
        #expect(write?.event["lastTimestamp"]?.string == "2026-01-02T03:09:05Z")
    }

    /// Messages are held to 1024 bytes, between characters, and names to what the API server takes.
    @Test func longTexts() throws {
        var recorder = EventRecorder()
        let long = Self.occurrence(String(repeating: "é", count: 1000), name: String(repeating: "n", count: 253))
        let write = try Self.written(recorder.record(long, now: Self.start))
        let message = try #require(write.event["message"]?.string)
        #expect(message == String(repeating: "é", count: 510) + "…")
        #expect(message.utf8.count <= 1024)
        let family = String(repeating: "a", count: 1010) + "👩‍👩‍👧" + "b"
        #expect(Self.occurrence(family).message == String(repeating: "a", count: 1010) + "…")
        let name = try #require(write.event["metadata"]?["name"]?.string)
        #expect(name.utf8.count == 253)
        for number in 0..<10 {
            _ = recorder.record(Self.occurrence("m\(number)", name: "b"), now: Self.start)
        }
        let last = recorder.record(Self.occurrence(String(repeating: "x", count: 1024), name: "b"), now: Self.start)
        #expect(last?.event["message"]?.string?.utf8.count == 1024)
    }

    /// Memory is bounded: what was not heard of for long is forgotten, what was heard of lately is not.
    @Test func forgetting() {
        var recorder = EventRecorder()
        for number in 0..<10_000 {
            _ = recorder.record(Self.occurrence("m", name: "r\(number)"), now: Self.start)
        }
        #expect(Self.isCreate(recorder.record(Self.occurrence("m", name: "r0"), now: Self.start)))
        #expect(!Self.isCreate(recorder.record(Self.occurrence("m", name: "r9999"), now: Self.start)))
        #expect(recorder.rememberedCount <= 3 * 4096)
    }
}

@Suite struct KubernetesEventFoldTests {
    private static func occurrences(
        _ count: Int, namespace: String, reason: String = "RuleAdded",
        severity: EventOccurrence.Severity = .normal
    ) -> [EventOccurrence] {
        (0..<count).map { number in
            EventOccurrence(
                subject: EventSubject(Owner(namespace: namespace, name: "r\(number)", uid: "\(number)")),
                severity: severity, reason: reason, message: "m\(number)")
        }
    }

    /// Twenty are shown one by one, in their order.
    @Test func few() {
        let occurrences = Self.occurrences(12, namespace: "b") + Self.occurrences(8, namespace: "a")
        #expect(EventRecorder.fold(occurrences) == occurrences)
    }

    /// Twenty-one become one per namespace, warnings first, naming the first few; a single one stays as it is.
    @Test func many() {
        let single = Self.occurrences(1, namespace: "c")
        let folded = EventRecorder.fold(
            Self.occurrences(12, namespace: "b")
                + Self.occurrences(2, namespace: "b", reason: "NameConflict", severity: .warning)
                + Self.occurrences(6, namespace: "a") + single)
        #expect(
            folded == [
                EventOccurrence(
                    subject: EventSubject(apiVersion: "v1", kind: "Namespace", namespace: "a", name: "a"),
                    severity: .normal, reason: "RuleAdded",
                    message: "RuleAdded for 6 resources (r0, r1, r2, r3, r4 and 1 more)"),
                EventOccurrence(
                    subject: EventSubject(apiVersion: "v1", kind: "Namespace", namespace: "b", name: "b"),
                    severity: .warning, reason: "SeveralChanges",
                    message: "NameConflict for 2 resources (r0, r1); "
                        + "RuleAdded for 12 resources (r0, r1, r10, r11, r2 and 7 more)"),
            ] + single)
    }
}
