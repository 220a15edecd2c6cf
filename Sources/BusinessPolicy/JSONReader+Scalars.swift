extension JSONReader {
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Consumes `true`, `false` or `null`.
    mutating func readLiteral() throws(JSONError) -> JSON {
        if takeAll("true") { return .bool(true) }
        if takeAll("false") { return .bool(false) }
        if takeAll("null") { return .null }
        throw failure("a value is missing")
    }

    private mutating func takeAll(_ literal: StaticString) -> Bool {
        let end = position + literal.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let wanted = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        guard bytes[position..<end].elementsEqual(wanted) else { return false }
        advance(to: end)
        return true
    }

    /// Consumes a number and says where it stands.
    mutating func readNumber() throws(JSONError) -> Range<Int> {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try takeDigits() }
        if take(UInt8(ascii: ".")) { try takeDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try takeDigits()
        }
        return start..<position
    }

    /// Consumes one digit or more.
    private mutating func takeDigits() throws(JSONError) {
        var end = position
        while end < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[end]) { end += 1 }
        guard end > position else { throw failure("a digit is missing") }
        advance(to: end)
    }

    /// Consumes a string; its opening quote comes next.
    mutating func readString() throws(JSONError) -> String {
        let start = position + 1
        var end = start
        var bits: UInt8 = 0
        while end < bytes.count {
            let byte = bytes[end]
            if byte == Self.quote {
                advance(to: end + 1)
                return try text(UnsafeBufferPointer(rebasing: bytes[start..<end]), isASCII: bits < 0x80, at: start)
            }
            if byte == Self.backslash { return try readEscapedString(from: start, firstEscape: end) }
            if byte < 0x20 { throw failure("a control character in a string", at: end) }
            bits |= byte
            end += 1
        }
        throw failure("a string does not end", at: start - 1)
    }

    /// Checks a string without building it, unless it is of the rare kind that must be built to be checked.
    mutating func skipString() throws(JSONError) {
        let start = position + 1
        var end = start
        var ignored: [UInt8] = []
        while end < bytes.count {
            let byte = bytes[end]
            end += 1
            if byte == Self.quote {
                advance(to: end)
                return
            }
            if byte == Self.backslash {
                advance(to: end)
                try readEscape(into: &ignored)
                end = position
            } else if byte < 0x20 || byte >= 0x80 {
                advance(to: start - 1)
                _ = try readString()
                return
            }
        }
        throw failure("a string does not end", at: start - 1)
    }

    private mutating func text(
        _ bytes: UnsafeBufferPointer<UInt8>, isASCII: Bool, at start: Int
    ) throws(JSONError) -> String {
        // To decode is several times faster than to validate, but would mend what is not UTF-8.
        if !isASCII, String(validating: bytes, as: UTF8.self) == nil {
            throw failure("a string that is not UTF-8", at: start)
        }
        return strings?.text(bytes) ?? String(decoding: bytes, as: UTF8.self)
    }

    private mutating func readEscapedString(from start: Int, firstEscape: Int) throws(JSONError) -> String {
        var decoded = Array(bytes[start..<firstEscape])
        advance(to: firstEscape)
        while let byte = next {
            if byte == Self.quote {
                advance(to: position + 1)
                return try decoded.withUnsafeBufferPointer { (buffer) throws(JSONError) in
                    try text(buffer, isASCII: false, at: start)
                }
            }
            if byte < 0x20 { throw failure("a control character in a string") }
            advance(to: position + 1)
            if byte == Self.backslash {
                try readEscape(into: &decoded)
            } else {
                decoded.append(byte)
            }
        }
        throw failure("a string does not end", at: start - 1)
    }

    /// Consumes what follows a backslash.
    private mutating func readEscape(into decoded: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw failure("a string does not end") }
        advance(to: position + 1)
        switch byte {
        case Self.quote, Self.backslash, UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"): decoded.append(contentsOf: String(try readEscapedScalar()).utf8)
        default: throw failure("an unknown escape", at: position - 1)
        }
    }

    /// Consumes what follows `\u`, with its second half where it has one.
    private mutating func readEscapedScalar() throws(JSONError) -> Character {
        let first = try readHex()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        let afterFirst = position
        if first < 0xDC00, take(Self.backslash), take(UInt8(ascii: "u")) {
            let second = try readHex()
            let value = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
            if (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(value) { return Character(scalar) }
        }
        advance(to: afterFirst)  // half a pair: what follows stands for itself
        return "\u{FFFD}"
    }

    private mutating func readHex() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("a hexadecimal digit is missing")
            }
            value = value << 4 | UInt32(digit)
            advance(to: position + 1)
        }
        return value
    }
}
