/// A JSON value that keeps what other JSON types lose: the order of members, members given twice, and the spelling of
/// numbers.
///
/// The QOS document belongs to the WAN team; what velokube does not understand must come back as it was.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own spelling, already checked against JSON's grammar.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    /// One member of an object. An object is a list of them, as a name may be given twice.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}

extension JSON {
    /// The last member of that name of an object; nil for anything else.
    ///
    /// Setting replaces that member where it stands, appends it when there is none (a value that is no object becomes
    /// one), and removes every member of the name for nil.
    package subscript(_ name: String) -> JSON? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.last { $0.name == name }?.value
        }
        set {
            guard case .object(var members) = self else {
                if let newValue { self = .object([Member(name, newValue)]) }
                return
            }
            self = .null  // so that `members` is the only reference and is changed in place
            if let newValue {
                if let index = members.lastIndex(where: { $0.name == name }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(name, newValue))
                }
            } else {
                members.removeAll { $0.name == name }
            }
            self = .object(members)
        }
    }

    /// The element at that index of an array; nil for anything else.
    package subscript(_ index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The text of a string; nil for anything else, as with the other readers here: a wrong type is never guessed at.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The value of `true` or `false`.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// A number that is a whole one (`8`, `8.0`, `8e0`) and fits.
    package var int: Int? {
        guard case .number(let spelling) = self else { return nil }
        return Int(spelling) ?? JSONNumber(spelling).flatMap(\.int)
    }

    /// The elements of an array.
    package var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members of an object, in their order.
    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// A whole number, in its usual spelling.
    package static func int(_ value: Int) -> JSON { .number(String(value)) }
}

/// A number apart from its spelling: `8080`, `8080.0` and `8.08e3` are the same one.
struct JSONNumber: Hashable {
    private var isNegative: Bool
    /// Significant digits, neither beginning nor ending with a zero; empty for zero.
    private var digits: [UInt8]
    /// The power of ten that the digits, read as a whole number, are multiplied with.
    private var exponent: Int

    /// Exponents are read up to here; beyond it, no number that anybody means differs from another.
    private static let exponentMax = 1_000_000

    /// Nil when the text is no number as JSON spells it.
    init?(_ spelling: String) {
        var digits: [UInt8] = []
        var exponent = 0
        var reader = Substring(spelling).utf8
        let isNegative = reader.first == UInt8(ascii: "-")
        if isNegative { reader.removeFirst() }
        var isFraction = false
        while let byte = reader.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
            reader.removeFirst()
            if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            digits.append(byte)
            if isFraction { exponent -= 1 }
        }
        guard !digits.isEmpty else { return nil }
        if !reader.isEmpty {
            guard let power = Self.power(reader.dropFirst()) else { return nil }
            exponent += power
        }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        self.digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        self.isNegative = isNegative && !self.digits.isEmpty
        self.exponent = self.digits.isEmpty ? 0 : exponent
    }

    /// Reads what follows the `e`. Nil when that is no number: `1e.example.com` is a host, not one.
    private static func power(_ text: Substring.UTF8View) -> Int? {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard !digits.isEmpty, digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
        let size = min(Int(Substring(digits)) ?? exponentMax, exponentMax)
        return isNegative ? -size : size
    }

    /// The number as an `Int`, when it is a whole one and fits.
    var int: Int? {
        guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
        let zeros = repeatElement(UInt8(ascii: "0"), count: exponent)
        let text = String(decoding: digits + zeros, as: UTF8.self)
        return Int((isNegative ? "-" : "") + (text.isEmpty ? "0" : text))
    }
}
