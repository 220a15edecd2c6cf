import enum BusinessPolicy.JSON

/// One module of a profile; the one named `QOS` holds the business policy.
struct Module: Sendable {
    var id: Int
    var name: String
    private var current: Revision
    /// What a stale read serves.
    private var previous: Revision?
    /// Every member, in order; those that move (`id`, `version`, `modified`, `data`) are filled in when it is served.
    private var fields: [JSONText.Field]

    /// What changes with every write.
    private struct Revision: Sendable {
        var version: Int64
        var modified: String
        var content: Content
    }

    /// Milliseconds of the last change.
    var version: Int64 { current.version }
    /// Its `data`.
    var content: Content { current.content }

    /// A module's `data`.
    enum Content: Sendable {
        case policy(PolicyText)
        /// Any other module, or a document without segments.
        case opaque([UInt8])

        var bytes: [UInt8] {
            switch self {
            case .policy(let text): text.bytes
            case .opaque(let bytes): bytes
            }
        }
    }

    /// How much of the data an answer carries.
    enum DataForm: Sendable { case whole, absent, null, empty }

    /// Reads a module as it is served.
    init(_ bytes: [UInt8]) throws(JSONText.Malformed) {
        fields = try JSONText.fields(of: bytes)
        guard let json = try? JSON.parse(bytes), let id = json.value(at: ["id"])?.int,
            let name = json.value(at: ["name"])?.string, let data = fields.last(where: { $0.name == "data" }),
            let version = json.value(at: ["version"])?.string.flatMap({ Int64($0) }),
            let modified = json.value(at: ["modified"])?.string
        else { throw JSONText.Malformed(offset: 0) }
        self.id = id
        self.name = name
        current = Revision(version: version, modified: modified, content: Self.content(data.value))
    }

    static func content(_ bytes: [UInt8]) -> Content {
        (try? PolicyText(bytes)).map { .policy($0) } ?? .opaque(bytes)
    }

    /// The policy document, if there is one.
    var policy: PolicyText? {
        if case .policy(let text) = content { text } else { nil }
    }

    /// Puts another document in place, under its version.
    mutating func store(_ content: Content, version: Int64) {
        previous = current
        current = Revision(version: version, modified: WallTime.rounded(version), content: content)
    }

    /// Puts another document in place without a trace in `version` and `modified`.
    mutating func storeQuietly(_ content: Content) {
        current.content = content
    }

    /// Puts another attribute in place, such as `refs`.
    mutating func set(_ name: String, to value: [UInt8]) {
        if let index = fields.lastIndex(where: { $0.name == name }) {
            fields[index].value = value
        } else {
            fields.append(JSONText.Field(name: name, value: value))
        }
    }

    /// A module for another profile, never changed so far.
    func copy(id: Int, profileID: Int) -> Module {
        var copy = self
        copy.id = id
        copy.previous = nil
        copy.set("configurationId", to: Array(String(profileID).utf8))
        return copy
    }

    /// The module as an answer shows it.
    func served(_ form: DataForm, isStale: Bool) -> [UInt8] {
        let shown = isStale ? previous ?? current : current
        var served: [JSONText.Field] = []
        for field in fields {
            switch field.name {
            case "id": served.append(.init(name: "id", value: Array(String(id).utf8)))
            case "version": served.append(.init(name: "version", value: Array("\"\(shown.version)\"".utf8)))
            case "modified": served.append(.init(name: "modified", value: Array("\"\(shown.modified)\"".utf8)))
            case "refs" where form != .whole: served.append(.init(name: "refs", value: Array("{}".utf8)))
            case "data":
                switch form {
                case .whole: served.append(.init(name: "data", value: shown.content.bytes))
                case .absent: break
                case .null: served.append(.init(name: "data", value: Array("null".utf8)))
                case .empty: served.append(.init(name: "data", value: Array("{}".utf8)))
                }
            default: served.append(field)
            }
        }
        return JSONText.object(served)
    }
}
