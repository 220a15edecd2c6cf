import enum BusinessPolicy.JSON

/// What the API server keeps: resources, a version that every write moves, and the history that watches read.
struct ResourceStore: Sendable {
    /// The version of the last write.
    private(set) var version: Int
    /// The oldest version that a watch or an exact list can still start from.
    private(set) var oldestVersion: Int
    private var resources: [ResourceKey: Stored] = [:]
    private var history: [Change] = []
    private var uidsGiven = 0

    /// A resource and the version under which it was written.
    struct Stored: Hashable, Sendable {
        var json: JSON
        var version: Int
        /// `json` as text, kept because lists of many are asked for often.
        var bytes: [UInt8]
    }

    /// A resource and its place.
    typealias Item = (key: ResourceKey, value: Stored)

    /// One write: what was there, and what came.
    struct Change: Sendable {
        var version: Int
        var key: ResourceKey
        var type: ChangeType
        var old: Stored?
        var new: Stored
        /// What the caller is shown, where that is not `new`.
        var answer: JSON?
    }

    /// What a watch calls it.
    enum ChangeType: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    /// The first part of every uid: clusters that live at the same time are told apart by it.
    private let uidPrefix: String

    /// How many changes are remembered; of those before, watches are told that they are gone.
    private static let historyMax = 50_000

    /// Versions begin well above 1, as on a server that has been running.
    init(firstVersion: Int = 1000, uidPrefix: String = "0b1ec7ed") {
        version = firstVersion
        oldestVersion = firstVersion
        self.uidPrefix = uidPrefix
    }

    func resource(_ key: ResourceKey) -> Stored? {
        resources[key]
    }

    /// All resources of a kind, in one namespace or in all, sorted by key, as they were at a version.
    func resources(
        _ kind: SimulatedKind, namespace: String?, at version: Int? = nil
    ) -> [Item] {
        var past = resources
        if let version {
            for change in history.reversed() {
                guard change.version > version else { break }
                past[change.key] = change.old
            }
        }
        return past.filter { $0.key.kind == kind && (namespace == nil || $0.key.namespace == namespace) }
            .sorted { ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name) }
            .map { ($0.key, $0.value) }
    }

    /// The writes after a version, oldest first.
    func changes(after version: Int) -> ArraySlice<Change> {
        history[(history.firstIndex { $0.version > version } ?? history.endIndex)...]
    }

    /// Forgets the history: older versions answer 410 from now on.
    mutating func compact() {
        history = []
        oldestVersion = version
    }

    /// Moves the version without a change, as writes of other kinds do.
    mutating func pass(versions: Int) {
        version += versions
    }

    /// An uid that no resource had before.
    mutating func nextUID() -> String {
        uidsGiven += 1
        let digits = String(uidsGiven, radix: 16)
        return "\(uidPrefix)-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    /// Puts a resource in place under the next version.
    mutating func put(_ json: JSON, at key: ResourceKey) -> Change {
        let old = resources[key]
        let stored = stamped(json)
        resources[key] = stored
        return record(Change(version: version, key: key, type: old == nil ? .added : .modified, old: old, new: stored))
    }

    /// Takes a resource away; the last state it is seen in bears the version of its deletion.
    mutating func remove(_ key: ResourceKey, last json: JSON) -> Change {
        let old = resources.removeValue(forKey: key)
        let stored = stamped(json)
        return record(Change(version: version, key: key, type: .deleted, old: old, new: stored))
    }

    private mutating func stamped(_ json: JSON) -> Stored {
        version += 1
        let json = json.setting(["metadata", "resourceVersion"], to: .string(String(version)))
        return Stored(json: json, version: version, bytes: json.serialized())
    }

    private mutating func record(_ change: Change) -> Change {
        history.append(change)
        if history.count > Self.historyMax {
            let forgotten = Self.historyMax / 2
            oldestVersion = history[forgotten - 1].version
            history.removeFirst(forgotten)
        }
        return change
    }

    /// Reads every resource of a kind anew, without a write: a server applies a schema's defaults when it reads.
    mutating func reread(_ kind: SimulatedKind, _ body: (JSON) -> JSON) {
        for (key, stored) in resources where key.kind == kind {
            let json = body(stored.json)
            resources[key] = Stored(json: json, version: stored.version, bytes: json.serialized())
        }
    }

    /// Whether there is a resource that `matches`.
    func contains(where matches: (ResourceKey) -> Bool) -> Bool {
        resources.keys.contains(where: matches)
    }

    /// The resources that match, sorted by kind, namespace and name.
    func keys(where matches: (ResourceKey) -> Bool) -> [ResourceKey] {
        resources.keys.filter(matches).sorted {
            ($0.kind.plural, $0.kind.group, $0.namespace, $0.name)
                < ($1.kind.plural, $1.kind.group, $1.namespace, $1.name)
        }
    }
}
