import HTTPTransport

import enum BusinessPolicy.JSON

/// Writes: what is sent is read, put into place, and told to those who watch.
extension APIServerCore {
    mutating func write(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        guard call.isDryRun else { return try written(request, call) }
        // What a dry run writes is taken back before anybody has seen it.
        let before = store
        defer { store = before }
        return try written(request, call)
    }

    private mutating func written(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        switch call.verb {
        case .create: return try create(request, call)
        case .update: return try update(request, call)
        case .patch: return try patch(request, call)
        case .delete: return try delete(request, call)
        case .deletecollection: return try deleteCollection(call)
        case .get, .list, .watch: preconditionFailure("\(call.verb) does not write")
        }
    }

    private mutating func create(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        let namespace = call.namespace ?? ""
        try checkNamespace(namespace, call)
        let body = try Self.body(request)
        let warnings = try checkFields(of: body, call, isPatch: false)
        let json = call.kind == .definition ? try definition(body, call) : body
        let change = try store.create(
            json, call.served, namespace: namespace, wallMilliseconds: wallMilliseconds)
        return settled(call, change, status: 201, warnings: warnings)
    }

    private mutating func update(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        let key = try key(call)
        let body = try Self.body(request)
        if let name = body.value(at: ["metadata", "name"])?.string, name != key.name {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(key.name))")
        }
        let warnings = try checkFields(of: body, call, isPatch: false)
        guard store.resource(key) != nil else { throw .notFound(key.kind, key.name) }
        if call.served.mustNameVersion, body.value(at: ["metadata", "resourceVersion"])?.string ?? "" == "" {
            let cause = APIFailure.Cause(
                reason: "FieldValueInvalid", message: "Invalid value: 0x0: must be specified for an update",
                field: "metadata.resourceVersion")
            var failure = APIFailure.invalid(key.kind, key.name, [cause])
            failure.message = "\(key.kind.qualified) \"\(key.name)\" is invalid: \(cause.field ?? ""): \(cause.message)"
            failure.details?.kind = key.kind.plural
            throw failure
        }
        return try replaced(key, by: body, call, warnings)
    }

    private mutating func patch(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        let key = try key(call)
        let old = store.resource(key)
        let type = request.header("Content-Type")?.split(separator: ";").first.map(String.init) ?? ""
        let wanted: JSON
        switch type {
        case "application/merge-patch+json":
            let patch = try Self.body(request)
            guard let old else { throw .notFound(key.kind, key.name) }
            wanted = old.json.merging(patch)
        case "application/strategic-merge-patch+json" where call.served.schema == nil && isCluster:
            let patch = try Self.body(request)
            guard let old else { throw .notFound(key.kind, key.name) }
            wanted = StrategicPatch.applied(patch, to: old.json)
        case "application/json-patch+json":
            guard let old else { throw .notFound(key.kind, key.name) }
            wanted = try Self.patched(old.json, by: request)
        case "application/apply-patch+yaml":
            throw .unsupportedMediaType("velokube-sim does not serve server-side apply; leave out --server-side")
        default:
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json")
        }
        return try replaced(key, by: wanted, call, try checkFields(of: wanted, call, isPatch: true))
    }

    private static func patched(_ old: JSON, by request: SimulatedRequest) throws(APIFailure) -> JSON {
        guard let json = try? JSON.parse(request.body) else { throw .notAnObject }
        do throws(JSONPatch.Failed) {
            return try JSONPatch(json).applied(to: old)
        } catch {
            // As little as a real server says.
            let problem = "the server rejected our request due to an error in our request"
            throw APIFailure(code: 422, reason: "Invalid", message: problem)
        }
    }

    private mutating func replaced(
        _ key: ResourceKey, by wanted: JSON, _ call: APICall, _ warnings: [String]
    ) throws(APIFailure) -> Outcome {
        let json = call.kind == .definition && !call.isStatus ? try definition(wanted, call) : wanted
        let change = try store.update(
            key, call.served, to: json, isStatus: call.isStatus, isPatch: call.verb == .patch)
        guard let change else {
            return Outcome(reply: Self.reply(200, store.resource(key)?.bytes ?? [], warnings))
        }
        return settled(call, change, status: 200, warnings: warnings)
    }

    private mutating func delete(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        let key = try key(call)
        let options = request.body.isEmpty ? JSON.record([:]) : try Self.body(request)
        try store.checkPreconditions(ofDeletion: options, key: key)
        if !call.isDryRun, options["dryRun"]?.array?.contains(.string("All")) == true {
            var dry = call
            dry.query["dryRun"] = "All"
            return try write(request, dry)
        }
        let wakings = call.isDryRun ? [] : try cascade(from: key)
        guard let change = try store.delete(key, wallMilliseconds: wallMilliseconds) else {
            return Outcome(reply: Self.reply(200, store.resource(key)?.bytes ?? []), wakings: wakings)
        }
        var outcome = settled(call, change, status: 200)
        if change.type == .deleted { outcome.reply = Self.reply(200, Self.deleted(key, change).serialized()) }
        outcome.wakings = wakings + outcome.wakings
        return outcome
    }

    private mutating func deleteCollection(_ call: APICall) throws(APIFailure) -> Outcome {
        let selector = try ResourceSelector(call.query, call.served)
        let items = store.resources(call.kind, namespace: call.namespace).filter { selector.matches($0.value.json) }
        var wakings: [WatchStream.Waking] = []
        for item in items {
            if !call.isDryRun { wakings += try cascade(from: item.key) }
            guard let change = try store.delete(item.key, wallMilliseconds: wallMilliseconds) else { continue }
            wakings += settled(call, change, status: 200).wakings
        }
        let list = JSONText.object([
            .init(name: "kind", value: JSON.string(call.served.listName).serialized()),
            .init(name: "apiVersion", value: JSON.string(call.kind.apiVersion).serialized()),
            .init(name: "metadata", value: JSON.record([:]).serialized()),
            .init(name: "items", value: JSONText.array(items.map(\.value.bytes))),
        ])
        return Outcome(reply: .json(200, list), wakings: wakings)
    }

    /// `Status` of a deletion that was at once.
    private static func deleted(_ key: ResourceKey, _ change: ResourceStore.Change) -> JSON {
        var details = JSON.record(["name": .string(key.name)])
        if !key.kind.group.isEmpty { details = details.setting(["group"], to: .string(key.kind.group)) }
        return .record([
            "kind": .string("Status"), "apiVersion": .string("v1"), "metadata": .record([:]),
            "status": .string("Success"),
            "details": details.setting(["kind"], to: .string(key.kind.plural))
                .setting(["uid"], to: change.new.json.value(at: ["metadata", "uid"]) ?? .null),
        ])
    }

    /// Counts a write, tells those who watch, and does what follows from it.
    private mutating func settled(
        _ call: APICall, _ change: ResourceStore.Change, status: Int, warnings: [String] = []
    ) -> Outcome {
        guard !call.isDryRun else {
            let path = ["metadata", "resourceVersion"]
            let old = change.old?.json.value(at: path)
            let answer = old.map { change.new.json.setting(path, to: $0) } ?? change.new.json.removing(path)
            return Outcome(reply: Self.reply(status, answer.serialized(), warnings))
        }
        effects[call.title, default: 0] += 1
        let answer = change.answer?.serialized() ?? change.new.bytes
        let wakings = deliver([change]) + (isCluster ? follow(change) : [])
        return Outcome(reply: Self.reply(status, answer, warnings), wakings: wakings)
    }

    private static func reply(_ status: Int, _ body: [UInt8], _ warnings: [String] = []) -> SimulatedReply {
        .json(
            status, body, headers: warnings.map { HTTPHeader("Warning", "299 - \(JSON.string($0).serializedText())") })
    }

    /// The object that a request brings, as JSON or as protobuf.
    static func body(_ request: SimulatedRequest) throws(APIFailure) -> JSON {
        let isProtobuf = request.header("Content-Type") == ProtobufBody.contentType
        let json = isProtobuf ? ProtobufBody.json(request.body) : try? JSON.parse(request.body)
        guard let json, json.members != nil else {
            if isProtobuf {
                throw .unsupportedMediaType("velokube-sim does not read this kind as protobuf; send it as JSON")
            }
            throw .notAnObject
        }
        return json
    }

    /// What is said of members that the schema does not name: refused, warned of, or passed over, as the request asks.
    private func checkFields(of body: JSON, _ call: APICall, isPatch: Bool) throws(APIFailure) -> [String] {
        let manner = call.query["fieldValidation"] ?? "Warn"
        guard manner != "Ignore", let schema = call.served.schema else { return [] }
        let problems = schema.pruned(body).unknown.map { "unknown field \"\($0)\"" }
        guard manner == "Strict", !problems.isEmpty else { return problems }
        let words = "strict decoding error: \(problems.joined(separator: ", "))"
        guard isPatch else {
            let kind = call.kind
            throw .badRequest(
                "\(kind.name) in version \"\(kind.version)\" cannot be handled as a \(kind.name): \(words)")
        }
        let text = "Invalid value: \(JSON.string(body.serializedText()).serializedText()): \(words)"
        throw APIFailure(
            code: 422, reason: "Invalid", message: " \"\" is invalid: patch: \(text)",
            causes: [.init(reason: "FieldValueInvalid", message: text, field: "patch")])
    }
}

