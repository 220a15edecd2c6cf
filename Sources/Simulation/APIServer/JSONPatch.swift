import enum BusinessPolicy.JSON

extension JSON {
    /// This value with a merge patch applied (RFC 7386).
    func merging(_ patch: JSON) -> JSON {
        guard let changes = patch.members else { return patch }
        var members = self.members ?? []
        for change in changes {
            let index = members.lastIndex { $0.name == change.name }
            if case .null = change.value {
                members.removeAll { $0.name == change.name }
            } else if let index {
                members[index].value = members[index].value.merging(change.value)
            } else {
                members.append(Member(change.name, JSON.object([]).merging(change.value)))
            }
        }
        return .object(members)
    }

    /// Equal but for the order of members, which a server does not keep; of members given twice the last counts.
    func isSame(as other: JSON) -> Bool {
        if self == other { return true }
        switch (self, other) {
        case (.object(let left), .object(let right)):
            let names = Set(left.map(\.name))
            return names == Set(right.map(\.name))
                && names.allSatisfy { self[$0]?.isSame(as: other[$0] ?? .null) ?? false }
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        default: return false
        }
    }
}

/// A JSON patch (RFC 6902): a list of operations, all of them or none.
struct JSONPatch {
    /// Why a patch cannot be applied.
    struct Failed: Error {
        var problem: String
    }

    private let operations: [JSON]

    init(_ json: JSON) throws(Failed) {
        guard let operations = json.array else { throw Failed(problem: "a JSON patch is a list of operations") }
        self.operations = operations
    }

    func applied(to document: JSON) throws(Failed) -> JSON {
        var document = document
        for operation in operations { document = try Self.apply(operation, to: document) }
        return document
    }

    private static func apply(_ operation: JSON, to document: JSON) throws(Failed) -> JSON {
        let name = operation["op"]?.string ?? ""
        guard let path = operation["path"]?.string.map(steps) else { throw Failed(problem: "\(name): no path") }
        func value() throws(Failed) -> JSON {
            if let value = operation["value"] { return value }
            throw Failed(problem: "\(name): no value")
        }
        func source() throws(Failed) -> [String] {
            if let from = operation["from"]?.string { return steps(from) }
            throw Failed(problem: "\(name): no from")
        }
        switch name {
        case "add": return try edited(document, path, .add(try value()))
        case "replace": return try edited(document, path, .replace(try value()))
        case "remove": return try edited(document, path, .remove)
        case "copy": return try edited(document, path, .add(try found(document, try source())))
        case "move":
            let moved = try found(document, try source())
            return try edited(try edited(document, try source(), .remove), path, .add(moved))
        case "test":
            guard try found(document, path).isSame(as: try value()) else {
                throw Failed(problem: "testing value /\(path.joined(separator: "/")) failed")
            }
            return document
        default: throw Failed(problem: "Unexpected kind: \(name)")
        }
    }

    private enum Edit {
        case add(JSON)
        case replace(JSON)
        case remove
    }

    private static func steps(_ pointer: String) -> [String] {
        pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
    }

    private static func found(_ document: JSON, _ path: [String]) throws(Failed) -> JSON {
        let value = path.reduce(Optional(document)) { value, step in
            value?.array == nil ? value?[step] : Int(step).flatMap { value?[$0] }
        }
        guard let value else { throw missing(path) }
        return value
    }

    private static func missing(_ path: [String]) -> Failed {
        Failed(problem: "the path /\(path.joined(separator: "/")) is not there")
    }

    private static func edited(_ value: JSON, _ path: [String], _ edit: Edit) throws(Failed) -> JSON {
        guard let step = path.first else {
            switch edit {
            case .add(let new), .replace(let new): return new
            case .remove: return .null
            }
        }
        let rest = Array(path.dropFirst())
        if var elements = value.array {
            let index = step == "-" ? elements.count : Int(step) ?? -1
            guard index >= 0, index < elements.count || index == elements.count && rest.isEmpty else {
                throw missing(path)
            }
            switch edit {
            case .add(let new) where rest.isEmpty: elements.insert(new, at: index)
            case .remove where rest.isEmpty && index < elements.count: elements.remove(at: index)
            case .add, .replace, .remove:
                guard index < elements.count else { throw missing(path) }
                elements[index] = try edited(elements[index], rest, edit)
            }
            return .array(elements)
        }
        guard value.members != nil else { throw missing(path) }
        if rest.isEmpty {
            switch edit {
            case .add(let new): return value.setting([step], to: new)
            case .replace(let new) where value[step] != nil: return value.setting([step], to: new)
            case .remove where value[step] != nil: return value.removing([step])
            case .replace, .remove: throw missing(path)
            }
        }
        guard let inner = value[step] else { throw missing(path) }
        return value.setting([step], to: try edited(inner, rest, edit))
    }
}
