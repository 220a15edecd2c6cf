import ControlLoop

/// A tiny API server for one kind: objects, a history of their changes, and a version below which that is forgotten.
struct ModelServer {
    typealias Event = Informer<Thing>.Event
    typealias Reply = Informer<Thing>.Reply

    /// One change and the version it made.
    private struct Change {
        let version: Int
        let event: Event
    }

    private(set) var version = 100
    private(set) var objects: [String: Thing] = [:]
    private var history: [Change] = []
    private var compacted = 100
    private var uids = 0
    private var random: SeededRandom
    /// Whether lists may be stale, tokens expire, streams break: while true, anything may happen that an API server
    /// allows.
    var isFaulty = true
    /// Whether a watch may first repeat changes from before the version it was asked from.
    let repeatsOldEvents: Bool
    let streaming: Streaming

    /// What comes of a request to begin a watch with the state of all objects.
    enum Streaming: CaseIterable {
        case known
        /// The request is not valid.
        case refused
        /// The parameters are passed over: an ordinary watch is opened.
        case unknown
    }

    init(random: SeededRandom, repeatsOldEvents: Bool, streaming: Streaming) {
        self.random = random
        self.repeatsOldEvents = repeatsOldEvents
        self.streaming = streaming
    }

    /// Somebody creates, changes, deletes or recreates an object, or the history is forgotten in part.
    mutating func change() {
        let key = "n/\(Int.random(in: 0..<8, using: &random))"
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<6: write(key)
        case 6..<8: delete(key)
        case 8:
            delete(key)
            write(key)
        case 9: version += Int.random(in: 1...5, using: &random)  // other kinds
        case 10: compacted = Int.random(in: compacted...version, using: &random)
        default: break
        }
    }

    /// A write that names the state it was made on: nil (a conflict) unless that is still so.
    mutating func patch(_ seen: Thing) -> Thing? {
        guard objects[seen.key] == seen else { return nil }
        return write(seen.key)
    }

    @discardableResult private mutating func write(_ key: String) -> Thing {
        version += 1
        var thing = Thing(key, uid: "u\(uids)", "\(version)")
        if let old = objects[key] { thing.uid = old.uid } else { uids += 1 }
        thing.groups = (0..<2).map { _ in "g\(Int.random(in: 0..<3, using: &random))" }
        history.append(Change(version: version, event: objects[key] == nil ? .added(thing) : .modified(thing)))
        objects[key] = thing
        return thing
    }

    private mutating func delete(_ key: String) {
        guard var thing = objects.removeValue(forKey: key) else { return }
        version += 1
        thing.resourceVersion = "\(version)"
        history.append(Change(version: version, event: .deleted(thing)))
    }

    /// The objects as they were at a version.
    private func state(at version: Int) -> [Thing] {
        var objects: [String: Thing] = [:]
        for change in history where change.version <= version {
            switch change.event {
            case .added(let thing), .modified(let thing): objects[thing.key] = thing
            case .deleted(let thing): objects[thing.key] = nil
            case .bookmark, .unreadable: break
            }
        }
        return objects.values.sorted { $0.key < $1.key }
    }

    private mutating func chance(_ percent: Int) -> Bool {
        isFaulty && Int.random(in: 0..<100, using: &random) < percent
    }

    /// The answer to one page of a list.
    mutating func list(_ request: Informer<Thing>.ListRequest) -> Reply {
        if chance(10) {
            let failures = [
                InformerFailure.unreachable, .serverError, .tooManyRequests(retryAfter: .seconds(3)), .forbidden,
            ]
            return .failed(failures[version % failures.count])
        }
        var after = ""
        var at = version
        if let token = request.continueToken {
            let parts = token.split(separator: " ")
            (at, after) = (Int(parts[0]) ?? 0, String(parts[1]))
            if at < compacted || chance(10) { return .failed(version % 2 == 0 ? .gone : .expired) }
        } else if let from = request.resourceVersion, !from.isEmpty {
            if chance(10) { return .failed(version % 2 == 0 ? .expired : .resourceVersionTooLarge) }
            // Any state that is not older than asked for.
            if isFaulty { at = Int.random(in: max(compacted, Int(from) ?? 0)...version, using: &random) }
        }
        let rest = state(at: at).filter { $0.key > after }
        let size = request.limit == nil ? rest.count : Int.random(in: 1...4, using: &random)
        let token = rest.count > size ? "\(at) \(rest[size - 1].key)" : nil
        return .page(items: Array(rest.prefix(size)), resourceVersion: "\(at)", continueToken: token)
    }

    /// What a watch brings until it ends, the end included.
    mutating func watch(_ request: Informer<Thing>.WatchRequest) -> [Reply] {
        if request.sendsInitialEvents {
            switch streaming {
            case .known: return streamedList(request)
            case .refused: return [.failed(.invalid("sendInitialEvents is forbidden for watch"))]
            case .unknown: break
            }
        }
        var from = Int(request.from) ?? version
        if from < compacted { return chance(50) ? [.failed(.gone)] : [.opened, .failed(.expired)] }
        if chance(10) { return [.failed([.unreachable, .tooManyRequests(retryAfter: nil), .notFound][version % 3])] }
        if repeatsOldEvents, chance(30) { from = max(compacted, from - 6) }
        var replies: [Reply] = [.opened]
        if request.from.isEmpty { replies += initialEvents(at: version) }
        if request.from.isEmpty { from = version }
        return replies + changes(after: from)
    }

    /// The state of all objects at some version that is not too old, the changes after it, and the end of both.
    private mutating func streamedList(_ request: Informer<Thing>.WatchRequest) -> [Reply] {
        var from = version
        if !request.from.isEmpty {
            if chance(10) { return [.failed(version % 2 == 0 ? .expired : .resourceVersionTooLarge)] }
            if isFaulty { from = Int.random(in: max(compacted, Int(request.from) ?? 0)...version, using: &random) }
        }
        if chance(10) {
            return [.failed([.unreachable, .tooManyRequests(retryAfter: nil), .serverError][version % 3])]
        }
        var replies: [Reply] = [.opened] + initialEvents(at: from)
        if chance(20) { return replies.prefix(Int.random(in: 1...replies.count, using: &random)) + [end()] }
        // Before its end the server may catch up, or not.
        let caughtUp = Int.random(in: from...version, using: &random)
        replies += history.filter { $0.version > from && $0.version <= caughtUp }.map { .event($0.event) }
        replies.append(.event(.bookmark(resourceVersion: "\(caughtUp)", endsInitialEvents: true)))
        return replies + changes(after: caughtUp)
    }

    private mutating func initialEvents(at version: Int) -> [Reply] {
        state(at: version).shuffled(using: &random).map { .event(.added($0)) }
    }

    private mutating func changes(after from: Int) -> [Reply] {
        var replies: [Reply] = []
        for change in history where change.version > from {
            if chance(20) { return replies + [end()] }
            replies.append(.event(change.event))
            if chance(20) { replies.append(.event(change.event)) }
            if chance(10) { replies.append(.event(.unreadable("junk"))) }
            if chance(10) { replies.append(.event(.bookmark(resourceVersion: "\(change.version)"))) }
        }
        if !chance(50) { replies.append(.event(.bookmark(resourceVersion: "\(version)"))) }
        return replies + [end()]
    }

    private mutating func end() -> Reply {
        guard isFaulty else { return .closed }
        let ends: [Reply] = [
            .closed, .closed, .failed(.unreachable), .failed(.idle), .failed(.serverError), .failed(.gone),
            .failed(.tooManyRequests(retryAfter: nil)), .failed(.other("odd")),
        ]
        return ends[Int.random(in: 0..<ends.count, using: &random)]
    }
}
