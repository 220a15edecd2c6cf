import BusinessPolicy
import CYAML

/// The events of one YAML text, in their order.
///
/// The only owner of libyaml's parser: what C has allocated does not leave it, and ends with it.
struct YAMLEvents: ~Copyable {
    struct Event {
        var line: Int
        var kind: Kind
        /// The name that aliases know the value by which begins here.
        var anchor: String?
    }

    enum Kind {
        /// A document or the text begins.
        case begin
        case alias(String)
        case scalar(Scalar)
        case arrayBegin
        case objectBegin
        /// The innermost array, object or document ends.
        case end
        /// The text ends; nothing may be asked for after it.
        case textEnd
    }

    struct Scalar {
        var text: String
        /// Whether it is a text whatever it looks like, by its quotes or its tag.
        var isText: Bool
        /// Whether it is the name `<<`, which brings in the members of other maps.
        var isMerge: Bool
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeBufferPointer<UInt8>
    private let firstLine: Int

    /// The text is UTF-8, begins on the given line, and must stay where it is for as long as this lives.
    init(of text: UnsafeBufferPointer<UInt8>, firstLine: Int) {
        parser = .allocate(capacity: 1)
        self.text = text
        self.firstLine = firstLine
        guard yaml_parser_initialize(parser) == 1 else { preconditionFailure("there is no memory for libyaml") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event; after a fault there is none.
    mutating func next() throws(LinedJSON.Fault) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
        defer { yaml_event_delete(&event) }
        let line = firstLine + Int(event.start_mark.line)
        return switch event.type {
        case YAML_ALIAS_EVENT:
            Event(line: line, kind: .alias(String(cString: event.data.alias.anchor)))
        case YAML_SCALAR_EVENT:
            Event(
                line: line, kind: .scalar(Self.scalar(event.data.scalar)),
                anchor: Self.string(event.data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT:
            Event(line: line, kind: .arrayBegin, anchor: Self.string(event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT:
            Event(line: line, kind: .objectBegin, anchor: Self.string(event.data.mapping_start.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT, YAML_DOCUMENT_END_EVENT:
            Event(line: line, kind: .end)
        case YAML_STREAM_END_EVENT:
            Event(line: line, kind: .textEnd)
        default:
            Event(line: line, kind: .begin)
        }
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> Scalar {
        let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        guard let tag = string(scalar.tag) else {
            let isPlain = scalar.plain_implicit == 1
            return Scalar(text: text, isText: !isPlain, isMerge: isPlain && text == "<<")
        }
        let prefix = "tag:yaml.org,2002:"
        let isRead = ["null", "bool", "int", "float"].contains { tag == prefix + $0 }
        return Scalar(text: text, isText: !isRead, isMerge: tag == prefix + "merge")
    }

    private static func string(_ text: UnsafePointer<UInt8>?) -> String? {
        text.map { String(cString: $0) }
    }

    // MARK: Faults

    /// Where the parser stopped, and why: in libyaml's words, which have none of the text's.
    private func fault() -> LinedJSON.Fault {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "it cannot be read"
        if state.error == YAML_READER_ERROR {
            return LinedJSON.Fault(line: firstLine + lineBreaks(before: state.problem_offset), problem: problem)
        }
        // At the end of a text the parser stands on a line that is not there.
        let lastLine = firstLine + lineBreaks(before: text.count - 1)
        let isStar = state.context.map { String(cString: $0) } == "while scanning an alias"
        return LinedJSON.Fault(
            line: min(firstLine + Int(state.problem_mark.line), lastLine),
            problem: isStar ? "a text that begins with * must be in quotes" : problem)
    }

    private func lineBreaks(before offset: Int) -> Int {
        text.prefix(max(offset, 0)).count { $0 == UInt8(ascii: "\n") }
    }
}
