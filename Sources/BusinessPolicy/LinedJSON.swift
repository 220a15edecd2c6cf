/// A JSON value that knows which line each of its parts is on, for messages to the person who wrote the text.
package struct LinedJSON: Sendable {
    /// From 1.
    package var line: Int
    package var content: Content

    package enum Content: Sendable {
        /// Anything but an array or an object.
        case scalar(JSON)
        case array([LinedJSON])
        case object([Member])
    }

    package struct Member: Sendable {
        package var name: String
        /// Where the name is.
        package var line: Int
        package var value: LinedJSON

        package init(name: String, line: Int, value: LinedJSON) {
            self.name = name
            self.line = line
            self.value = value
        }
    }

    package init(line: Int, content: Content) {
        self.line = line
        self.content = content
    }

    /// The last member of that name of an object, as with `JSON`.
    package subscript(_ name: String) -> Member? {
        members?.last { $0.name == name }
    }

    /// The members of an object, in their order.
    package var members: [Member]? {
        if case .object(let members) = content { members } else { nil }
    }

    /// The elements of an array.
    package var array: [LinedJSON]? {
        if case .array(let elements) = content { elements } else { nil }
    }

    /// The text of a string.
    package var string: String? {
        if case .scalar(let value) = content { value.string } else { nil }
    }

    /// The value without its lines.
    package var json: JSON {
        switch content {
        case .scalar(let value): value
        case .array(let elements): .array(elements.map(\.json))
        case .object(let members): .object(members.map { JSON.Member($0.name, $0.value.json) })
        }
    }

    /// Where a text cannot be read, and why; without the words of the text, which may be secret.
    package struct Fault: Error, Hashable, Sendable {
        package var line: Int
        package var problem: String

        package init(line: Int, problem: String) {
            self.line = line
            self.problem = problem
        }
    }
}

extension LinedJSON {
    /// Reads JSON texts that follow one another, each under the rules of `JSON.parse`; an object must not have two
    /// members of one name. What comes before a fault is there all the same.
    package static func parse(_ bytes: [UInt8], firstLine: Int = 1) -> (values: [LinedJSON], fault: Fault?) {
        bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            var lines = LineCounter(line: firstLine)
            var values: [LinedJSON] = []
            do throws(JSONError) {
                while !reader.isAtEnd() { values.append(try read(&reader, &lines, depth: 0)) }
                return (values, nil)
            } catch {
                return (values, Fault(line: lines.line(at: error.offset, of: buffer), problem: error.problem))
            }
        }
    }

    private static func read(
        _ reader: inout JSONReader, _ lines: inout LineCounter, depth: Int
    ) throws(JSONError) -> LinedJSON {
        let kind = try reader.kindOfNext()
        let line = lines.line(at: reader.position, of: reader.bytes)
        switch kind {
        case .object:
            var members: [Member] = []
            var names: Set<String> = []
            try reader.eachMember(depth: depth) { (reader, name) throws(JSONError) in
                let line = lines.line(at: reader.position, of: reader.bytes)
                guard names.insert(name).inserted else { throw reader.failure("an object has two members of one name") }
                members.append(Member(name: name, line: line, value: try read(&reader, &lines, depth: depth + 1)))
            }
            return LinedJSON(line: line, content: .object(members))
        case .array:
            var elements: [LinedJSON] = []
            try reader.eachElement(depth: depth) { (reader) throws(JSONError) in
                elements.append(try read(&reader, &lines, depth: depth + 1))
            }
            return LinedJSON(line: line, content: .array(elements))
        case .string, .number, .literal:
            return LinedJSON(line: line, content: .scalar(try reader.readValue(depth: depth)))
        }
    }

    /// Turns offsets, which only grow, into lines, in one pass over the text.
    private struct LineCounter {
        var line: Int
        private var offset = 0

        init(line: Int) {
            self.line = line
        }

        mutating func line(at offset: Int, of bytes: UnsafeBufferPointer<UInt8>) -> Int {
            while self.offset < min(offset, bytes.count) {
                if bytes[self.offset] == UInt8(ascii: "\n") { line += 1 }
                self.offset += 1
            }
            return line
        }
    }
}
