import BusinessPolicy

/// Reads the YAML documents of one text as JSON with lines.
///
/// No text is too much for it: what aliases stand for is counted, since ten lines of them can stand for more values
/// than there is memory for, and so is depth.
package struct YAMLReader: ~Copyable {
    /// What scalars without quotes and tags are.
    package enum PlainScalars {
        /// What kubectl takes them for in a manifest: texts, numbers, true, false or null.
        case typed
        /// Texts just as they are written, but for null: where `0443` is no number.
        case texts
    }

    /// How many values the aliases of one document may stand for together.
    private static let aliasedValuesMax = 100_000
    /// How deep values may lie in one another, aliases included.
    private static let depthMax = 1000

    private var events: YAMLEvents
    private let plainScalars: PlainScalars
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
    ///
    /// An object has a name twice only where `<<` brings it in; then the later member counts, as with kubectl.
    package static func documents(
        _ text: String, firstLine: Int = 1, plainScalars: PlainScalars
    ) -> (values: [LinedJSON], fault: LinedJSON.Fault?) {
        var text = text
        return text.withUTF8 { bytes in
            var reader = YAMLReader(
                events: YAMLEvents(of: bytes, firstLine: firstLine), plainScalars: plainScalars)
            var values: [LinedJSON] = []
            do throws(LinedJSON.Fault) {
                while let value = try reader.document() { values.append(value) }
                return (values, nil)
            } catch {
                return (values, error)
            }
        }
    }

    private init(events: consuming YAMLEvents, plainScalars: PlainScalars) {
        self.events = events
        self.plainScalars = plainScalars
    }

    /// The next document; nil where there is none.
    private mutating func document() throws(LinedJSON.Fault) -> LinedJSON? {
        var event = try events.next()
        while case .begin = event.kind { event = try events.next() }
        if case .textEnd = event.kind { return nil }
        anchors = [:]
        aliasedValues = 0
        let value = try value(event, depth: 1)
        _ = try events.next()  // its end
        return value
    }

    // MARK: Values

    private mutating func value(_ event: YAMLEvents.Event, depth: Int) throws(LinedJSON.Fault) -> LinedJSON {
        if case .alias(let name) = event.kind { return try aliased(name, line: event.line, depth: depth) }
        guard depth <= Self.depthMax else {
            throw LinedJSON.Fault(line: event.line, problem: "this is more than \(Self.depthMax) levels deep")
        }
        let (valuesBefore, deepestBefore) = (values, deepest)
        deepest = depth
        values += 1
        let value = try LinedJSON(line: event.line, content: content(event, depth: depth))
        if let anchor = event.anchor {
            anchors[anchor] = Anchored(value: value, values: values - valuesBefore, levels: deepest - depth)
        }
        deepest = max(deepest, deepestBefore)
        return value
    }

    private mutating func content(
        _ event: YAMLEvents.Event, depth: Int
    ) throws(LinedJSON.Fault) -> LinedJSON.Content {
        switch event.kind {
        case .scalar(let scalar):
            return .scalar(value(of: scalar))
        case .arrayBegin:
            var elements: [LinedJSON] = []
            while let element = try nextInside() { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .objectBegin:
            return .object(try members(depth: depth + 1))
        case .alias, .begin, .end, .textEnd:
            preconditionFailure("no value begins here")
        }
    }

    /// The next event within an array or object; nil at its end.
    private mutating func nextInside() throws(LinedJSON.Fault) -> YAMLEvents.Event? {
        let event = try events.next()
        if case .end = event.kind { return nil }
        return event
    }

    private func value(of scalar: YAMLEvents.Scalar) -> JSON {
        if scalar.isText { return .string(scalar.text) }
        let value = YAMLScalar.value(of: scalar.text)
        return switch plainScalars {
        case .typed: value
        case .texts: value == .null ? .null : .string(scalar.text)
        }
    }

    // MARK: Members

    private mutating func members(depth: Int) throws(LinedJSON.Fault) -> [LinedJSON.Member] {
        var members: [LinedJSON.Member] = []
        var names: Set<String> = []
        while let key = try nextInside() {
            if case .scalar(let scalar) = key.kind, scalar.isMerge {
                members += try merged(value(events.next(), depth: depth), line: key.line)
                continue
            }
            let name = try name(key, depth: depth)
            guard names.insert(name).inserted else {
                throw LinedJSON.Fault(line: key.line, problem: "this member is written more than once")
            }
            let value = try value(events.next(), depth: depth)
            members.append(LinedJSON.Member(name: name, line: key.line, value: value))
        }
        return members
    }

    /// The name of a member, which may be written as a number or as true or false.
    private mutating func name(_ key: YAMLEvents.Event, depth: Int) throws(LinedJSON.Fault) -> String {
        switch try value(key, depth: depth).content {
        case .scalar(.string(let text)), .scalar(.number(let text)):
            return text
        case .scalar(.bool(let truth)):
            return truth ? "true" : "false"
        case .scalar, .array, .object:
            throw LinedJSON.Fault(line: key.line, problem: "the name of a member is no text")
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

    private mutating func aliased(_ name: String, line: Int, depth: Int) throws(LinedJSON.Fault) -> LinedJSON {
        guard let anchored = anchors[name] else {
            // Without the name: it may be a password that begins with a star and has no quotes.
            throw LinedJSON.Fault(line: line, problem: "there is no anchor of this name before this alias")
        }
        aliasedValues += anchored.values
        guard aliasedValues <= Self.aliasedValuesMax else {
            let problem = "the aliases up to here stand for more than \(Self.aliasedValuesMax) values"
            throw LinedJSON.Fault(line: line, problem: problem)
        }
        guard depth + anchored.levels <= Self.depthMax else {
            let problem = "with its aliases this is more than \(Self.depthMax) levels deep"
            throw LinedJSON.Fault(line: line, problem: problem)
        }
        values += anchored.values
        deepest = max(deepest, depth + anchored.levels)
        return anchored.value
    }
}
