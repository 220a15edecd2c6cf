/// Gathers the head of a reply from the lines that libcurl delivers one by one.
struct ReplyHeadParser {
    private enum Phase {
        /// Inside a head. Leads to itself after an interim reply (100, 103), else to `done`.
        case reading
        /// The head is out; what comes now are trailers, which nobody reads.
        case done
    }

    private var phase = Phase.reading
    private var head = ReplyHead(status: 0, headers: [])
    private var size = 0

    /// What a line led to.
    enum Step {
        case more
        case complete(ReplyHead)
        case tooLarge(limit: Int)
    }

    /// The largest head taken, all interim replies included: libcurl bounds only the single line.
    static let headBytesMax = 256 << 10

    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard case .reading = phase else { return .more }
        size += bytes.count
        guard size <= Self.headBytesMax else { return .tooLarge(limit: Self.headBytesMax) }
        var line = bytes[...]
        while let last = line.last, last == 0x0A || last == 0x0D { line = line.dropLast() }
        if line.starts(with: "HTTP/".utf8) {
            let words = line.split(separator: 0x20, maxSplits: 2)
            let status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) : nil
            head = ReplyHead(status: status ?? 0, headers: [])
            return .more
        }
        guard !line.isEmpty else {
            guard head.status >= 200 else { return .more }
            phase = .done
            return .complete(head)
        }
        if let colon = line.firstIndex(of: 0x3A), colon > line.startIndex {
            head.headers.append(
                HTTPHeader(Self.text(line[..<colon]), Self.text(line[line.index(after: colon)...])))
        }
        return .more
    }

    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
