import BusinessPolicy
import Kubernetes
import Logging

/// How a log line looks: `--log-format`.
package enum LogFormat: String, CaseIterable, Sendable {
    /// `2026-11-22T20:59:36.123Z info the sentence key=value other="two words"`
    case text
    /// One JSON object a line, with `time`, `level` and `message` before the keys.
    case json

    /// One line without its line end. The details are sorted by key.
    package func line(
        wallMilliseconds: Int64, level: Logger.Level, message: String, details: Logger.Metadata
    ) -> String {
        let time = timestamp(milliseconds: wallMilliseconds, fraction: .milliseconds)
        let sorted = details.sorted { $0.key < $1.key }
        switch self {
        case .text:
            var line = "\(time) \(level.rawValue) \(escaped(message, quote: nil))"
            for (key, value) in sorted {
                line += " " + word(key) + "=" + word("\(value)")
            }
            return line
        case .json:
            var members: [JSON.Member] = [
                .init("time", .string(time)), .init("level", .string(level.rawValue)),
                .init("message", .string(message)),
            ]
            let taken = members.map(\.name)
            for (key, value) in sorted {
                members.append(.init(taken.contains(key) ? key + "_" : key, json(value)))
            }
            return JSON.object(members).serializedText()
        }
    }

    /// A key or value as it is where that is plain, else in quotes.
    private func word(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar != "\"" && scalar != "=" && scalar != "\\" && !scalar.properties.isWhitespace
                && scalar.properties.generalCategory != .control
        }
        return isPlain && !text.isEmpty ? text : "\"" + escaped(text, quote: "\"") + "\""
    }

    /// The text on one line: nobody can forge a second one by a name or a message.
    private func escaped(_ text: String, quote: Unicode.Scalar?) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\\" where quote != nil: result += "\\\\"
            case _ where scalar == quote: result += "\\\""
            case _ where Self.breaksLines(scalar):
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private func json(_ value: Logger.MetadataValue) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): Self.json(value)
        case .array(let values): .array(values.map(json))
        case .dictionary(let metadata):
            .object(metadata.sorted { $0.key < $1.key }.map { JSON.Member($0.key, json($0.value)) })
        }
    }

    /// Whole numbers and truth values keep their type; everything else is text.
    private static func json(_ value: any CustomStringConvertible) -> JSON {
        switch value {
        case let number as Int: .int(number)
        case let number as Int64: .number(String(number))
        case let flag as Bool: .bool(flag)
        default: .string(value.description)
        }
    }
}
