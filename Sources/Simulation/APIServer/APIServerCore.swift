import HTTPTransport

import enum BusinessPolicy.JSON

/// The whole simulated API server as one value, and the watches that are open on it.
struct APIServerCore: Sendable {
    var store = ResourceStore()
    var modes = APIServerModes()
    var faults: [APIFault] = []
    /// Calls by their titles; writes that changed something are counted in `effects` as well.
    var counts: [String: Int] = [:]
    var effects: [String: Int] = [:]
    var watches: [Int: OpenWatch] = [:]
    /// The list that was last asked for.
    var listing: (kind: SimulatedKind, version: Int, items: [ResourceStore.Item])?
    private var watchesOpened = 0

    /// A watch, and what it wants to see.
    struct OpenWatch: Sendable {
        var stream: WatchStream
        var kind: SimulatedKind
        var namespace: String?
        var takesBookmarks: Bool
        /// Wall clock milliseconds at which the server closes it; nil for never.
        var closesAt: Int64?
    }

    /// What a call is answered with, and readers to wake once no lock is held.
    struct Outcome: Sendable {
        var reply: SimulatedReply?
        var watch: (id: Int, stream: WatchStream)?
        var wakings: [WatchStream.Waking] = []
    }

    /// Carries out a request.
    mutating func handle(_ request: SimulatedRequest, wallMilliseconds: Int64) -> Outcome {
        guard let call = APICall(request) else { return Outcome(reply: Self.pageNotFound) }
        counts[call.title, default: 0] += 1
        do {
            try check(request, call)
            if call.kind == .velocloudBP, modes.crd == .missing { return Outcome(reply: Self.pageNotFound) }
            if call.verb == .watch { return try watch(call, wallMilliseconds: wallMilliseconds) }
            return try answer(request, call, wallMilliseconds: wallMilliseconds)
        } catch {
            return Outcome(reply: error.reply)
        }
    }

    private func isRightToken(_ request: SimulatedRequest) -> Bool {
        modes.token.map { request.header("Authorization") == "Bearer \($0)" } ?? true
    }

    private mutating func check(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) {
        if let failure = takeFault(call) { throw failure }
        if !isRightToken(request) { throw .unauthorized }
        if modes.forbidden.contains(call.title) {
            throw .forbidden("\(call.kind.qualified) is forbidden: User cannot \(call.verb.rawValue) resource")
        }
        if call.kind == .velocloudBP, modes.crd == .missingAsStatus { throw .noSuchKind }
    }

    private mutating func takeFault(_ call: APICall) -> APIFailure? {
        for index in faults.indices where faults[index].call == nil || faults[index].call == call.title {
            if faults[index].skipped > 0 {
                faults[index].skipped -= 1
                continue
            }
            let failure = faults[index].failure
            if let calls = faults[index].calls {
                faults[index].calls = calls - 1
                if calls <= 1 { faults.remove(at: index) }
            }
            return failure
        }
        return nil
    }

    private mutating func answer(
        _ request: SimulatedRequest, _ call: APICall, wallMilliseconds: Int64
    ) throws(APIFailure) -> Outcome {
        switch call.verb {
        case .list: return Outcome(reply: .json(200, try list(call)))
        case .get:
            let key = try key(call)
            guard let stored = store.resource(key) else { throw .notFound(key.kind, key.name) }
            return Outcome(reply: .json(200, stored.bytes))
        case .create:
            let namespace = call.namespace ?? ""
            if modes.terminatingNamespaces.contains(namespace) {
                throw .forbidden(
                    "unable to create new content in namespace \(namespace) because it is being terminated")
            }
            let change = try store.create(
                try Self.body(request), kind: call.kind, namespace: namespace, wallMilliseconds: wallMilliseconds)
            return written(call, change, status: 201)
        case .patch:
            guard request.header("Content-Type") == "application/merge-patch+json" else {
                throw APIFailure(
                    code: 415, reason: "UnsupportedMediaType",
                    message: "the body of the request was in an unknown format")
            }
            let key = try key(call)
            let change = try store.patch(key, try Self.body(request), isStatus: call.isStatus)
            if let change { return written(call, change, status: 200) }
            return Outcome(reply: .json(200, store.resource(key)?.bytes ?? []))
        case .delete:
            let key = try key(call)
            let change = try store.delete(key, wallMilliseconds: wallMilliseconds)
            if let change { return written(call, change, status: 200) }
            return Outcome(reply: .json(200, store.resource(key)?.bytes ?? []))
        case .update, .watch:
            throw APIFailure(code: 405, reason: "MethodNotAllowed", message: "not served by this simulation")
        }
    }

    private func key(_ call: APICall) throws(APIFailure) -> ResourceKey {
        guard let name = call.name else { throw .badRequest("a name is missing") }
        return ResourceKey(kind: call.kind, namespace: call.namespace ?? "", name: name)
    }

