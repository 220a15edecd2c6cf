import enum BusinessPolicy.JSON

/// The label and field selectors of lists and watches.
struct ResourceSelector: Sendable {
    private var labels: [Requirement] = []
    private var fields: [Requirement] = []

    private struct Requirement: Sendable {
        var path: [String]
        var operation: Operation
    }

    private enum Operation: Sendable {
        case isIn([String])
        case isNotIn([String])
        case exists
        case isMissing
    }

    var isEmpty: Bool { labels.isEmpty && fields.isEmpty }

    /// Custom resources are selected by name and namespace alone, as on every server; other kinds by any field.
    init(_ query: [String: String], _ served: ServedKind) throws(APIFailure) {
        for text in Self.parts(query["labelSelector"] ?? "") {
            labels.append(try Self.label(text))
        }
        for text in Self.parts(query["fieldSelector"] ?? "") {
            let requirement = try Self.comparison(text)
            let field = requirement.path.joined()
            if served.schema != nil, field != "metadata.name", field != "metadata.namespace" {
                throw .badRequest("field label not supported: \(field)")
            }
            fields.append(
                Requirement(path: field.split(separator: ".").map(String.init), operation: requirement.operation))
        }
    }

    func matches(_ resource: JSON) -> Bool {
        isEmpty
            || labels.allSatisfy {
                Self.holds($0.operation, resource.value(at: ["metadata", "labels"] + $0.path)?.string)
            }
                && fields.allSatisfy { Self.holds($0.operation, resource.value(at: $0.path)?.string ?? "") }
    }

    private static func holds(_ operation: Operation, _ value: String?) -> Bool {
        switch operation {
        case .isIn(let values): value.map(values.contains) ?? false
        case .isNotIn(let values): !(value.map(values.contains) ?? false)
        case .exists: value != nil
        case .isMissing: value == nil
        }
    }

    /// Cuts at the commas that stand outside of brackets.
    private static func parts(_ text: String) -> [String] {
        var parts = [""]
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.map { $0.split(separator: " ").joined(separator: " ") }.filter { !$0.isEmpty }
    }

    private static func label(_ text: String) throws(APIFailure) -> Requirement {
        if text.contains("=") { return try comparison(text) }
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        if words.count == 3, words[1] == "in" || words[1] == "notin" {
            let values = words[2].filter { !"() ".contains($0) }.split(separator: ",").map(String.init)
            return Requirement(path: [words[0]], operation: words[1] == "in" ? .isIn(values) : .isNotIn(values))
        }
        guard words.count == 1, let name = words.first else {
            throw .badRequest("unable to parse requirement: found '\(text)'")
        }
        return name.hasPrefix("!")
            ? Requirement(path: [String(name.dropFirst())], operation: .isMissing)
            : Requirement(path: [name], operation: .exists)
    }

    /// `name=value`, `name==value` or `name!=value`.
    private static func comparison(_ text: String) throws(APIFailure) -> Requirement {
        let compact = text.filter { $0 != " " }
        guard let equals = compact.firstIndex(of: "=") else {
            throw .badRequest("invalid selector: '\(text)'; can't understand '\(text)'")
        }
        let isNegated = compact[..<equals].last == "!"
        let name = String(isNegated ? compact[..<equals].dropLast() : compact[..<equals])
        let value = String(compact[equals...].drop { $0 == "=" })
        return Requirement(path: [name], operation: isNegated ? .isNotIn([value]) : .isIn([value]))
    }
}
