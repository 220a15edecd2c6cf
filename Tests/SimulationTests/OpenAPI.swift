import enum BusinessPolicy.JSON

/// The vendor's own description of the API, as far as shapes go: types, required members, enumerations.
struct OpenAPI {
    private let document = resource("openapi-v1-5.0.0-subset.json")

    /// What is wrong with the body of a request.
    func faults(inRequest body: JSON, of method: String) -> [String] {
        let parameters = document["paths"]?["/\(method)"]?["post"]?["parameters"]?.array ?? []
        guard let schema = parameters.first(where: { $0["in"]?.string == "body" })?["schema"] else {
            return ["no such method: \(method)"]
        }
        return faults(in: body, schema, at: "body", depth: 0)
    }

    /// What is wrong with the result of a method.
    func faults(inResult result: JSON, of method: String, status: String = "200") -> [String] {
        guard let operation = document["paths"]?["/\(method)"]?["post"],
            let response = operation["responses"]?[status].map({ resolved($0) })
        else { return ["no such method or status: \(method) \(status)"] }
        return response["schema"].map { faults(in: result, $0, at: "result", depth: 0) } ?? []
    }

    private func resolved(_ schema: JSON) -> JSON {
        guard let reference = schema["$ref"]?.string else { return schema }
        let target = reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
        return target.map { resolved($0) } ?? .record("unresolved \(reference)")
    }

    private func faults(in value: JSON, _ unresolved: JSON, at path: String, depth: Int) -> [String] {
        // The zero date is no date-time, and null stands wherever a member has no value: both as VCOs answer.
        guard depth < 12, value != .null else { return [] }
        let schema = resolved(unresolved)
        var faults = (schema["allOf"]?.array ?? []).flatMap { self.faults(in: value, $0, at: path, depth: depth + 1) }
        if let choices = schema["enum"]?.array, !choices.contains(value) { faults.append("\(path): not in the enum") }
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where value[name] == nil {
            faults.append("\(path).\(name): missing")
        }
        for member in schema["properties"]?.members ?? [] {
            guard let inner = value[member.name] else { continue }
            faults += self.faults(in: inner, member.value, at: "\(path).\(member.name)", depth: depth + 1)
        }
        if let items = schema["items"] {
            for (index, element) in (value.array ?? []).enumerated() {
                faults += self.faults(in: element, items, at: "\(path)[\(index)]", depth: depth + 1)
            }
        }
        return faults + type(of: value, schema["type"]?.string, at: path)
    }

    private func type(of value: JSON, _ type: String?, at path: String) -> [String] {
        let isRight: Bool =
            switch (type, value) {
            case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool): true
            case ("integer", .number): value.int != nil
            case ("number", .number), (nil, _): true
            default: false
            }
        return isRight ? [] : ["\(path): not of type \(type ?? "any")"]
    }
}

extension JSON {
    fileprivate static func record(_ problem: String) -> JSON {
        .object([Member("type", .string(problem))])
    }
}
