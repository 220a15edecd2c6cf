import BusinessPolicy
import HTTPTransport
import Kubernetes
import Testing

@Suite struct KubernetesWatchTests {
    private static let added = #"{"type":"ADDED","object":{"metadata":{"name":"ä","managedFields":[1]}}}"#
    private static let modified = #"{"type":"MODIFIED","object":{"metadata":{"name":"b"},"spec":{"x":"1\n2"}}}"#
    private static let bookmark =
        #"{"type":"BOOKMARK","object":{"kind":"X","metadata":{"resourceVersion":"12","creationTimestamp":null}}}"#
    private static let deleted = #"{"type":"DELETED","object":{"metadata":{"name":"c"}}}"#
    private static let gone =
        #"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#
        + #""message":"too old resource version: 1 (5)","reason":"Expired","code":410}}"#

    private static func named(_ name: String) -> JSON {
        .object([.init("metadata", .object([.init("name", .string(name))]))])
    }

    private static let events: [WatchEvent] = [
        .added(named("ä")),
        .modified(
            .object([
                .init("metadata", .object([.init("name", .string("b"))])),
                .init("spec", .object([.init("x", .string("1\n2"))])),
            ])),
        .bookmark(resourceVersion: "12"), .deleted(named("c")),
        .error(APIStatus(code: 410, reason: "Expired", message: "too old resource version: 1 (5)")),
    ]

    private static var text: [UInt8] {
        Array(([added, modified, bookmark, deleted, gone].joined(separator: "\n") + "\n").utf8)
    }

    /// Opens a watch over a body of those chunks.
    private func watch(_ chunks: [[UInt8]], then ending: TransportError? = nil) async throws -> WatchStream {
        let script = KubernetesScript({ _ in .success(KubernetesScript.response(chunks: chunks, then: ending)) })
        let client = try plainClient(script)
        return try await client.watch(
            .velocloudBP, namespace: nil, from: "1", timeoutSeconds: 300, idle: .seconds(1))
    }

    private func read(_ stream: WatchStream) async throws(KubernetesError) -> [WatchEvent] {
        var events: [WatchEvent] = []
        while let event = try await stream.next() {
            events.append(event)
        }
        return events
    }

