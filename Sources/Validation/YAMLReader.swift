import BusinessPolicy
import Yams

/// Reads the YAML documents of one text as JSON with lines.
///
/// Aliases are resolved here and not by Yams, which would follow them without end: ten lines of aliases can stand for
/// more values than there is memory for. So Yams is shown each `*` as a character that the text does not have, and
/// gives back a plain scalar that begins with it, which nothing but an alias can be.
struct YAMLReader {
    /// How many values the aliases of one document may stand for together.
    static let aliasedValuesMax = 100_000
    /// How deep values may lie in one another, aliases included; the parser's own limit.
    static let depthMax = 1000

    /// How many keys marked by `?` times how many bytes a document may have: such keys can lie in one another, and Yams
    /// goes through all of a key again on each level.
    private static let explicitKeyWorkMax = 64 << 20

    private let lineOffset: Int
    /// What Yams sees in place of a `*`; nil where the text has none.
    private let aliasMark: Unicode.Scalar?
    private var anchors: [String: Anchored] = [:]
    private var aliasedValues = 0
    private var values = 0
    /// The deepest level so far within the value being read.
    private var deepest = 0

    private struct Anchored {
        var value: LinedJSON
        /// How many values it is made of, itself included.
        var values: Int
        /// How many levels it has below its own.
        var levels: Int
    }

    /// All documents of a text that begins on the given line. What comes before a fault is there all the same.
    static func documents(_ text: String, firstLine: Int) -> (values: [LinedJSON], fault: LinedJSON.Fault?) {
        guard explicitKeys(in: text) * text.utf8.count <= explicitKeyWorkMax else {
            let problem = "too many keys are marked by ? for a document of this size"
            return ([], LinedJSON.Fault(line: firstLine, problem: problem))
        }
        let hasStars = text.utf8.contains(UInt8(ascii: "*"))
        let mark = hasStars ? aliasMark(for: text) : nil
        guard !hasStars || mark != nil else {
            let problem = "with every character for private use in it the text cannot be read"
            return ([], LinedJSON.Fault(line: firstLine, problem: problem))
        }
        let shown = mark.map { replacing("*", by: $0, in: text) } ?? text
        var values: [LinedJSON] = []
        do {
            // While it lives, so do the anchors, of which nodes have but a weak reference.
            let parser = try Parser(yaml: shown, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                var reader = YAMLReader(lineOffset: firstLine - 1, aliasMark: mark)
                values.append(try reader.value(root, depth: 1))
            }
            return (values, nil)
        } catch {
            // At the end of a text the parser stands on a line that is not there.
            var fault = fault(error, firstLine: firstLine)
            let lineBreaks = text.utf8.dropLast().count { $0 == UInt8(ascii: "\n") }
            fault.line = min(fault.line, firstLine + lineBreaks)
            return (values, fault)
        }
    }

    /// How many `?` there may be that begin a key.
    private static func explicitKeys(in text: String) -> Int {
        var count = 0
        var (before, last) = (UInt8(ascii: " "), UInt8(ascii: " "))
        for byte in text.utf8 {
            if last == UInt8(ascii: "?"), byte.isSpace, !isLetterOrDigit(before) { count += 1 }
            (before, last) = (last, byte)
        }
        return count
    }

    private init(lineOffset: Int, aliasMark: Unicode.Scalar?) {
        self.lineOffset = lineOffset
        self.aliasMark = aliasMark
    }

    /// A character for private use that is not in the text.
    private static func aliasMark(for text: String) -> Unicode.Scalar? {
        let privateUse: ClosedRange<UInt32> = 0xE000...0xF8FF
        let used = Set(text.unicodeScalars.lazy.map(\.value).filter(privateUse.contains))
        return privateUse.first { !used.contains($0) }.flatMap(Unicode.Scalar.init)
    }

