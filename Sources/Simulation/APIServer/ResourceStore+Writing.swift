import enum BusinessPolicy.JSON

/// The rules of a real server's writes: optimistic locking, generation, finalizers, the status subresource.
extension ResourceStore {
    /// Makes a resource from a body; the system's own members of `metadata` are the server's.
    mutating func create(
        _ body: JSON, kind: SimulatedKind, namespace: String, wallMilliseconds: Int64
    ) throws(APIFailure) -> Change {
        let metadata = body.value(at: ["metadata"])
        let uid = nextUID()
        let prefix = metadata?.value(at: ["generateName"])?.string
        guard let name = metadata?.value(at: ["name"])?.string ?? prefix.map({ $0 + uid.suffix(5) }) else {
            throw .badRequest("name or generateName is required")
        }
        if let named = metadata?.value(at: ["namespace"])?.string, kind.isNamespaced, named != namespace {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        let key = ResourceKey(kind: kind, namespace: namespace, name: name)
        guard resource(key) == nil else { throw .alreadyExists(kind, name) }
        var json = body
        if kind == .velocloudBP { json = json.removing(["status"]).setting(["metadata", "generation"], to: .int(1)) }
        json = json.setting(["apiVersion"], to: .string(kind.apiVersion)).setting(["kind"], to: .string(kind.name))
            .setting(["metadata", "name"], to: .string(name)).setting(["metadata", "uid"], to: .string(uid))
            .setting(["metadata", "creationTimestamp"], to: .string(WallTime.seconds(wallMilliseconds)))
            .removing(["metadata", "deletionTimestamp"])
        if kind.isNamespaced { json = json.setting(["metadata", "namespace"], to: .string(namespace)) }
        return put(json, at: key)
    }

    /// Merges a patch (RFC 7386) into a resource or into its status; nil when nothing differs, as then nothing is
    /// written.
    mutating func patch(_ key: ResourceKey, _ patch: JSON, isStatus: Bool) throws(APIFailure) -> Change? {
        guard let old = resource(key) else { throw .notFound(key.kind, key.name) }
        try checkPreconditions(of: patch, against: old.json, key: key)
        let merged = old.json.merging(patch)
        var new = isStatus ? old.json : merged
        new = Self.with(new, ["status"], (isStatus ? merged : old.json).value(at: ["status"]))
        let ownMembers = [
            "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        ]
        for name in ownMembers {
            new = Self.with(new, ["metadata", name], old.json.value(at: ["metadata", name]))
        }
        let finalizers = Self.finalizers(of: new)
        if finalizers.isEmpty { new = new.removing(["metadata", "finalizers"]) }
        let isDeleting = old.json.value(at: ["metadata", "deletionTimestamp"]) != nil
        let added = finalizers.filter { !Self.finalizers(of: old.json).contains($0) }
        if isDeleting, !added.isEmpty {
            throw .invalid(
                key.kind, key.name, field: "metadata.finalizers",
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                    + added.description)
        }
        guard new != old.json else { return nil }
        if Self.content(new) != Self.content(old.json) { new = Self.withNextGeneration(new) }
        return isDeleting && finalizers.isEmpty ? remove(key, last: new) : put(new, at: key)
    }

    /// Deletes a resource, or marks it while finalizers hold it; nil when it was marked before.
    mutating func delete(_ key: ResourceKey, wallMilliseconds: Int64) throws(APIFailure) -> Change? {
        guard let old = resource(key) else { throw .notFound(key.kind, key.name) }
        if Self.finalizers(of: old.json).isEmpty { return remove(key, last: old.json) }
        guard old.json.value(at: ["metadata", "deletionTimestamp"]) == nil else { return nil }
        let marked = old.json
            .setting(["metadata", "deletionTimestamp"], to: .string(WallTime.seconds(wallMilliseconds)))
            .setting(["metadata", "deletionGracePeriodSeconds"], to: .int(0))
        return put(Self.withNextGeneration(marked), at: key)
    }

    /// Puts another state in place; the generation moves when more than metadata and status differs.
    mutating func replace(_ key: ResourceKey, with json: JSON) -> Change {
        let isChanged = resource(key).map { Self.content($0.json) != Self.content(json) } ?? false
        return put(isChanged ? Self.withNextGeneration(json) : json, at: key)
    }

    private func checkPreconditions(of patch: JSON, against old: JSON, key: ResourceKey) throws(APIFailure) {
        let uid = old.value(at: ["metadata", "uid"])?.string ?? ""
        if let wanted = patch.value(at: ["metadata", "uid"])?.string, wanted != uid {
            let problem = "Precondition failed: UID in precondition: \(wanted), UID in object meta: \(uid)"
            throw .conflict(key.kind, key.name, problem)
        }
        let version = old.value(at: ["metadata", "resourceVersion"])?.string
        if let wanted = patch.value(at: ["metadata", "resourceVersion"])?.string, wanted != version {
            let problem = "the object has been modified; please apply your changes to the latest version and try again"
            throw .conflict(key.kind, key.name, problem)
        }
    }

    private static func finalizers(of json: JSON) -> [String] {
        json.value(at: ["metadata", "finalizers"])?.array?.compactMap(\.string) ?? []
    }

    /// Everything but metadata and status: what `generation` counts the changes of.
    private static func content(_ json: JSON) -> JSON {
        json.removing(["metadata"]).removing(["status"])
    }

    private static func withNextGeneration(_ json: JSON) -> JSON {
        guard let generation = json.value(at: ["metadata", "generation"])?.int else { return json }
        return json.setting(["metadata", "generation"], to: .int(generation + 1))
    }

    private static func with(_ json: JSON, _ path: [String], _ value: JSON?) -> JSON {
        value.map { json.setting(path, to: $0) } ?? json.removing(path)
    }
}

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
}