    private static func body(_ request: SimulatedRequest) throws(APIFailure) -> JSON {
        guard let json = try? JSON.parse(request.body), json.members != nil else {
            throw .badRequest("the object provided is unrecognized (must be of type JSON)")
        }
        return json
    }

    private mutating func written(_ call: APICall, _ change: ResourceStore.Change, status: Int) -> Outcome {
        effects[call.title, default: 0] += 1
        return Outcome(reply: .json(status, change.new.bytes), wakings: deliver([change]))
    }

    /// Puts another spec (and other annotations) in place of a resource's, as `kubectl replace` does.
    mutating func replace(_ key: ResourceKey, with json: JSON) -> [WatchStream.Waking] {
        guard let old = store.resource(key), old.json != json else { return [] }
        return deliver([store.replace(key, with: json)])
    }

    static let pageNotFound = SimulatedReply(
        status: 404, headers: [HTTPHeader("Content-Type", "text/plain; charset=utf-8")],
        body: Array("404 page not found\n".utf8))
}

/// Watches.
extension APIServerCore {
    private mutating func watch(_ call: APICall, wallMilliseconds: Int64) throws(APIFailure) -> Outcome {
        let stream = WatchStream(chunkBytesMax: modes.watchChunkBytesMax)
        var closesAt: Int64?
        if let seconds = call.query["timeoutSeconds"].flatMap({ Int64($0) }), seconds > 0 {
            closesAt = wallMilliseconds + seconds * 1000
        }
        let open = OpenWatch(
            stream: stream, kind: call.kind, namespace: call.namespace,
            takesBookmarks: ["true", "1"].contains(call.query["allowWatchBookmarks"] ?? ""), closesAt: closesAt)
        let version = call.query["resourceVersion"] ?? ""
        if let lines = try initialEvents(call) {
            _ = stream.append(lines)
        } else if version.isEmpty || version == "0" {
            for (_, stored) in store.resources(call.kind, namespace: call.namespace) {
                _ = stream.append(Self.line("ADDED", stored.bytes))
            }
        } else {
            guard let from = Int(version) else { throw .badRequest("Invalid value: \"\(version)\"") }
            if from < store.oldestVersion {
                let failure = APIFailure.gone(from, oldest: store.oldestVersion)
                guard modes.goneWatch == .event else { throw failure }
                _ = stream.append(Self.line("ERROR", failure.json.serialized()))
                _ = stream.end(.closed)
            }
            for change in store.changes(after: from) where open.wants(change) && !modes.stallsWatches {
                _ = stream.append(Self.line(change.type.rawValue, change.new.bytes))
            }
        }
        if modes.endsWatchesAtOnce { _ = stream.end(.closed) }
        watchesOpened += 1
        watches[watchesOpened] = open
        return Outcome(watch: (watchesOpened, stream))
    }

    /// Hands changes to the watches that want them.
    mutating func deliver(_ changes: [ResourceStore.Change]) -> [WatchStream.Waking] {
        guard !modes.stallsWatches else { return [] }
        return changes.flatMap { change in
            let line = Self.line(change.type.rawValue, change.new.bytes)
            return inOrder.compactMap { $0.wants(change) ? $0.stream.append(line) : nil }
        }
    }

    /// Tells the watches that asked for it how far they have come.
    func bookmarks() -> [WatchStream.Waking] {
        inOrder.compactMap { watch in
            guard watch.takesBookmarks, !modes.stallsWatches else { return nil }
            let metadata = JSON.record(["resourceVersion": .string(String(store.version)), "creationTimestamp": .null])
            let object = JSON.record([
                "kind": .string(watch.kind.name), "apiVersion": .string(watch.kind.apiVersion), "metadata": metadata,
            ])
            return watch.stream.append(Self.line("BOOKMARK", object.serialized()))
        }
    }

    /// Sends one line as it is to every watch.
    func send(line: [UInt8]) -> [WatchStream.Waking] {
        inOrder.compactMap { $0.stream.append(line + [UInt8(ascii: "\n")]) }
    }

    /// Ends watches; those for which the time has come, or all.
    mutating func endWatches(_ ending: WatchStream.Ending, dueAt now: Int64? = nil) -> [WatchStream.Waking] {
        let due = watches.keys.sorted().filter { id in
            now.map { now in watches[id]?.closesAt.map { $0 <= now } ?? false } ?? true
        }
        return due.compactMap { watches.removeValue(forKey: $0)?.stream.end(ending) }
    }

    /// Open watches, oldest first.
    private var inOrder: [OpenWatch] {
        watches.sorted { $0.key < $1.key }.map(\.value)
    }

    static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }
}

extension APIServerCore.OpenWatch {
    func wants(_ change: ResourceStore.Change) -> Bool {
        change.key.kind == kind && (namespace == nil || change.key.namespace == namespace)
    }
}