    private static func replacing(_ old: Unicode.Scalar, by new: Unicode.Scalar, in text: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.lazy.map { $0 == old ? new : $0 })
        return String(scalars)
    }

    // MARK: Values

    private mutating func value(_ node: Node, depth: Int) throws(LinedJSON.Fault) -> LinedJSON {
        if let alias = try alias(node) { return try aliased(alias, by: node, depth: depth) }
        let (valuesBefore, deepestBefore) = (values, deepest)
        deepest = depth
        values += 1
        let value = try LinedJSON(line: line(of: node), content: content(node, depth: depth))
        if let anchor = node.anchor {
            anchors[anchor.rawValue] = Anchored(
                value: value, values: values - valuesBefore, levels: deepest - depth)
        }
        deepest = max(deepest, deepestBefore)
        return value
    }

    private mutating func content(_ node: Node, depth: Int) throws(LinedJSON.Fault) -> LinedJSON.Content {
        switch node {
        case .scalar(let scalar):
            return .scalar(Self.value(of: scalar, text: restored(scalar.string)))
        case .sequence(let sequence):
            var elements: [LinedJSON] = []
            elements.reserveCapacity(sequence.count)
            for element in sequence { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var members: [LinedJSON.Member] = []
            members.reserveCapacity(mapping.count)
            for (key, node) in mapping {
                if case .scalar(let scalar) = key, scalar.style == .plain, scalar.string == "<<" {
                    members += try merged(value(node, depth: depth + 1), line: line(of: key))
                } else {
                    let name = try name(key, depth: depth + 1)
                    let value = try value(node, depth: depth + 1)
                    members.append(LinedJSON.Member(name: name, line: line(of: key), value: value))
                }
            }
            return .object(members)
        case .alias:
            throw fault(node, "an alias stands where none can")
        }
    }

    private static func value(of scalar: Node.Scalar, text: String) -> JSON {
        switch Tag.Name(rawValue: scalar.tag.description) {
        case .implicit, .null, .bool, .int, .float: YAMLScalar.value(of: text)
        default: .string(text)
        }
    }

    /// The name of a member, which may be written as a number or as true or false.
    private mutating func name(_ key: Node, depth: Int) throws(LinedJSON.Fault) -> String {
        guard case .scalar(var json) = try value(key, depth: depth).content else {
            throw fault(key, "the name of a member is no text")
        }
        // To compare keys the parser has taken plain ones for texts.
        if case .scalar(let scalar) = key, scalar.style == .plain, try alias(key) == nil, let text = json.string {
            json = YAMLScalar.value(of: text)
        }
        switch json {
        case .string(let text), .number(let text): return text
        case .bool(let truth): return truth ? "true" : "false"
        case .null, .array, .object: throw fault(key, "the name of a member is no text")
        }
    }

    /// The members that `<<` brings in. As with kubectl a later member wins, and of several maps the first.
    private func merged(_ value: LinedJSON, line: Int) throws(LinedJSON.Fault) -> [LinedJSON.Member] {
        var members: [LinedJSON.Member] = []
        for map in (value.array ?? [value]).reversed() {
            guard let more = map.members else {
                throw LinedJSON.Fault(line: line, problem: "<< is given something that has no members")
            }
            members += more
        }
        return members
    }

    // MARK: Aliases

    /// The name of the anchor, where a node is an alias.
    private func alias(_ node: Node) throws(LinedJSON.Fault) -> String? {
        guard case .scalar(let scalar) = node, scalar.style == .plain, let aliasMark,
            scalar.string.unicodeScalars.first == aliasMark
        else { return nil }
        let name = String(scalar.string.unicodeScalars.dropFirst())
        let isName = name.utf8.allSatisfy {
            Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        guard isName, !name.isEmpty else {
            throw fault(node, "a text that begins with * must be in quotes")
        }
        return name
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private mutating func aliased(_ name: String, by node: Node, depth: Int) throws(LinedJSON.Fault) -> LinedJSON {
        guard let anchored = anchors[name] else {
            throw fault(node, "there is no anchor \"\(name)\" before this alias")
        }
        aliasedValues += anchored.values
        guard aliasedValues <= Self.aliasedValuesMax else {
            throw fault(node, "the aliases up to here stand for more than \(Self.aliasedValuesMax) values")
        }
        guard depth + anchored.levels <= Self.depthMax else {
            throw fault(node, "with its aliases this is more than \(Self.depthMax) levels deep")
        }
        values += anchored.values
        deepest = max(deepest, depth + anchored.levels)
        return anchored.value
    }

    private func restored(_ text: String) -> String {
        guard let aliasMark, text.unicodeScalars.contains(aliasMark) else { return text }
        return Self.replacing(aliasMark, by: "*", in: text)
    }

    // MARK: Faults

    private func line(of node: Node) -> Int {
        lineOffset + (node.mark?.line ?? 1)
    }

    private func fault(_ node: Node, _ problem: String) -> LinedJSON.Fault {
        LinedJSON.Fault(line: line(of: node), problem: problem)
    }

    private static func fault(_ error: any Error, firstLine: Int) -> LinedJSON.Fault {
        switch error {
        case let fault as LinedJSON.Fault:
            return fault
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            let isNesting = problem.hasPrefix("Maximum nesting level")
            return LinedJSON.Fault(
                line: firstLine + mark.line - 1,
                problem: isNesting ? "this is more than \(depthMax) levels deep" : problem)
        case YamlError.duplicatedKeysInMapping(_, let context):
            return LinedJSON.Fault(
                line: firstLine + context.mark.line - 1, problem: "this member is written more than once")
        case YamlError.reader(let problem, let offset, _, let text):
            let before = text.prefix(offset ?? 0).utf8.count { $0 == UInt8(ascii: "\n") }
            return LinedJSON.Fault(line: firstLine + before, problem: problem)
        default:
            return LinedJSON.Fault(line: firstLine, problem: "it cannot be read")
        }
    }
}
