import enum BusinessPolicy.JSON

/// A call's parameters: unknown members are there too, and nobody looks at them.
struct MethodParameters {
    private let fields: [JSONText.Field]

    /// An empty body counts as an empty object.
    init(_ bytes: [UInt8]) throws(MethodFailure) {
        do {
            fields = bytes.isEmpty ? [] : try JSONText.fields(of: bytes)
        } catch {
            throw MethodFailure(code: -32700, message: "the body is no JSON object (byte \(error.offset))")
        }
    }

    func raw(_ name: String) -> [UInt8]? {
        fields.last { $0.name == name }?.value
    }

    func json(_ name: String) -> JSON? {
        raw(name).flatMap { try? JSON.parse($0) }
    }

    /// A list of names; a bare string counts as a list of one.
    func names(_ name: String) -> [String]? {
        let value = json(name)
        return value?.string.map { [$0] } ?? value?.array?.compactMap(\.string)
    }

    /// The first of the names that is given; aliases are common in this API.
    func id(_ names: String...) throws(MethodFailure) -> Int {
        for name in names {
            guard let value = json(name) else { continue }
            guard let id = value.int else {
                throw .invalid([.init(path: name, message: "must be an integer")], isVague: false)
            }
            return id
        }
        throw .invalid([.init(path: names[0], message: "is required")], isVague: false)
    }

    func flag(_ name: String) -> Bool {
        json(name)?.bool ?? false
    }
}

extension OrchestratorCore {
    /// Carries out a method and returns its bare result.
    mutating func perform(
        _ method: String, _ parameters: MethodParameters, isStale: Bool, now: Int64
    ) throws(MethodFailure) -> [UInt8] {
        switch method {
        case "system/getVersionInfo": return state.versionInfo.serialized()
        case "enterprise/getEnterprise":
            let isNamed = parameters.raw("enterpriseId") != nil || parameters.raw("id") != nil
            return (modes.requiresEnterpriseID && !isNamed ? JSON.null : state.enterprise).serialized()
        case "enterprise/getEnterpriseConfigurations" where !modes.lacksConfigurationList:
            return configurations(parameters, isStale: isStale)
        case "enterprise/getEnterpriseConfigurationsPolicies":
            return JSON.array(state.profiles.map { $0.listed(withPolicies: true) }).serialized()
        case "configuration/getConfiguration": return try configuration(parameters, isStale: isStale)
        case "configuration/getConfigurationModules": return try modules(parameters, isStale: isStale)
        case "configuration/updateConfigurationModule": return try updateModule(parameters, now: now)
        case "configuration/insertConfigurationModule": return try insertModule(parameters, now: now)
        case "configuration/updateConfiguration": return try updateProfile(parameters, now: now)
        case "configuration/cloneEnterpriseTemplate", "configuration/cloneConfiguration":
            return try cloneProfile(parameters, now: now)
        case "configuration/deleteConfiguration": return try deleteProfile(parameters)
        default: throw .unknownMethod
        }
    }

    /// True for methods that need `UPDATE ENTERPRISE_PROFILE`.
    static func writes(_ method: String) -> Bool {
        ["update", "insert", "clone", "delete"].contains { method.hasPrefix("configuration/\($0)") }
    }

    /// True for methods that concern one customer, so that partners and operators must name it.
    static func concernsCustomer(_ method: String) -> Bool {
        method != "system/getVersionInfo" && method != "enterprise/getEnterprise"
    }

    private func configurations(_ parameters: MethodParameters, isStale: Bool) -> [UInt8] {
        let isWithModules = parameters.names("with")?.contains("modules") ?? false
        let kind = parameters.json("configurationType")?.string
        return JSONText.array(
            state.profiles.compactMap { profile in
                let listed = profile.listed(withPolicies: false)
                if let kind, listed.value(at: ["configurationType"])?.string != kind { return nil }
                return withModules(isWithModules, listed, of: profile, isStale: isStale)
            })
    }

