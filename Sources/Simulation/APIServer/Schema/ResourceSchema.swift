import enum BusinessPolicy.JSON

/// The structural schema of a custom resource (`openAPIV3Schema`), and what a server does with it: leave out what it
/// does not name, fill in defaults, and refuse what breaks it.
struct ResourceSchema: Hashable, Sendable {
    let json: JSON

    /// Members that every resource has, whatever its schema says.
    private static let ownMembers: Set<String> = ["apiVersion", "kind", "metadata"]

    /// The resource without the members that the schema does not name, and the paths of those.
    func pruned(_ resource: JSON) -> (resource: JSON, unknown: [String]) {
        var unknown: [String] = []
        let pruned = Self.pruned(resource, json, at: "", isRoot: true, &unknown)
        return (pruned, unknown)
    }

    private static func pruned(
        _ value: JSON, _ schema: JSON, at path: String, isRoot: Bool = false, _ unknown: inout [String]
    ) -> JSON {
        if schema["x-kubernetes-embedded-resource"]?.bool == true {
            return pruned(value, schema.removing(["x-kubernetes-embedded-resource"]), at: path, isRoot: true, &unknown)
        }
        let keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"]?.bool == true
        switch value {
        case .array(let elements):
            guard let items = schema["items"] else { return value }
            return .array(
                elements.enumerated().map { pruned($1, items, at: "\(path)[\($0)]", &unknown) })
        case .object(let members):
            let additional = schema["additionalProperties"]
            return .object(
                members.compactMap { member in
                    if isRoot, ownMembers.contains(member.name) { return member }
                    let place = path.isEmpty ? member.name : "\(path).\(member.name)"
                    let known = schema["properties"]?[member.name] ?? (additional?.members == nil ? nil : additional)
                    if let known {
                        return .init(member.name, pruned(member.value, known, at: place, &unknown))
                    }
                    if keepsUnknown || additional?.bool == true { return member }
                    unknown.append(place)
                    return nil
                })
        case .null, .bool, .number, .string: return value
        }
    }

    /// The resource with the defaults of what is missing, or null where null is not allowed.
    func defaulted(_ resource: JSON) -> JSON {
        Self.defaulted(resource, json)
    }

    private static func defaulted(_ value: JSON, _ schema: JSON) -> JSON {
        switch value {
        case .array(let elements):
            guard let items = schema["items"] else { return value }
            return .array(elements.map { defaulted($0, items) })
        case .object(var members):
            let properties = schema["properties"]?.members ?? []
            for property in properties {
                guard let fallback = property.value["default"] else { continue }
                let index = members.lastIndex { $0.name == property.name }
                if let index, members[index].value == .null, property.value["nullable"]?.bool != true {
                    members[index].value = fallback
                } else if index == nil {
                    members.append(.init(property.name, fallback))
                }
            }
            let additional = schema["additionalProperties"]
            return .object(
                members.map { member in
                    let known = schema["properties"]?[member.name] ?? (additional?.members == nil ? nil : additional)
                    return known.map { .init(member.name, defaulted(member.value, $0)) } ?? member
                })
        case .null, .bool, .number, .string: return value
        }
    }
}
