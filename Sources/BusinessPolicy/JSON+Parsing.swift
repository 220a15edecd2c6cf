extension JSON {
    /// How deep arrays and objects may lie in one another; far more than any document needs, far less than the stack.
    package static let depthMax = 128

    /// Reads one JSON text (RFC 8259, UTF-8, at most `depthMax` levels deep).
    ///
    /// Strict in everything but one: half a surrogate pair in an escape (`\ud83d`) becomes U+FFFD. Web tiers cut
    /// strings between the halves, and such a string somewhere in a profile must not make all of it unreadable. Whoever
    /// needs the text as it was keeps its bytes.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSON in
            var reader = JSONReader(buffer)
            let value = try reader.readValue(depth: 0)
            try reader.finish()
            return value
        }
    }

    /// The same, for objects that come by the thousand and of which not everything is of use.
    ///
    /// - Parameters:
    ///   - strings: what it holds is not made again.
    ///   - leavingOut: paths of member names; what stands there is checked, but is not part of the value.
    package static func parse(
        _ bytes: ArraySlice<UInt8>, sharing strings: inout StringPool, leavingOut paths: [[String]]
    ) throws(JSONError) -> JSON {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSON in
            var reader = JSONReader(buffer)
            reader.strings = strings
            // Only one of the two may hold the pool, or its first change would copy it.
            strings = StringPool()
            defer { strings = reader.strings ?? StringPool() }
            let value = try reader.readValue(depth: 0, leavingOut: paths.map { $0[...] })
            try reader.finish()
            return value
        }
    }

    /// The bytes of the value at a path of member names and indexes, as they stand in the text; nil if it is not there.
    ///
    /// Lets a caller take one member out of a reply (the `data` of a module) without respelling it. The whole text is
    /// checked; of members given twice the last counts, as everywhere.
    package static func slice(of bytes: [UInt8], at path: [PathStep]) throws(JSONError) -> [UInt8]? {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> [UInt8]? in
            var reader = JSONReader(buffer)
            let range = try reader.locate(path[...], depth: 0)
            try reader.finish()
            return range.map { Array(buffer[$0]) }
        }
    }

    /// One step down into a value.
    package enum PathStep: Hashable, Sendable {
        case member(String)
        case index(Int)
    }
}

/// Where a text stops being JSON, and why.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Offset in bytes.
    package var offset: Int
    package var problem: String

    package init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    package var description: String { "not JSON at byte \(offset): \(problem)" }
}