    /// The request names the version, asks for bookmarks, has no limit of time or size as a whole, but one of silence.
    @Test func request() async throws {
        let script = KubernetesScript(KubernetesScript.reply(""))
        let client = try plainClient(script)
        let stream = try await client.watch(
            .velocloudBP, namespace: "shop", from: "42", timeoutSeconds: 401, idle: .seconds(431))
        let request = try #require(await script.requests.first)
        #expect(
            request.url == "https://api.example:6443/apis/vcn.cloud/v1/namespaces/shop/velocloudbps"
                + "?watch=true&allowWatchBookmarks=true&resourceVersion=42&timeoutSeconds=401")
        #expect(request.timeouts.whole == nil)
        #expect(request.timeouts.idle == .seconds(431))
        #expect(request.timeouts.firstByte == .seconds(30))
        #expect(request.bodyBytesMax == nil)
        #expect(try await stream.next() == nil)
    }

    /// A watch that is to begin with all objects says so, and from which version on.
    @Test(arguments: ["", "42"]) func requestWithInitialEvents(version: String) async throws {
        let script = KubernetesScript(KubernetesScript.reply(""))
        _ = try await plainClient(script).watch(
            .velocloudBP, namespace: nil, from: version, sendsInitialEvents: true, timeoutSeconds: 401,
            idle: .seconds(1))
        let request = try #require(await script.requests.first)
        #expect(
            request.url == "https://api.example:6443/apis/vcn.cloud/v1/velocloudbps?watch=true&allowWatchBookmarks=true"
                + "&resourceVersion=\(version)&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                + "&timeoutSeconds=401")
    }

    /// Only the mark with the value true ends the initial state.
    @Test(arguments: [
        (#"{"k8s.io/initial-events-end":"true"}"#, true), (#"{"k8s.io/initial-events-end":"false"}"#, false),
        (#"{"k8s.io/initial-events-end":true}"#, false), (#"{"other":"true"}"#, false), ("null", false),
    ])
    func endOfInitialEvents(annotations: String, isEnd: Bool) async throws {
        let line =
            #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7","annotations":"# + annotations + "}}}"
        #expect(
            try await read(watch([Array(line.utf8)])) == [.bookmark(resourceVersion: "7", endsInitialEvents: isEnd)])
    }

    /// Wherever the network cuts the stream in two, within a character or a line break too, the events are the same.
    @Test func cutAnywhere() async throws {
        let text = Self.text
        for cut in 0...text.count {
            let events = try await read(watch([Array(text[..<cut]), Array(text[cut...])]))
            #expect(events == Self.events, "cut at \(cut)")
        }
        #expect(try await read(watch(text.map { [$0] })) == Self.events)
    }

    /// Carriage returns, empty lines and a last line without its break change nothing.
    @Test func lineBreaks() async throws {
        let text = "\r\n\n" + Self.deleted + "\r\n \n" + Self.bookmark
        #expect(
            try await read(watch([Array(text.utf8)]))
                == [.deleted(Self.named("c")), .bookmark(resourceVersion: "12")])
    }

    /// What cannot be read is said and passed over; the events after it come all the same (R13).
    @Test(arguments: [
        "no json", #"{"type":"ADDED"}"#, #"{"object":{"metadata":{}}}"#, "[]", "null",
        #"{"type":"SURPRISE","object":{"metadata":{}}}"#,
        #"{"type":"ADDED","object":{"kind":"Table","metadata":{},"rows":[]}}"#,
        #"{"type":"ADDED","object":{"kind":"Status"}}"#, #"{"type":"MODIFIED","object":null}"#,
        #"{"type":"BOOKMARK","object":{"metadata":{}}}"#,
        #"{"type":"ERROR","object":{"metadata":{}}}"#, #"{"type":7,"object":{"metadata":{}}}"#,
        #"{"type":"ADDED","object":{"metadata":{"name":"half"#,
    ])
    func unreadableLine(line: String) async throws {
        let events = try await read(watch([Array((line + "\n" + Self.deleted + "\n").utf8)]))
        #expect(events.count == 2)
        #expect(events.last == .deleted(Self.named("c")))
        guard case .unreadable = events.first else {
            Issue.record("\(line) was read as \(String(describing: events.first))")
            return
        }
    }

    /// Silence and a broken connection end the watch as what they are, after the events that had come; then it is over.
    @Test(arguments: [TransportError.timeout("idle"), .broken("reset"), .cancelled])
    func endings(ending: TransportError) async throws {
        let stream = try await watch([Array((Self.deleted + "\n{\"type\"").utf8)], then: ending)
        #expect(try await stream.next() == .deleted(Self.named("c")))
        let failure = await kubernetesFailure { () async throws(KubernetesError) in try await stream.next() }
        #expect(failure == .transport(ending))
        #expect(try await stream.next() == nil)
    }

    /// An object at the limits of annotations and managed fields fits into a line; a line without end does not.
    @Test func longLines() async throws {
        let long = #"{"type":"ADDED","object":{"metadata":{"name":""# + String(repeating: "x", count: 6 << 20)
        let chunk = Array((long + "\"}}}\n").utf8)
        guard case .added = try await watch([chunk]).next() else {
            Issue.record("6 MiB were not read")
            return
        }
        let endless = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        let stream = try await watch(Array(repeating: endless, count: 9))
        let failure = await kubernetesFailure { () async throws(KubernetesError) in try await stream.next() }
        guard case .unreadable = failure else {
            Issue.record("9 MiB without a line break ended in \(String(describing: failure))")
            return
        }
        #expect(try await stream.next() == nil)
    }

    /// A watch refused at its start is the server's status, for a relist when the version is gone.
    @Test func refused() async throws {
        let body = #"{"kind":"Status","reason":"Expired","message":"too old","code":410}"#
        let script = KubernetesScript(KubernetesScript.reply(410, body))
        let client = try plainClient(script)
        let failure = await kubernetesFailure { () async throws(KubernetesError) in
            try await client.watch(.velocloudBP, namespace: nil, from: "1", timeoutSeconds: 9, idle: .seconds(1))
        }
        #expect(failure == .status(APIStatus(code: 410, reason: "Expired", message: "too old")))
    }
}
