import enum BusinessPolicy.JSON

/// JSON text taken apart one level at a time, without building values and without respelling anything.
///
/// The simulator keeps what it was sent as bytes: only then can a test see that a client changed what it must not.
enum JSONText {
    /// The text is no JSON at this byte.
    struct Malformed: Error, Hashable {
        var offset: Int
    }

    /// One member of an object: its name, and its value as it was spelt.
    struct Field: Hashable, Sendable {
        var name: String
        var value: [UInt8]
    }

    /// The members of an object, in order.
    static func fields(of bytes: [UInt8]) throws(Malformed) -> [Field] {
        var cursor = Cursor(bytes)
        var fields: [Field] = []
        try cursor.enter("{")
        if cursor.leave("}") { return try cursor.ending(with: fields) }
        repeat {
            let name = try cursor.value()
            try cursor.enter(":")
            fields.append(Field(name: try text(of: name), value: try cursor.value()))
        } while cursor.leave(",")
        try cursor.enter("}")
        return try cursor.ending(with: fields)
    }

    /// The elements of an array, in order.
    static func elements(of bytes: [UInt8]) throws(Malformed) -> [[UInt8]] {
        var cursor = Cursor(bytes)
        var elements: [[UInt8]] = []
        try cursor.enter("[")
        if cursor.leave("]") { return try cursor.ending(with: elements) }
        repeat {
            elements.append(try cursor.value())
        } while cursor.leave(",")
        try cursor.enter("]")
        return try cursor.ending(with: elements)
    }

    /// The string that a JSON string spells.
    static func text(of spelling: [UInt8]) throws(Malformed) -> String {
        guard spelling.count >= 2, spelling.first == UInt8(ascii: "\"") else { throw Malformed(offset: 0) }
        if !spelling.contains(UInt8(ascii: "\\")) {
            return String(decoding: spelling[1..<(spelling.count - 1)], as: UTF8.self)
        }
        guard case .string(let text)? = try? JSON.parse(spelling) else { throw Malformed(offset: 0) }
        return text
    }

    /// An object of these members.
    static func object(_ fields: [Field]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += JSON.string(field.name).serialized()
            bytes.append(UInt8(ascii: ":"))
            bytes += field.value
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// An array of these elements.
    static func array(_ elements: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        bytes.reserveCapacity(elements.reduce(2) { $0 + $1.count + 1 })
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += element
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// A place in the text, moving forward only.
    private struct Cursor {
        private let bytes: [UInt8]
        private var offset = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        /// Steps over a mark that must stand here.
        mutating func enter(_ mark: Unicode.Scalar) throws(Malformed) {
            if !leave(mark) { throw Malformed(offset: offset) }
        }

        /// Steps over a mark if it stands here.
        mutating func leave(_ mark: Unicode.Scalar) -> Bool {
            skipWhiteSpace()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: mark) else { return false }
            offset += 1
            return true
        }

        /// Steps over one whole value and returns its spelling.
        mutating func value() throws(Malformed) -> [UInt8] {
            skipWhiteSpace()
            let start = offset
            guard let end = bytes.withUnsafeBufferPointer({ Self.end(of: $0, from: start) }) else {
                throw Malformed(offset: start)
            }
            offset = end
            return Array(bytes[start..<end])
        }

        func ending<Parts>(with parts: Parts) throws(Malformed) -> Parts {
            var rest = self
            rest.skipWhiteSpace()
            guard rest.offset == bytes.count else { throw Malformed(offset: rest.offset) }
            return parts
        }

        private mutating func skipWhiteSpace() {
            while offset < bytes.count, Self.isWhiteSpace(bytes[offset]) { offset += 1 }
        }

        private static func isWhiteSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        }

        /// Where the value that starts here ends; nil when it does not.
        private static func end(of bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
            guard start < bytes.count else { return nil }
            switch bytes[start] {
            case UInt8(ascii: "\""): return endOfString(bytes, start)
            case UInt8(ascii: "{"), UInt8(ascii: "["): return endOfNest(bytes, start)
            default:
                var index = start
                while index < bytes.count, !isDelimiter(bytes[index]) { index += 1 }
                return index > start ? index : nil
            }
        }

        private static func isDelimiter(_ byte: UInt8) -> Bool {
            isWhiteSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
                || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"")
        }

        private static func endOfString(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
            var index = start + 1
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") { return index + 1 }
                index += byte == UInt8(ascii: "\\") ? 2 : 1
            }
            return nil
        }

        private static func endOfNest(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
            var index = start
            var depth = 0
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return index + 1 }
                case UInt8(ascii: "\""):
                    guard let end = endOfString(bytes, index) else { return nil }
                    index = end
                    continue
                default: break
                }
                index += 1
            }
            return nil
        }
    }
}
