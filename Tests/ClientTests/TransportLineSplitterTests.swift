import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportLineSplitterTests {
    private func lines(_ chunks: [[UInt8]], lineBytesMax: Int = 100) throws -> [String] {
        var splitter = LineSplitter(lineBytesMax: lineBytesMax)
        var lines: [[UInt8]] = []
        for chunk in chunks { lines += try splitter.append(chunk) }
        if let rest = splitter.finish() { lines.append(rest) }
        #expect(splitter.finish() == nil)
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }

    // Wherever a stream is cut, the lines are the same.
    @Test(arguments: ["one\ntwo\r\n\nthrée\r\n\r\nfour", "a\n", "\n", "", "\r\n\r\n", "a\r\n", "a\rb\nc", "no end"])
    func theCutDoesNotMatter(_ text: String) throws {
        let bytes = Array(text.utf8)
        let whole = try lines([bytes])
        #expect(try lines(bytes.map { [$0] }) == whole)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let chunks = [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
                #expect(try lines(chunks) == whole, "cut at \(first) and \(second)")
            }
        }
    }

    // Line ends are taken off, empty lines left out, and the last line needs no end.
    @Test func linesAreWhatIsBetweenTheEnds() throws {
        let lines = try lines([Array("one\ntwo\r\n\nthrée\r\n\r\nfour".utf8)])
        #expect(lines == ["one", "two", "thrée", "four"])
    }

    // A line at the limit passes with either end, one over it never does, and what has no end is not gathered for ever.
    @Test(arguments: ["\n", "\r\n"])
    func theLimitHoldsAtEveryCut(_ end: String) throws {
        let (fits, tooLong) = (Array("12345\(end)".utf8), Array("123456\(end)".utf8))
        for cut in 0...fits.count {
            #expect(try lines([Array(fits[..<cut]), Array(fits[cut...])], lineBytesMax: 5) == ["12345"])
        }
        for cut in 0...tooLong.count {
            #expect(throws: LineTooLong(limit: 5)) {
                try lines([Array(tooLong[..<cut]), Array(tooLong[cut...])], lineBytesMax: 5)
            }
        }
        #expect(throws: LineTooLong(limit: 5)) { try lines([Array("1234567".utf8)], lineBytesMax: 5) }
    }
}
