import enum BusinessPolicy.JSON

/// The rules of a real server's writes: optimistic locking, generation, finalizers, the status subresource, schemas.
extension ResourceStore {
    /// Makes a resource from a body; the system's own members of `metadata` are the server's.
    mutating func create(
        _ body: JSON, _ served: ServedKind, namespace: String, wallMilliseconds: Int64
    ) throws(APIFailure) -> Change {
        let kind = served.kind
        let metadata = body.value(at: ["metadata"])
        let uid = nextUID()
        let prefix = metadata?.value(at: ["generateName"])?.string
        guard let name = Self.given(metadata?["name"]?.string) ?? Self.given(prefix).map({ $0 + uid.suffix(5) }) else {
            let problem = "Required value: name or generateName is required"
            throw .invalid(
                kind, "", [.init(reason: "FieldValueRequired", message: problem, field: "metadata.name")])
        }
        if let named = Self.given(metadata?["namespace"]?.string), kind.isNamespaced, named != namespace {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        let key = ResourceKey(kind: kind, namespace: namespace, name: name)
        guard resource(key) == nil else { throw .alreadyExists(kind, name) }
        var json = served.born(body)
        if served.countsGenerations { json = json.setting(["metadata", "generation"], to: .int(1)) }
        json = json.setting(["apiVersion"], to: .string(kind.apiVersion)).setting(["kind"], to: .string(kind.name))
            .setting(["metadata", "name"], to: .string(name)).setting(["metadata", "uid"], to: .string(uid))
            .setting(["metadata", "creationTimestamp"], to: .string(WallTime.seconds(wallMilliseconds)))
            .removing(["metadata", "deletionTimestamp"]).removing(["metadata", "resourceVersion"])
            .removing(["metadata", "selfLink"])
        if kind.isNamespaced { json = json.setting(["metadata", "namespace"], to: .string(namespace)) }
        return put(try served.admitted(json, name: name), at: key)
    }

    /// Puts another state in place, or another status; nil when nothing differs, as then nothing is written.
    ///
    /// `isPatch` says how the new state came about: servers look at the uid of a replacement alone.
    mutating func update(
        _ key: ResourceKey, _ served: ServedKind, to wanted: JSON, isStatus: Bool, isPatch: Bool = false
    ) throws(APIFailure) -> Change? {
        guard let old = resource(key) else { throw .notFound(key.kind, key.name) }
        try checkIdentity(of: wanted, against: old.json, key: key, isStatus: isStatus, isPatch: isPatch)
        var new = isStatus ? old.json : wanted
        if served.hasStatus { new = Self.with(new, ["status"], (isStatus ? wanted : old.json)["status"]) }
        let ownMembers = [
            "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ]
        for name in ownMembers {
            new = Self.with(new, ["metadata", name], old.json.value(at: ["metadata", name]))
        }
        for name in ["apiVersion", "kind"] { new = Self.with(new, [name], old.json[name]) }
        let finalizers = Self.finalizers(of: new)
        if finalizers.isEmpty { new = new.removing(["metadata", "finalizers"]) }
        new = try served.admitted(new, name: key.name)
        let isDeleting = old.json.value(at: ["metadata", "deletionTimestamp"]) != nil
        let added = finalizers.filter { !Self.finalizers(of: old.json).contains($0) }
        if isDeleting, !added.isEmpty {
            let listed = added.map { "\"\($0)\"" }.joined(separator: ", ")
            let problem = "no new finalizers can be added if the object is being deleted, found new finalizers"
            throw .invalid(
                key.kind, key.name,
                [
                    .init(
                        reason: "FieldValueForbidden", message: "Forbidden: \(problem) []string{\(listed)}",
                        field: "metadata.finalizers")
                ])
        }
        guard !new.isSame(as: old.json) else { return nil }
        if isDeleting, finalizers.isEmpty {
            // A watch is shown the state before this write, as that was the last one kept; the caller sees what it
            // sent.
            var change = remove(key, last: old.json)
            change.answer = new
            return change
        }
        if served.countsGenerations, !Self.content(new, served).isSame(as: Self.content(old.json, served)) {
            new = Self.withNextGeneration(new)
        }
        return put(new, at: key)
    }

    /// Merges a patch (RFC 7386) into a resource or into its status.
    mutating func patch(
        _ key: ResourceKey, _ served: ServedKind, _ patch: JSON, isStatus: Bool
    ) throws(APIFailure) -> Change? {
        guard let old = resource(key) else { throw .notFound(key.kind, key.name) }
        return try update(key, served, to: old.json.merging(patch), isStatus: isStatus, isPatch: true)
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

    /// Refuses when the resource is not the one, or not in the state, that a deletion is meant for.
    func checkPreconditions(ofDeletion options: JSON, key: ResourceKey) throws(APIFailure) {
        guard let old = resource(key)?.json["metadata"] else { throw .notFound(key.kind, key.name) }
        let asked = options["preconditions"]
        func check(_ word: String, _ wanted: JSON?, _ found: JSON?, _ hint: String) throws(APIFailure) {
            guard let wanted = wanted?.string, wanted != found?.string else { return }
            let problem = "the \(word) in the precondition (\(wanted)) does not match the \(word) in record "
            throw .conflict(
                key.kind, key.name, problem + "(\(found?.string ?? "")). The object might have been \(hint)")
        }
        try check("UID", asked?["uid"], old["uid"], "deleted and then recreated")
        try check("ResourceVersion", asked?["resourceVersion"], old["resourceVersion"], "modified")
    }

    /// Refuses a write that is meant for another version or another uid.
    ///
    /// A patch with another uid tries to change a field that cannot be changed; one of the status does not even try, as
    /// it leaves metadata alone. So only the version guards a status.
    private func checkIdentity(
        of wanted: JSON, against old: JSON, key: ResourceKey, isStatus: Bool, isPatch: Bool
    ) throws(APIFailure) {
        let uid = old.value(at: ["metadata", "uid"])?.string ?? ""
        let named = Self.given(wanted.value(at: ["metadata", "uid"])?.string) ?? uid
        if named != uid, !isPatch {
            let problem = "Precondition failed: UID in precondition: \(named), UID in object meta: \(uid)"
            throw .conflict(key.kind, key.name, problem)
        }
        let version = old.value(at: ["metadata", "resourceVersion"])?.string
        if let named = Self.given(wanted.value(at: ["metadata", "resourceVersion"])?.string), named != version {
            let problem = "the object has been modified; please apply your changes to the latest version and try again"
            throw .conflict(key.kind, key.name, problem)
        }
        if named != uid, !isStatus {
            let problem = "Invalid value: \"\(named)\": field is immutable"
            throw .invalid(
                key.kind, key.name, [.init(reason: "FieldValueInvalid", message: problem, field: "metadata.uid")])
        }
    }

    static func finalizers(of json: JSON) -> [String] {
        json.value(at: ["metadata", "finalizers"])?.array?.compactMap(\.string) ?? []
    }

    private static func given(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What `generation` counts the changes of: everything but metadata, and but a status that is written apart.
    private static func content(_ json: JSON, _ served: ServedKind) -> JSON {
        let content = json.removing(["metadata"])
        return served.hasStatus ? content.removing(["status"]) : content
    }

    private static func withNextGeneration(_ json: JSON) -> JSON {
        guard let generation = json.value(at: ["metadata", "generation"])?.int else { return json }
        return json.setting(["metadata", "generation"], to: .int(generation + 1))
    }

    private static func with(_ json: JSON, _ path: [String], _ value: JSON?) -> JSON {
        value.map { json.setting(path, to: $0) } ?? json.removing(path)
    }
}

extension ServedKind {
    /// A new resource as its kind begins.
    func born(_ body: JSON) -> JSON {
        // The status of a definition was made by the server before.
        var json = hasStatus && kind != .definition ? body.removing(["status"]) : body
        switch kind.plural {
        case "namespaces":
            json = json.setting(["spec", "finalizers"], to: .array([.string("kubernetes")]))
                .setting(["status"], to: .record(["phase": .string("Active")]))
        case "persistentvolumeclaims": json = json.setting(["status"], to: .record(["phase": .string("Pending")]))
        case "secrets":
            for member in json["stringData"]?.members ?? [] {
                let bytes = Array((member.value.string ?? "").utf8)
                json = json.setting(["data", member.name], to: .string(Base64.text(bytes)))
            }
            json = json.removing(["stringData"]).adding(["type": .string("Opaque")])
        default: break
        }
        return json
    }

    /// The resource as its schema lets it be: unknown members left out, defaults filled in, and checked.
    func admitted(_ resource: JSON, name: String) throws(APIFailure) -> JSON {
        guard let schema else { return resource }
        let pruned = schema.pruned(resource).resource
        let filled = schema.defaulted(pruned)
        var faults = Self.nameFaults(name)
        faults += schema.faults(in: filled)
        guard faults.isEmpty else { throw .invalid(kind, name, faults) }
        return filled
    }

    private static func nameFaults(_ name: String) -> [APIFailure.Cause] {
        let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
        let pattern = "\(label)(\\.\(label))*"
        if let regex = try? Regex(pattern), name.wholeMatch(of: regex) != nil, name.utf8.count <= 253 { return [] }
        let problem =
            "Invalid value: \"\(name)\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
            + "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
            + "regex used for validation is '\(pattern)')"
        return [.init(reason: "FieldValueInvalid", message: problem, field: "metadata.name")]
    }
}
