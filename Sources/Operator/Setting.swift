/// One setting's text and where it came from, so that a complaint can name what to change.
struct Setting {
    typealias Fault = RunConfiguration.ConfigurationError

    /// The flag or the variable.
    let source: String
    let text: String

    /// The flag wins over the variable, the variable over the default.
    init(
        _ flag: String, _ given: String?, _ variable: String? = nil, _ variables: Variables = Variables([:]),
        default: String
    ) {
        if let given {
            (source, text) = (flag, given)
        } else if let variable, let value = variables[variable] {
            (source, text) = (variable, value)
        } else {
            (source, text) = (flag, `default`)
        }
    }

    func fault(_ allowed: String) -> Fault {
        Fault("\(source) is \"\(text)\": \(allowed)")
    }

    /// One of an enumeration's names.
    func oneOf<Value: CaseIterable & RawRepresentable<String>>() throws(Fault) -> Value {
        guard let value = Value(rawValue: text) else {
            throw fault("must be one of \(Self.names(Value.self))")
        }
        return value
    }

    /// Some of an enumeration's names, with commas between; none is fine.
    func setOf<Value: CaseIterable & RawRepresentable<String> & Hashable>() throws(Fault) -> Set<Value> {
        var values: Set<Value> = []
        for name in text.split(separator: ",") {
            let trimmed = name.split(separator: " ").joined(separator: " ")
            guard let value = Value(rawValue: trimmed) else {
                throw fault("must be any of \(Self.names(Value.self)), with commas between")
            }
            values.insert(value)
        }
        return values
    }

    func number(in range: ClosedRange<Int>) throws(Fault) -> Int {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(text), range.contains(number) else {
            throw fault("must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func truth() throws(Fault) -> Bool {
        switch text.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw fault("must be true or false")
        }
    }

    func path() throws(Fault) -> String {
        guard !text.isEmpty, !text.hasSuffix("/"), !text.utf8.contains(0) else {
            throw fault("must be the path of a file")
        }
        return text
    }

    func address() throws(Fault) -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw fault("must be an address and a port, such as :8080, 127.0.0.1:0 or [::1]:8080")
        }
        return address
    }

    /// A namespace's name (RFC 1123 label); empty for all.
    func namespace() throws(Fault) -> String? {
        if text.isEmpty { return nil }
        let isLabel = text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-")
        }
        guard isLabel, text.utf8.count <= 63, !text.hasPrefix("-"), !text.hasSuffix("-") else {
            throw fault("must be the name of one namespace, or nothing for all of them")
        }
        return text
    }

    /// `5m`, `30s`, `1h30m`, `1500ms`: whole numbers with units, the larger unit first, each at most once.
    func duration(from lower: Duration, to upper: Duration) throws(Fault) -> Duration {
        guard let duration = Self.duration(text) else {
            throw fault("must be a duration such as 30s, 5m or 1h30m")
        }
        guard duration >= lower, duration <= upper else {
            throw fault("must be from \(Self.words(lower)) to \(Self.words(upper))")
        }
        return duration
    }

    private static func duration(_ text: String) -> Duration? {
        var rest = text[...]
        var total: Duration?
        for (unit, milliseconds) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let letters = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard letters == unit else { continue }
            // Nine digits: no product of these overflows.
            guard (1...9).contains(digits.count), let count = Int(digits) else { return nil }
            total = (total ?? .zero) + .milliseconds(count * milliseconds)
            rest = rest.dropFirst(digits.count + letters.count)
        }
        return rest.isEmpty ? total : nil
    }

    /// A duration as it would be typed: whole seconds and more only.
    static func words(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard seconds > 0, attoseconds == 0 else { return "\(duration)" }
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
        return parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
    }

    private static func names<Value: CaseIterable & RawRepresentable<String>>(_: Value.Type) -> String {
        Value.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
