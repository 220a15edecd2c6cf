import enum BusinessPolicy.JSON

/// Making, renaming and deleting profiles: what the portal does, and scripts too.
extension OrchestratorCore {
    mutating func insertModule(_ parameters: MethodParameters, now: Int64) throws(MethodFailure) -> [UInt8] {
        let profileID = try parameters.id("configurationId")
        guard let index = state.index(of: .id(profileID)) else { return try missing(.record(["rows": .int(0)])) }
        guard let name = parameters.json("name")?.string, let data = parameters.raw("data") else {
            throw .invalid([.init(path: "name", message: "and data are required")], isVague: modes.hasVagueErrors)
        }
        guard !state.profiles[index].modules.contains(where: { $0.name == name }),
            let like = state.profiles.flatMap(\.modules).first
        else { throw MethodFailure(message: "the profile has a module \(name) already") }
        let id = state.nextID()
        var module = like.copy(id: id, profileID: profileID)
        module.name = name
        module.set("name", to: JSON.string(name).serialized())
        module.set("refs", to: Array("{}".utf8))
        module.store(Module.content(data), version: state.nextVersion(now: now))
        state.profiles[index].modules.append(module)
        return JSON.record(["id": .int(id), "rows": .int(1)]).serialized()
    }

    mutating func updateProfile(_ parameters: MethodParameters, now: Int64) throws(MethodFailure) -> [UInt8] {
        let id = try parameters.id("id", "configurationId")
        guard let index = state.index(of: .id(id)) else { return try missing(.record(["rows": .int(0)])) }
        let version = state.nextVersion(now: now)
        if let description = parameters.json("_update")?.value(at: ["description"]) {
            let attributes = state.profiles[index].attributes
            state.profiles[index].attributes = attributes.setting(["description"], to: description)
        }
        let name = parameters.json("_update")?.value(at: ["name"])?.string ?? state.profiles[index].name
        state.profiles[index].rename(to: name, version: version)
        return JSON.record(["rows": .int(1)]).serialized()
    }

    mutating func cloneProfile(_ parameters: MethodParameters, now: Int64) throws(MethodFailure) -> [UInt8] {
        guard let name = parameters.json("name")?.string else {
            throw .invalid([.init(path: "name", message: "is required")], isVague: modes.hasVagueErrors)
        }
        let original = try parameters.raw("configurationId") == nil ? nil : parameters.id("configurationId")
        let key = original.map { ProfileKey.id($0) }
        guard let id = state.createProfile(name: name, like: key, now: now) else {
            return try missing(.record(["rows": .int(0)]))
        }
        return JSON.record(["id": .int(id)]).serialized()
    }

    mutating func deleteProfile(_ parameters: MethodParameters) throws(MethodFailure) -> [UInt8] {
        let id = try parameters.id("id", "configurationId")
        guard let index = state.index(of: .id(id)) else {
            return try missing(.record(["id": .int(id), "rows": .int(0)]))
        }
        state.profiles.remove(at: index)
        return JSON.record(["id": .int(id), "rows": .int(1)]).serialized()
    }
}

extension OrchestratorState {
    /// A new profile that looks like another one, the first if none is named; a new one without rules. Nil if there is
    /// nothing to copy.
    mutating func createProfile(name: String, like key: ProfileKey?, now: Int64) -> Int? {
        guard let index = key == nil ? profiles.indices.first : key.flatMap({ index(of: $0) }) else { return nil }
        let id = nextID()
        let version = nextVersion(now: now)
        var profile = profiles[index]
        profile.id = id
        profile.attributes = profile.attributes.setting(["logicalId"], to: .string(nextLogicalID()))
        profile.rename(to: name, version: version)
        profile.modules = profile.modules.map { module in
            var copy = module.copy(id: nextID(), profileID: id)
            if key == nil, case .policy(var text) = copy.content {
                text.replaceSegments(
                    text.segments.map { segment in
                        var empty = segment
                        empty.rules = []
                        return empty
                    })
                copy.storeQuietly(.policy(text))
            }
            return copy
        }
        profiles.append(profile)
        return id
    }
}
