import BusinessPolicy

/// What a plain scalar of YAML stands for.
///
/// The reading of kubectl (sigs.k8s.io/yaml, YAML 1.1): `on`, `yes` and `y` are true, `0443` is octal, `4_43` is 443.
/// Not-a-number and the infinities, which JSON has not and kubectl refuses, are left texts.
package enum YAMLScalar {
    /// The value in JSON, so that a file is judged as kubectl would send it.
    package static func value(of text: String) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": .null
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE": .bool(true)
        case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE": .bool(false)
        default: number(text).map(JSON.number) ?? .string(text)
        }
    }

    /// A number in JSON's spelling.
    private static func number(_ text: String) -> String? {
        switch text.utf8.first ?? 0 {
        case UInt8(ascii: "."):
            return decimal(text)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let plain = text.filter { $0 != "_" }
            return integer(plain) ?? decimal(plain)
        default:
            return nil
        }
    }

    private static func integer(_ text: String) -> String? {
        let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
        var digits = text.dropFirst(isSigned ? 1 : 0)
        var radix = 10
        for (prefix, base) in [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)]
        where digits.count > prefix.count && digits.lowercased().hasPrefix(prefix) {
            digits = digits.dropFirst(prefix.count)
            radix = base
            break
        }
        // The standard library would take a sign here.
        guard digits.first?.isHexDigit == true else { return nil }
        if let number = Int((text.hasPrefix("-") ? "-" : "") + digits, radix: radix) { return String(number) }
        return isSigned ? nil : UInt(digits, radix: radix).map { String($0) }
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func decimal(_ text: String) -> String? {
        var rest = Substring(text)
        func take(_ characters: String, max: Int = .max) -> Substring {
            let taken = rest.prefix(max).prefix { characters.contains($0) }
            rest = rest.dropFirst(taken.count)
            return taken
        }
        let digits = "0123456789"
        let sign = take("+-", max: 1)
        let whole = take(digits)
        let fraction = take(".", max: 1).isEmpty ? "" : take(digits)
        var exponent: Substring = "0"
        if !take("eE", max: 1).isEmpty {
            let sign = take("+-", max: 1)
            let power = take(digits)
            guard !power.isEmpty else { return nil }
            exponent = sign + power
        }
        guard rest.isEmpty, !(whole.isEmpty && fraction.isEmpty),
            let number = Double("\(sign)0\(whole).\(fraction)0e\(exponent)"), number.isFinite
        else { return nil }
        return Int(exactly: number).map { String($0) } ?? "\(number)"
    }
}
