/// What a VCO was asked, call by call.
package struct CallLog: Hashable, Sendable {
    /// The latest calls, oldest first; `callsKept` of them.
    package private(set) var entries: [Entry] = []
    /// All calls by full method name; `-` counts requests that were no call.
    package private(set) var counts: [String: Int] = [:]
    /// Calls that changed something, by full method name.
    package private(set) var effects: [String: Int] = [:]
    /// How many calls the log remembers.
    package static let callsKept = 10_000

    private var numbersGiven = 0

    /// One call.
    package struct Entry: Hashable, Sendable {
        /// Counts from 1.
        package var number: Int
        /// Wall clock milliseconds.
        package var at: Int64
        package var method: String
        /// Status answered; nil when the connection was dropped.
        package var status: Int?
        /// `rows` of a write that was carried out, though its reply may have been lost.
        package var rows: Int?
        /// The fault that befell it.
        package var fault: String?
    }

    /// Every call so far.
    package var total: Int { numbersGiven }

    mutating func add(_ entry: Entry) {
        numbersGiven += 1
        var entry = entry
        entry.number = numbersGiven
        counts[entry.method, default: 0] += 1
        if entry.rows ?? 0 > 0 { effects[entry.method, default: 0] += 1 }
        // Dropped in blocks, so that keeping the log costs nothing per call.
        if entries.count >= Self.callsKept * 2 { entries.removeFirst(Self.callsKept) }
        entries.append(entry)
    }
}
