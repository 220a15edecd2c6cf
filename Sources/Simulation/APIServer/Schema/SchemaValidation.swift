import enum BusinessPolicy.JSON

/// Validation, with the words of API servers.
extension ResourceSchema {
    /// What is wrong with a resource; empty when nothing is.
    func faults(in resource: JSON) -> [APIFailure.Cause] {
        Self.faults(in: resource, json, at: "")
    }

    /// In the order in which servers report: type, combinations, text, format, number, list, choices, members.
    private static func faults(in value: JSON, _ schema: JSON, at path: String) -> [APIFailure.Cause] {
        if value == .null, schema["nullable"]?.bool == true { return [] }
        return typeFaults(value, schema, path) + combinationFaults(value, schema, path)
            + textFaults(value, schema, path) + formatFaults(value, schema, path) + numberFaults(value, schema, path)
            + listFaults(value, schema, path) + choiceFaults(value, schema, path) + memberFaults(value, schema, path)
    }

    private static func typeFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        if schema["x-kubernetes-int-or-string"]?.bool == true {
            return value.string != nil || value.int != nil ? [] : [wrongType(value, "integer,string", path)]
        }
        guard let wanted = schema["type"]?.string else { return [] }
        let found = typeName(value)
        return found == wanted || wanted == "number" && found == "integer" ? [] : [wrongType(value, wanted, path)]
    }

    private static func wrongType(_ value: JSON, _ wanted: String, _ path: String) -> APIFailure.Cause {
        let found = typeName(value)
        return invalid(path, "\"\(found)\"", "\(path) in body must be of type \(wanted): \"\(found)\"", "TypeInvalid")
    }

    private static func typeName(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number: value.int == nil ? "number" : "integer"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private static func combinationFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        var found: [APIFailure.Cause] = []
        func complain(_ words: String) {
            found.append(invalid("<nil>", "\"\"", "\"\(path)\" must \(words)"))
        }
        if let any = schema["anyOf"]?.array {
            let each = any.map { faults(in: value, $0, at: path) }
            if !each.contains(where: \.isEmpty) {
                found += each.min { $0.count < $1.count } ?? []
                complain("validate at least one schema (anyOf)")
            }
        }
        if let one = schema["oneOf"]?.array {
            let each = one.map { faults(in: value, $0, at: path) }
            let count = each.count(where: \.isEmpty)
            if count == 0 { found += each.min { $0.count < $1.count } ?? [] }
            if count != 1 {
                complain(
                    "validate one and only one schema (oneOf). "
                        + (count == 0 ? "Found none valid" : "Found \(count) valid alternatives"))
            }
        }
        if let all = schema["allOf"]?.array {
            let each = all.map { faults(in: value, $0, at: path) }
            let count = each.count(where: \.isEmpty)
            if count < all.count {
                found += each.flatMap { $0 }
                complain("validate all the schemas (allOf)" + (count == 0 ? ". None validated" : ""))
            }
        }
        if let not = schema["not"], faults(in: value, not, at: path).isEmpty {
            complain("not validate the schema (not)")
        }
        return found
    }

    /// The first that is wrong with a text, as on every server.
    private static func textFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard let text = value.string else { return [] }
        let length = text.unicodeScalars.count
        if let most = schema["maxLength"]?.int, length > most {
            let problem = "Too long: may not be more than \(most) bytes"
            return [.init(reason: "FieldValueTooLong", message: problem, field: path)]
        }
        if let least = schema["minLength"]?.int, length < least {
            return [invalid(path, quoted(value), "\(path) in body should be at least \(least) chars long")]
        }
        if let pattern = schema["pattern"]?.string, !matches(text, pattern) {
            return [invalid(path, quoted(value), "\(path) in body should match '\(pattern)'")]
        }
        return []
    }

    /// A pattern that cannot be read holds nothing back: it is refused where the definition is made.
    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern).matchingSemantics(.unicodeScalar) else { return true }
        return text.contains(regex)
    }

    private static func formatFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard let text = value.string, schema["format"]?.string == "date-time", WallTime.milliseconds(text) == nil
        else { return [] }
        let problem = "\(path) in body must be of type date-time: \(quoted(value))"
        return [invalid(path, quoted(value), problem, "TypeInvalid")]
    }

    private static func numberFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard case .number(let spelling) = value, let number = Double(spelling) else { return [] }
        func limit(_ name: String) -> (spelling: String, value: Double)? {
            guard case .number(let spelling)? = schema[name] else { return nil }
            return Double(spelling).map { (spelling, $0) }
        }
        var found: [APIFailure.Cause] = []
        if let most = limit("maximum") {
            let isOpen = schema["exclusiveMaximum"]?.bool == true
            if number > most.value || isOpen && number == most.value {
                let words = isOpen ? "less than" : "less than or equal to"
                found.append(invalid(path, spelling, "\(path) in body should be \(words) \(most.spelling)"))
            }
        }
        if let least = limit("minimum") {
            let isOpen = schema["exclusiveMinimum"]?.bool == true
            if number < least.value || isOpen && number == least.value {
                let words = isOpen ? "greater than" : "greater than or equal to"
                found.append(invalid(path, spelling, "\(path) in body should be \(words) \(least.spelling)"))
            }
        }
        return found
    }

    private static func listFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard let elements = value.array else { return [] }
        var found: [APIFailure.Cause] = []
        if let most = schema["maxItems"]?.int, elements.count > most {
            let problem = "Too many: \(elements.count): must have at most \(most) items"
            found.append(.init(reason: "FieldValueTooMany", message: problem, field: path))
        }
        if let least = schema["minItems"]?.int, elements.count < least {
            found.append(
                invalid(path, String(elements.count), "\(path) in body should have at least \(least) items"))
        }
        if let items = schema["items"] {
            for (index, element) in elements.enumerated() {
                found += faults(in: element, items, at: "\(path)[\(index)]")
            }
        }
        return found + duplicates(elements, schema, path)
    }

    /// Elements that a list of the kind `map` or `set` holds twice.
    private static func duplicates(_ elements: [JSON], _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        let keys: [JSON]
        switch schema["x-kubernetes-list-type"]?.string {
        case "set": keys = elements
        case "map":
            let names = schema["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string).sorted() ?? []
            keys = elements.map { element in
                .object(names.compactMap { name in element[name].map { .init(name, $0) } })
            }
        default: return []
        }
        var seen: Set<JSON> = []
        return keys.enumerated().compactMap { index, key in
            if seen.insert(key).inserted { return nil }
            return .init(
                reason: "FieldValueDuplicate", message: "Duplicate value: \(key.serializedText())",
                field: "\(path)[\(index)]")
        }
    }

    private static func choiceFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard let choices = schema["enum"]?.array, !choices.contains(value) else { return [] }
        let listed = choices.map { "\"\($0.string ?? $0.serializedText())\"" }.joined(separator: ", ")
        let problem = "Unsupported value: \(quoted(value)): supported values: \(listed)"
        return [.init(reason: "FieldValueNotSupported", message: problem, field: path)]
    }

    private static func memberFaults(_ value: JSON, _ schema: JSON, _ path: String) -> [APIFailure.Cause] {
        guard let members = value.members else { return [] }
        func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        var found: [APIFailure.Cause] = []
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where value[name] == nil {
            found.append(.init(reason: "FieldValueRequired", message: "Required value", field: place(name)))
        }
        let additional = schema["additionalProperties"]
        for member in members {
            let known = schema["properties"]?[member.name] ?? (additional?.members == nil ? nil : additional)
            if let known { found += faults(in: member.value, known, at: place(member.name)) }
        }
        return found
    }

    private static func invalid(
        _ path: String, _ value: String, _ problem: String, _ reason: String = "Invalid"
    ) -> APIFailure.Cause {
        .init(reason: "FieldValue\(reason)", message: "Invalid value: \(value): \(problem)", field: path)
    }

    private static func quoted(_ value: JSON) -> String {
        value.string.map { "\"\($0)\"" } ?? value.serializedText()
    }
}
