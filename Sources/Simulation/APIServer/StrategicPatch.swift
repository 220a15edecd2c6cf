import enum BusinessPolicy.JSON

/// A strategic merge patch, as `kubectl apply` sends it for kinds that are built in: a merge patch that goes into
/// lists.
enum StrategicPatch {
    /// By what member the elements of a list are told apart; lists that are not named here are replaced.
    private static let keys = [
        "containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
        "imagePullSecrets": "name", "secrets": "name", "ports": "containerPort", "conditions": "type",
        "ownerReferences": "uid", "hostAliases": "ip",
    ]

    /// Lists of plain values that a patch adds to.
    private static let sets: Set<String> = ["finalizers"]

    static func applied(_ patch: JSON, to document: JSON) -> JSON {
        merged(document, patch)
    }

    private static func merged(_ value: JSON, _ patch: JSON) -> JSON {
        guard let changes = patch.members else { return patch }
        let directive = patch["$patch"]?.string
        if directive == "replace" { return patch.removing(["$patch"]) }
        if directive == "delete" { return .record([:]) }
        var result = value.members == nil ? JSON.record([:]) : value
        if let kept = patch["$retainKeys"]?.array?.compactMap(\.string) {
            result = .object((result.members ?? []).filter { kept.contains($0.name) })
        }
        for change in changes where !change.name.hasPrefix("$") {
            if change.value == .null {
                result = result.removing([change.name])
            } else if let added = change.value.array {
                result = result.setting([change.name], to: list(change.name, result[change.name]?.array ?? [], added))
            } else {
                result = result.setting([change.name], to: merged(result[change.name] ?? .null, change.value))
            }
        }
        for change in changes where change.name.hasPrefix("$deleteFromPrimitiveList/") {
            let name = String(change.name.dropFirst("$deleteFromPrimitiveList/".count))
            let gone = change.value.array ?? []
            let rest = (result[name]?.array ?? []).filter { !gone.contains($0) }
            result = result.setting([name], to: .array(rest))
        }
        return result
    }

    private static func list(_ name: String, _ old: [JSON], _ patch: [JSON]) -> JSON {
        if sets.contains(name) { return .array(old + patch.filter { !old.contains($0) }) }
        guard let key = keys[name], patch.allSatisfy({ $0[key] != nil || $0["$patch"] != nil }) else {
            return .array(patch)
        }
        if patch.contains(.record(["$patch": .string("replace")])) {
            return .array(patch.filter { $0["$patch"] == nil })
        }
        var elements = old
        for change in patch {
            let index = elements.firstIndex { $0[key] == change[key] }
            if change["$patch"]?.string == "delete" {
                if let index { elements.remove(at: index) }
            } else if let index {
                elements[index] = merged(elements[index], change)
            } else {
                elements.append(merged(.null, change))
            }
        }
        return .array(elements)
    }
}