extension APIFailure {
    static let notAnObject = badRequest("the object provided is unrecognized (must be of type JSON)")

    static func unsupportedMediaType(_ message: String) -> APIFailure {
        APIFailure(code: 415, reason: "UnsupportedMediaType", message: message)
    }
}

/// Writes that tests make without a request. What a server would refuse does not happen.
extension APIServerCore {
    mutating func create(_ body: JSON, _ kind: SimulatedKind, namespace: String) -> [WatchStream.Waking] {
        guard let served = kinds[kind] else { return [] }
        let made = try? store.create(body, served, namespace: namespace, wallMilliseconds: wallMilliseconds)
        return made.map { deliver([$0]) } ?? []
    }

    mutating func merge(_ patch: JSON, _ key: ResourceKey, isStatus: Bool) -> [WatchStream.Waking] {
        guard let served = kinds[key.kind] else { return [] }
        let change = try? store.patch(key, served, patch, isStatus: isStatus)
        return change.flatMap { $0 }.map { deliver([$0]) } ?? []
    }

    /// Puts another spec (and other annotations) in place of a resource's, as `kubectl replace` does.
    mutating func replace(_ key: ResourceKey, with json: JSON) -> [WatchStream.Waking] {
        guard let served = kinds[key.kind] else { return [] }
        let change = try? store.update(key, served, to: json, isStatus: false)
        return change.flatMap { $0 }.map { deliver([$0]) } ?? []
    }
}
