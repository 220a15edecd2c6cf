import BusinessPolicy

/// Turns what happened into Kubernetes Events without flooding anyone, in the manner of client-go's correlator.
///
/// In this order: the same thing again is counted on the Event that is there; too many different messages for one
/// reason are combined into one Event; and one resource that will not be quiet is held to a trickle. A value: it says
/// what to write, and the caller writes it.
package struct EventRecorder: Sendable {
    /// The limits, client-go's defaults.
    private enum Limit {
        /// So many different messages of one reason get an Event each; the next ones are combined.
        static let similar = 10
        /// After so long without one, similar Events are counted anew.
        static let similarMilliseconds: Int64 = 600_000
        /// So many writes at once for one resource, then one per `refillMilliseconds`.
        static let burst: Int64 = 25
        static let refillMilliseconds: Int64 = 300_000
        /// So many Events, reasons and resources are remembered; then the older half is forgotten.
        static let remembered = 4096
    }

    private static let combinedPrefix = "(combined from similar events): "

    private var groups = RecentlyUsed<Similar, Group>(countMax: Limit.remembered)
    private var events = RecentlyUsed<Topic, KubernetesEvent>(countMax: Limit.remembered)
    private var buckets = RecentlyUsed<EventSubject, Bucket>(countMax: Limit.remembered)
    private var recorded: Int64 = 0

    package init() {}

    /// How many Events, reasons and resources are remembered at the moment.
    package var rememberedCount: Int { groups.count + events.count + buckets.count }

    /// What to write for an occurrence; nil when it is held back. `now` is wall-clock milliseconds.
    package mutating func record(_ occurrence: EventOccurrence, now: Int64) -> EventWrite? {
        recorded += 1
        var subject = occurrence.subject
        subject.resourceVersion = nil
        let similar = Similar(subject: subject, severity: occurrence.severity, reason: occurrence.reason)
        let isCombined = isOneTooMany(occurrence.message, of: similar, now: now)
        let topic = Topic(similar: similar, message: isCombined ? nil : occurrence.message)
        let message = isCombined ? Self.combinedPrefix + occurrence.message : occurrence.message
        let isAllowed = takeToken(of: subject, now: now)

        guard var event = events[topic] else {
            guard isAllowed else { return nil }
            let event = KubernetesEvent(occurrence, message: message, now: now, sequence: recorded)
            events[topic] = event
            return EventWrite(namespace: subject.namespace, action: .create(event.json), event: event.json)
        }
        // Counted even when held back, so that the next one shown has the right number.
        event.countAgain(message: message, now: now)
        events[topic] = event
        guard isAllowed else { return nil }
        let action = EventWrite.Action.patch(name: event.name, event.patch)
        return EventWrite(namespace: subject.namespace, action: action, event: event.json)
    }

    private mutating func isOneTooMany(_ message: String, of similar: Similar, now: Int64) -> Bool {
        var group = groups[similar] ?? Group(lastAt: now)
        if now - group.lastAt > Limit.similarMilliseconds {
            group = Group(lastAt: now)
        }
        group.lastAt = now
        let isKnown = group.messages.contains(message)
        let isFull = group.messages.count >= Limit.similar
        if !isKnown, !isFull {
            group.messages.insert(message)
        }
        groups[similar] = group
        return !isKnown && isFull
    }

    private mutating func takeToken(of subject: EventSubject, now: Int64) -> Bool {
        var bucket = buckets[subject] ?? Bucket(tokens: Limit.burst, refilledAt: now)
        let refills = max(0, now - bucket.refilledAt) / Limit.refillMilliseconds
        bucket.tokens = min(Limit.burst, bucket.tokens + refills)
        bucket.refilledAt = bucket.tokens == Limit.burst ? now : bucket.refilledAt + refills * Limit.refillMilliseconds
        let isAllowed = bucket.tokens > 0
        bucket.tokens -= isAllowed ? 1 : 0
        buckets[subject] = bucket
        return isAllowed
    }

    /// Occurrences that differ only in their message.
    private struct Similar: Hashable, Sendable {
        var subject: EventSubject
        var severity: EventOccurrence.Severity
        var reason: String
    }

    /// What one Event is about; without a message it is the combined one.
    private struct Topic: Hashable, Sendable {
        var similar: Similar
        var message: String?
    }

    /// The different messages of similar occurrences, as far as they have an Event each.
    private struct Group: Sendable {
        var messages: Set<String> = []
        var lastAt: Int64
    }

    /// How many writes a resource may still have.
    private struct Bucket: Sendable {
        var tokens: Int64
        var refilledAt: Int64
    }
}

/// A dictionary that forgets its older half when it grows over its limit.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let countMax: Int
    private var uses: UInt64 = 0
    private var entries: [Key: (value: Value, usedAt: UInt64)] = [:]

    init(countMax: Int) {
        self.countMax = countMax
    }

    var count: Int { entries.count }

    /// Reading does not count as a use; each of our reads is followed by a write.
    subscript(key: Key) -> Value? {
        get { entries[key]?.value }
        set {
            uses += 1
            entries[key] = newValue.map { ($0, uses) }
            if entries.count > countMax {
                let median = entries.values.map(\.usedAt).sorted()[entries.count / 2]
                entries = entries.filter { $0.value.usedAt >= median }
            }
        }
    }
}