/// Reads JSON from bytes in a single pass. Valid only inside the closure that lends it the buffer.
///
/// Every access is guarded by `position < bytes.count`: the buffer itself does not check in release builds.
struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0
    /// Where texts that were read before are looked for; nil makes each anew.
    var strings: StringPool?

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Fails unless nothing but white space is left.
    mutating func finish() throws(JSONError) {
        if !isAtEnd() { throw failure("something follows the value") }
    }

    /// Skips white space and says whether anything is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == bytes.count
    }

    mutating func readValue(depth: Int, leavingOut paths: [ArraySlice<String>] = []) throws(JSONError) -> JSON {
        switch try kindOfNext() {
        case .object:
            var members: [JSON.Member] = []
            try eachMember(depth: depth) { (reader, name) throws(JSONError) in
                let inside = Self.paths(paths, inside: name)
                if inside.contains(where: { $0.isEmpty }) {
                    _ = try reader.skipValue(depth: depth + 1)
                } else {
                    members.append(
                        JSON.Member(name, try reader.readValue(depth: depth + 1, leavingOut: inside)))
                }
            }
            return .object(members)
        case .array:
            var elements: [JSON] = []
            try eachElement(depth: depth) { (reader) throws(JSONError) in
                elements.append(try reader.readValue(depth: depth + 1))
            }
            return .array(elements)
        case .string: return .string(try readString())
        case .number: return .number(String(decoding: bytes[try readNumber()], as: UTF8.self))
        case .literal: return try readLiteral()
        }
    }

    /// What is left of the paths that begin with this name.
    private static func paths(_ paths: [ArraySlice<String>], inside name: String) -> [ArraySlice<String>] {
        guard paths.contains(where: { $0.first == name }) else { return [] }
        return paths.filter { $0.first == name }.map { $0.dropFirst() }
    }

    /// Checks a value without building it, and says where it stands.
    mutating func skipValue(depth: Int) throws(JSONError) -> Range<Int> {
        let kind = try kindOfNext()
        let start = position
        switch kind {
        case .object:
            try eachItem(closing: UInt8(ascii: "}"), depth: depth) { (reader) throws(JSONError) in
                try reader.skipName()
                _ = try reader.skipValue(depth: depth + 1)
            }
        case .array:
            try eachElement(depth: depth) { (reader) throws(JSONError) in _ = try reader.skipValue(depth: depth + 1) }
        case .string: try skipString()
        case .number: _ = try readNumber()
        case .literal: _ = try readLiteral()
        }
        return start..<position
    }

    /// Consumes a value and says where in it the path leads to.
    mutating func locate(_ path: ArraySlice<JSON.PathStep>, depth: Int) throws(JSONError) -> Range<Int>? {
        let kind = try kindOfNext()
        var found: Range<Int>?
        switch (path.first, kind) {
        case (nil, _):
            return try skipValue(depth: depth)
        case (.member(let wanted), .object):
            try eachMember(depth: depth) { (reader, name) throws(JSONError) in
                if name == wanted {
                    found = try reader.locate(path.dropFirst(), depth: depth + 1)
                } else {
                    _ = try reader.skipValue(depth: depth + 1)
                }
            }
        case (.index(let wanted), .array):
            var index = 0
            try eachElement(depth: depth) { (reader) throws(JSONError) in
                if index == wanted {
                    found = try reader.locate(path.dropFirst(), depth: depth + 1)
                } else {
                    _ = try reader.skipValue(depth: depth + 1)
                }
                index += 1
            }
        default:
            _ = try skipValue(depth: depth)
        }
        return found
    }

    // MARK: Containers

    /// Consumes an array; `element` must consume one value each time.
    @inline(__always)
    mutating func eachElement(
        depth: Int, _ element: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try eachItem(closing: UInt8(ascii: "]"), depth: depth, element)
    }

    /// Consumes an object; `member` must consume one value each time.
    @inline(__always)
    mutating func eachMember(
        depth: Int, _ member: (inout JSONReader, _ name: String) throws(JSONError) -> Void
    ) throws(JSONError) {
        try eachItem(closing: UInt8(ascii: "}"), depth: depth) { (reader) throws(JSONError) in
            let name = try reader.readName()
            try member(&reader, name)
        }
    }

    @inline(__always)
    private mutating func eachItem(
        closing: UInt8, depth: Int, _ item: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard depth < JSON.depthMax else { throw failure("nested more than \(JSON.depthMax) levels deep") }
        position += 1
        skipSpace()
        if take(closing) { return }
        while true {
            try item(&self)
            skipSpace()
            if take(closing) { return }
            guard take(UInt8(ascii: ",")) else { throw failure("`,` or the closing bracket is missing") }
            skipSpace()
        }
    }

    private mutating func readName() throws(JSONError) -> String {
        guard next == UInt8(ascii: "\"") else { throw failure("the name of a member is missing") }
        let name = try readString()
        try takeColon()
        return name
    }

    private mutating func skipName() throws(JSONError) {
        guard next == UInt8(ascii: "\"") else { throw failure("the name of a member is missing") }
        try skipString()
        try takeColon()
    }

    private mutating func takeColon() throws(JSONError) {
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw failure("`:` is missing") }
    }

    // MARK: Bytes

    enum Kind { case object, array, string, number, literal }

    /// Skips white space and says by its first byte what comes.
    mutating func kindOfNext() throws(JSONError) -> Kind {
        skipSpace()
        guard let byte = next else { throw failure("the text ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .literal
        default: throw failure("a value is missing")
        }
    }

    var next: UInt8? {
        @inline(__always) get { position < bytes.count ? bytes[position] : nil }
    }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func advance(to position: Int) {
        self.position = position
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func failure(_ problem: String, at offset: Int? = nil) -> JSONError {
        JSONError(offset: offset ?? position, problem: problem)
    }
}
