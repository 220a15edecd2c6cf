import BusinessPolicy
import YAML

/// Takes a file apart into its documents, as kubectl does: at lines of `---`, each part by itself JSON or else YAML, so
/// that one which cannot be read does not hide the others.
enum TextDocuments {
    /// Every document that can be read, and where the others cannot.
    static func read(_ bytes: [UInt8]) -> (values: [LinedJSON], faults: [LinedJSON.Fault]) {
        var values: [LinedJSON] = []
        var faults: [LinedJSON.Fault] = []
        for part in parts(bytes) {
            let (more, fault) = read(part)
            values += more
            if let fault { faults.append(fault) }
        }
        return (values, faults)
    }

    private struct Part {
        var firstLine: Int
        var bytes: ArraySlice<UInt8>
        /// Whether something follows the `---` before it, which kubectl refuses.
        var isMarred = false
    }

    private static let separator = Array("---".utf8)

    private static func parts(_ bytes: [UInt8]) -> [Part] {
        // The byte order mark that some editors put before UTF-8.
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var parts: [Part] = []
        var part = Part(firstLine: 1, bytes: bytes[start..<start])
        var (position, line) = (start, 1)
        while position < bytes.count {
            let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
            if bytes[position..<end].starts(with: separator) {
                parts.append(part)
                let rest = bytes[position..<end].dropFirst(separator.count).first { !$0.isSpace }
                part = Part(
                    firstLine: line + 1, bytes: bytes[end..<end], isMarred: rest != nil && rest != UInt8(ascii: "#"))
            } else {
                part.bytes = bytes[part.bytes.startIndex..<end]
            }
            position = end
            line += 1
        }
        return parts + [part]
    }

    private static func read(_ part: Part) -> (values: [LinedJSON], fault: LinedJSON.Fault?) {
        if part.isMarred {
            let problem = "only a comment may follow the --- between documents"
            return ([], LinedJSON.Fault(line: part.firstLine - 1, problem: problem))
        }
        if part.bytes.first(where: { !$0.isSpace }) == UInt8(ascii: "{") {
            let result = LinedJSON.parse(Array(part.bytes), firstLine: part.firstLine)
            // It may be YAML's flow style.
            if result.fault == nil || !result.values.isEmpty { return result }
        }
        guard let text = String(validating: part.bytes, as: UTF8.self) else {
            let lines = part.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            return ([], LinedJSON.Fault(line: part.firstLine + bad, problem: "this is not UTF-8 text"))
        }
        return YAMLReader.documents(text, firstLine: part.firstLine, plainScalars: .typed)
    }
}

extension UInt8 {
    /// Whether the byte is white space, line breaks included.
    var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
