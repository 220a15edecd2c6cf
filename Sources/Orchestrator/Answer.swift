import BusinessPolicy

/// The body of a good reply, and how to read the objects in it.
struct Answer: Sendable {
    var json: JSON
    /// The text that `json` was read from.
    var body: [UInt8]
    var wording: Wording

    /// A QOS module as found in a list of modules.
    struct FoundModule: Sendable {
        var index: Int
        var summary: ModuleSummary
    }

    /// A configuration object.
    func profile(_ value: JSON) throws(OrchestratorError) -> ProfileSummary {
        guard let id = value["id"]?.int, let name = value["name"]?.string else {
            throw .unreadable(wording("answered with a profile that lacks its id or name"))
        }
        return ProfileSummary(
            id: id, name: name, isSegmentBased: value["configurationType"]?.string != "NETWORK_BASED")
    }

    /// The QOS module in a list of modules; nil when there is none.
    func module(ofProfile profileID: Int) throws(OrchestratorError) -> FoundModule? {
        if json.isNothing { return nil }
        guard let modules = json.array else {
            throw .unreadable(wording("answered with no list of modules. Check --vco-url"))
        }
        guard let index = modules.firstIndex(where: { $0["name"]?.string == "QOS" }) else { return nil }
        let module = modules[index]
        guard let id = module["id"]?.int, let version = Self.version(module["version"]) else {
            throw .unreadable(wording("answered with a QOS module that lacks its id or version"))
        }
        if let owner = module["configurationId"]?.int, owner != profileID {
            throw .unreadable(wording("answered with the module of profile \(owner) when asked for \(profileID)"))
        }
        return FoundModule(index: index, summary: ModuleSummary(id: id, version: version))
    }

    /// The `data` of a module as the VCO spelt it.
    func data(at index: Int) throws(OrchestratorError) -> [UInt8] {
        guard case .object = json[index]?["data"] else {
            throw .unreadable(wording("answered with a QOS module without its data"))
        }
        let slice: [UInt8]?
        do {
            slice = try JSON.slice(of: body, at: [.index(index), .member("data")])
        } catch {
            throw .unreadable(wording("answered with no JSON at byte \(error.offset): \(error.problem)"))
        }
        guard let slice else {
            throw .unreadable(wording("answered with a QOS module without its data"))
        }
        return slice
    }

    /// Documented as a string; a number is taken by its spelling.
    private static func version(_ value: JSON?) -> String? {
        switch value {
        case .string(let text) where !text.isEmpty: text
        case .number(let text): text
        case .string, .bool, .null, .array, .object, nil: nil
        }
    }
}

extension JSON {
    /// How the VCO says that there is no such thing: `null`, `[]` or `{}`.
    var isNothing: Bool {
        switch self {
        case .null: true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .bool, .number, .string: false
        }
    }
}
