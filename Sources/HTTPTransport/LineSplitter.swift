/// Cuts a stream of chunks into lines; where the chunks end does not matter.
///
/// A line ends with "\n" or "\r\n", neither of which is part of it. Empty lines are left out: servers send them to keep
/// a connection awake.
package struct LineSplitter: Sendable {
    private var pending: [UInt8] = []
    private let lineBytesMax: Int

    /// The limit is for one line, without its end; a watch event holds one object, and those are far smaller.
    package init(lineBytesMax: Int = 8 << 20) {
        self.lineBytesMax = lineBytesMax
    }

    /// The lines that this chunk completes. After `LineTooLong` the stream is of no more use.
    package mutating func append(_ chunk: [UInt8]) throws(LineTooLong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = chunk[...]
        while let end = rest.firstIndex(of: 0x0A) {
            pending += rest[..<end]
            rest = rest[(end + 1)...]
            if pending.last == 0x0D { pending.removeLast() }
            guard pending.count <= lineBytesMax else { throw LineTooLong(limit: lineBytesMax) }
            if !pending.isEmpty { lines.append(pending) }
            pending = []
        }
        pending += rest
        // One byte more than the limit may still be the "\r" of the line's end.
        guard pending.count <= lineBytesMax + 1 else { throw LineTooLong(limit: lineBytesMax) }
        return lines
    }

    /// What is left when the stream ends: a last line without an end, or one cut off in the middle; nil for nothing.
    package mutating func finish() -> [UInt8]? {
        defer { pending = [] }
        return pending.isEmpty ? nil : pending
    }
}

/// A line grew over the limit, in bytes.
package struct LineTooLong: Error, Hashable, Sendable {
    package var limit: Int

    package init(limit: Int) {
        self.limit = limit
    }
}
