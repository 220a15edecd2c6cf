import BusinessPolicy

/// One Event as it stands on the server: what it is about, and how often it was so.
struct KubernetesEvent: Hashable, Sendable {
    private static let component = "velokube"
    /// The longest name of an object.
    private static let nameMax = 253

    let name: String
    private let occurrence: EventOccurrence
    private var message: String
    private let firstAt: Int64
    private var lastAt: Int64
    private var count = 1

    /// A new Event. Its name is the resource's with the time and a number that never comes twice, as client-go's are.
    init(_ occurrence: EventOccurrence, message: String, now: Int64, sequence: Int64) {
        let suffix = "." + String(max(0, now) &* 1_000_000 &+ sequence % 1_000_000, radix: 16)
        var stem = occurrence.subject.name.utf8.prefix(Self.nameMax - suffix.utf8.count)
        while let last = stem.last, last == UInt8(ascii: ".") || last == UInt8(ascii: "-") {
            stem = stem.dropLast()
        }
        self.name = String(decoding: Array(stem), as: UTF8.self) + suffix
        self.occurrence = occurrence
        self.message = message.held(toBytes: EventOccurrence.messageBytesMax)
        self.firstAt = now
        self.lastAt = now
    }

    /// The same happened again (or, in a combined Event, something like it).
    mutating func countAgain(message: String, now: Int64) {
        self.message = message.held(toBytes: EventOccurrence.messageBytesMax)
        lastAt = max(lastAt, now)
        count += 1
    }

    /// What a repetition changes.
    var patch: JSON {
        .object([
            .init("count", .int(count)),
            .init("lastTimestamp", .string(timestamp(milliseconds: lastAt))),
            .init("message", .string(message)),
        ])
    }

    /// The whole Event, of the core group.
    var json: JSON {
        let subject = occurrence.subject
        let involved: [(String, String?)] = [
            ("apiVersion", subject.apiVersion), ("kind", subject.kind), ("namespace", subject.namespace),
            ("name", subject.name), ("uid", subject.uid), ("resourceVersion", subject.resourceVersion),
        ]
        return .object([
            .init("apiVersion", .string("v1")),
            .init("kind", .string("Event")),
            .init(
                "metadata",
                .object([.init("name", .string(name)), .init("namespace", .string(subject.namespace))])),
            .init(
                "involvedObject",
                .object(involved.compactMap { name, value in value.map { .init(name, .string($0)) } })),
            .init("type", .string(occurrence.severity.rawValue)),
            .init("reason", .string(occurrence.reason)),
            .init("message", .string(message)),
            .init("source", .object([.init("component", .string(Self.component))])),
            .init("reportingComponent", .string(Self.component)),
            .init("firstTimestamp", .string(timestamp(milliseconds: firstAt))),
            .init("lastTimestamp", .string(timestamp(milliseconds: lastAt))),
            .init("count", .int(count)),
        ])
    }
}
