/// A kind as the server serves it: its names, and how its resources are written and shown.
struct ServedKind: Sendable {
    var kind: SimulatedKind
    var shortNames: [String] = []
    var categories: [String] = []
    var singular = ""
    /// Its status is written through a subresource alone.
    var hasStatus = false
    /// Service accounts give out tokens.
    var hasTokens = false
    /// `metadata.generation` counts the changes of everything but metadata and status.
    var countsGenerations = false
    /// A replacement must name the version that it replaces.
    var mustNameVersion = false
    /// Made to be answered, never kept.
    var isReview = false
    /// What resources must look like; nil takes them as they come.
    var schema: ResourceSchema?
    var columns: [PrinterColumn] = [.age]

    var listName: String { "\(kind.name)List" }

    var subresources: [String] { (hasStatus ? ["status"] : []) + (hasTokens ? ["token"] : []) }

    /// What may be done to it, as discovery tells.
    var verbs: [String] {
        isReview
            ? ["create"] : ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    }
}

/// The kinds that a server serves. Custom kinds come and go with their definitions.
struct KindTable: Sendable {
    private(set) var kinds: [ServedKind]

    init(_ kinds: [ServedKind]) {
        self.kinds = kinds
    }

    func kind(group: String, version: String, plural: String) -> ServedKind? {
        kinds.first { $0.kind.plural == plural && $0.kind.group == group && $0.kind.version == version }
    }

    subscript(_ kind: SimulatedKind) -> ServedKind? {
        kinds.first { $0.kind == kind }
    }

    /// Serves a kind, in place of what was served under its group and name.
    mutating func serve(_ served: ServedKind) {
        stop(group: served.kind.group, plural: served.kind.plural)
        kinds.append(served)
    }

    mutating func stop(group: String, plural: String) {
        kinds.removeAll { $0.kind.group == group && $0.kind.plural == plural }
    }

    /// Group and version of every kind, each once, the core group first and the others in their order.
    var groupVersions: [(group: String, version: String)] {
        var seen: Set<String> = []
        return kinds.map { ($0.kind.group, $0.kind.version) }
            .sorted { ($0.group, $0.version) < ($1.group, $1.version) }
            .filter { seen.insert("\($0.group)/\($0.version)").inserted }
    }

    /// What the operator touches, its own kinds without a schema: definitions that an administrator has made lax.
    static let operatorOnly = KindTable([
        ServedKind(
            kind: .velocloudBP, shortNames: ["velo"], singular: "velocloudbp", hasStatus: true,
            countsGenerations: true, mustNameVersion: true),
        ServedKind(
            kind: .velocloudLimit, shortNames: ["velolimit"], singular: "velocloudlimit", hasStatus: true,
            countsGenerations: true, mustNameVersion: true),
        ServedKind(kind: .event, singular: "event"),
        ServedKind(kind: .lease, singular: "lease", mustNameVersion: true),
        ServedKind(kind: .namespace, singular: "namespace"),
    ])
}