    private func configuration(_ parameters: MethodParameters, isStale: Bool) throws(MethodFailure) -> [UInt8] {
        let id = try parameters.id("id", "configurationId")
        guard let index = state.index(of: .id(id)) else { return try missing(JSON.null) }
        let with = parameters.names("with") ?? []
        let profile = state.profiles[index]
        let read = profile.read(withEdgeCount: with.contains("edgeCount") || with.contains("counts"))
        return withModules(with.contains("modules"), read, of: profile, isStale: isStale)
    }

    private func withModules(
        _ isWanted: Bool, _ json: JSON, of profile: OrchestratorState.Profile, isStale: Bool
    ) -> [UInt8] {
        let bytes = json.serialized()
        guard isWanted else { return bytes }
        let modules = JSONText.array(profile.modules.map { $0.served(.whole, isStale: isStale) })
        return bytes.dropLast() + Array(",\"modules\":".utf8) + modules + [UInt8(ascii: "}")]
    }

    private func modules(_ parameters: MethodParameters, isStale: Bool) throws(MethodFailure) -> [UInt8] {
        let id = try parameters.id("configurationId", "id")
        guard let index = state.index(of: .id(id)) else { return try missing(.array([])) }
        let names = parameters.names("modules")
        let form: Module.DataForm =
            if !parameters.flag("noData") { .whole } else {
                switch modes.noData {
                case .absent: .absent
                case .null: .null
                case .empty: .empty
                }
            }
        let modules = state.profiles[index].modules.filter { names?.contains($0.name) ?? true }
        return JSONText.array(modules.map { $0.served(form, isStale: isStale) })
    }

    private mutating func updateModule(_ parameters: MethodParameters, now: Int64) throws(MethodFailure) -> [UInt8] {
        let id = try parameters.id("id", "configurationModuleId")
        guard let update = parameters.raw("_update") else {
            throw .invalid([.init(path: "_update", message: "is required")], isVague: modes.hasVagueErrors)
        }
        guard let place = state.place(ofModule: id) else { return try missing(.record(["rows": .int(0)])) }
        let changes: [JSONText.Field]
        do {
            changes = try JSONText.fields(of: update)
        } catch {
            throw .invalid([.init(path: "_update", message: "must be an object")], isVague: modes.hasVagueErrors)
        }
        var module = state.profiles[place.profile].modules[place.module]
        let data = changes.last { $0.name == "data" }.map(\.value)
        let content = try data.map { data throws(MethodFailure) in try accepted(data, over: module) } ?? module.content
        for change in changes where ["name", "description", "refs", "metadata"].contains(change.name) {
            module.set(change.name, to: change.value)
        }
        module.store(content, version: state.nextVersion(now: now))
        state.profiles[place.profile].modules[place.module] = module
        return parameters.flag("returnData")
            ? module.served(.whole, isStale: false) : JSON.record(["rows": .int(1)]).serialized()
    }

    /// Checks a document and makes of it what is stored.
    private mutating func accepted(_ data: [UInt8], over module: Module) throws(MethodFailure) -> Module.Content {
        guard (try? JSONText.fields(of: data)) != nil else {
            throw .invalid([.init(path: "_update.data", message: "must be an object")], isVague: modes.hasVagueErrors)
        }
        guard module.name == "QOS" else { return .opaque(data) }
        guard let text = try? PolicyText(data, known: module.policy?.rulesBySpelling ?? [:]) else {
            guard modes.validation == .none else {
                let fault = MethodFailure.Fault(path: "_update.data.segments", message: "is required")
                throw .invalid([fault], isVague: modes.hasVagueErrors)
            }
            return .opaque(data)
        }
        let faults = RuleValidation(modes: modes).faults(in: text)
        guard faults.isEmpty else { throw .invalid(faults, isVague: modes.hasVagueErrors) }
        return .policy(state.accepted(text, over: module.policy, modes: modes))
    }

    /// What an id that matches nothing answers.
    func missing(_ result: JSON) throws(MethodFailure) -> [UInt8] {
        guard modes.unknownID == .null else { throw MethodFailure(code: -32600, message: "no such object") }
        return result.serialized()
    }
}
