import BusinessPolicy
import HTTPTransport

/// The events of one watch, whose head has arrived; made by `KubernetesClient.watch`.
///
/// It is for one reader. Letting go of it ends the watch.
package actor WatchStream {
    private let body: HTTPBody
    private let lineBytesMax: Int
    private var splitter: LineSplitter
    /// Lines that have arrived, and how many of them have been handed out.
    private var lines: [[UInt8]] = []
    private var handedOut = 0
    private var isAtEnd = false
    private let strings: Locked<StringPool>

    init(body: HTTPBody, lineBytesMax: Int, strings: Locked<StringPool>) {
        self.body = body
        self.strings = strings
        self.lineBytesMax = lineBytesMax
        self.splitter = LineSplitter(lineBytesMax: lineBytesMax)
    }

    /// The next event; nil when the server has closed the watch, which it does in the normal course of things.
    ///
    /// A silence longer than the watch's `idle` throws `.transport(.timeout)`. After a throw there are no more events.
    package func next() async throws(KubernetesError) -> WatchEvent? {
        while true {
            while handedOut < lines.count {
                let line = lines[handedOut]
                handedOut += 1
                if !line.allSatisfy({ $0 <= UInt8(ascii: " ") }) {
                    return WatchEvent(line: line, sharing: strings)
                }
            }
            guard !isAtEnd else { return nil }
            lines = try await arrivedLines()
            handedOut = 0
        }
    }

    /// Reads one chunk; at the end of the body, what stands after its last line break.
    private func arrivedLines() async throws(KubernetesError) -> [[UInt8]] {
        let chunk: [UInt8]?
        do throws(TransportError) {
            chunk = try await body.next()
        } catch {
            isAtEnd = true
            throw .transport(error)
        }
        guard let chunk else {
            isAtEnd = true
            return splitter.finish().map { [$0] } ?? []
        }
        do throws(LineTooLong) {
            return try splitter.append(chunk)
        } catch {
            isAtEnd = true
            throw .unreadable("a line of the watch is longer than \(lineBytesMax) bytes")
        }
    }
}
