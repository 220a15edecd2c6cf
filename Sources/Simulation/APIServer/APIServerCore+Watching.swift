import HTTPTransport

import enum BusinessPolicy.JSON

/// Watches.
extension APIServerCore {
    /// A watch, and what it wants to see.
    struct OpenWatch: Sendable {
        var stream: WatchStream
        var served: ServedKind
        var namespace: String?
        var selector: ResourceSelector
        var form: ResourceForm
        var takesBookmarks: Bool
        /// Wall clock milliseconds at which the server closes it; nil for never.
        var closesAt: Int64?
    }

    mutating func watch(_ call: APICall, form: ResourceForm) throws(APIFailure) -> Outcome {
        let stream = WatchStream(chunkBytesMax: modes.watchChunkBytesMax)
        var closesAt: Int64?
        if let seconds = call.query["timeoutSeconds"].flatMap({ Int64($0) }), seconds > 0 {
            closesAt = wallMilliseconds + seconds * 1000
        }
        let open = OpenWatch(
            stream: stream, served: call.served, namespace: call.namespace,
            selector: try ResourceSelector(call.query, call.served), form: form,
            takesBookmarks: APICall.isTrue(call.query["allowWatchBookmarks"]), closesAt: closesAt)
        let version = call.query["resourceVersion"] ?? ""
        if let lines = try initialEvents(call, open) {
            _ = stream.append(lines)
        } else if version.isEmpty || version == "0" {
            for (_, stored) in store.resources(call.kind, namespace: call.namespace)
            where open.selector.matches(stored.json) {
                _ = stream.append(open.line("ADDED", stored, at: wallMilliseconds))
            }
        } else {
            guard let from = Int(version) else { throw .badRequest("Invalid value: \"\(version)\"") }
            if from < store.oldestVersion {
                let failure = APIFailure.gone(from, oldest: store.oldestVersion)
                guard modes.goneWatch == .event else { throw failure }
                _ = stream.append(OpenWatch.line("ERROR", failure.json.serialized()))
                _ = stream.end(.closed)
            }
            for change in store.changes(after: from) where !modes.stallsWatches {
                if let line = open.line(change, at: wallMilliseconds) { _ = stream.append(line) }
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
            inOrder.compactMap { watch in
                watch.line(change, at: wallMilliseconds).flatMap { watch.stream.append($0) }
            }
        }
    }

    /// Tells the watches that asked for it how far they have come.
    func bookmarks() -> [WatchStream.Waking] {
        inOrder.compactMap { watch in
            guard watch.takesBookmarks, !modes.stallsWatches else { return nil }
            let kind = watch.served.kind
            let metadata = JSON.record(["resourceVersion": .string(String(store.version)), "creationTimestamp": .null])
            let object = JSON.record([
                "kind": .string(kind.name), "apiVersion": .string(kind.apiVersion), "metadata": metadata,
            ])
            return watch.stream.append(OpenWatch.line("BOOKMARK", object.serialized()))
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
}

extension APIServerCore.OpenWatch {
    /// The event that this watch is sent for a change; nil when it is none of its business.
    ///
    /// A resource that begins to match a selector is new to the watch, and one that no longer matches is gone for it.
    func line(_ change: ResourceStore.Change, at wallMilliseconds: Int64) -> [UInt8]? {
        guard change.key.kind == served.kind, namespace == nil || change.key.namespace == namespace else { return nil }
        guard !selector.isEmpty else { return line(change.type.rawValue, change.new, at: wallMilliseconds) }
        let matched = change.old.map { selector.matches($0.json) } ?? false
        let matches = change.type != .deleted && selector.matches(change.new.json)
        switch (matched, matches) {
        case (false, false): return nil
        case (false, true): return line("ADDED", change.new, at: wallMilliseconds)
        case (true, true): return line("MODIFIED", change.new, at: wallMilliseconds)
        case (true, false):
            guard var last = change.old else { return nil }
            last.json = last.json.setting(["metadata", "resourceVersion"], to: .string(String(change.version)))
            last.bytes = last.json.serialized()
            return line("DELETED", last, at: wallMilliseconds)
        }
    }

    func line(_ type: String, _ stored: ResourceStore.Stored, at wallMilliseconds: Int64) -> [UInt8] {
        guard case .table(let included) = form else { return Self.line(type, stored.bytes) }
        let table = ResourceTable.json(stored.json, served, including: included, at: wallMilliseconds)
        return Self.line(type, table.serialized())
    }

    static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }
}
