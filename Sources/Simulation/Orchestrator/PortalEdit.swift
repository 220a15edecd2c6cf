import enum BusinessPolicy.JSON

/// Something a person does in the portal, behind the back of every client.
package enum PortalEdit: Hashable, Sendable {
    /// Sets one member of a rule; the path is dotted, such as `match.hostname`. No value takes the member away.
    case setMember(ProfileKey, segment: String, rule: String, path: String, value: JSON?)
    /// Puts a rule at an index of the segment, or at its end.
    case addRule(ProfileKey, segment: String, index: Int?, rule: JSON)
    case deleteRule(ProfileKey, segment: String, rule: String)
    /// Puts the named rules first, in this order; the others follow as they were.
    case reorder(ProfileKey, segment: String, rules: [String])
    case renameProfile(ProfileKey, to: String)
    case deleteProfile(ProfileKey)
    /// Makes a profile like the first one, without rules.
    case createProfile(name: String)
    case renameSegment(ProfileKey, segment: String, to: String)
    case deleteSegment(ProfileKey, segment: String)
    /// Makes a segment like the profile's first one, without rules.
    case createSegment(ProfileKey, name: String, id: Int)
    /// Puts a whole document in place, whatever it is.
    case replaceData(ProfileKey, [UInt8])
    /// A new version of the same document.
    case touch(ProfileKey)
    /// The VCO is upgraded: every rule and default rule of every profile gets the members of the release.
    case upgrade(OrchestratorModes.Release)

    /// Why an edit was not made.
    package enum Failure: Error, Hashable, Sendable {
        case noSuchProfile(ProfileKey)
        case noSuchSegment(String)
        case noSuchRule(String)
        case noPolicy(ProfileKey)
        case unreadable(String)
    }
}

extension OrchestratorState {
    /// Makes an edit. With `isQuiet` the document changes though `version` stays, which no document rules out.
    mutating func apply(_ edit: PortalEdit, isQuiet: Bool, now: Int64) throws(PortalEdit.Failure) {
        switch edit {
        case .renameProfile(let key, let name):
            let index = try self.index(existing: key)
            profiles[index].rename(to: name, version: nextVersion(now: now))
        case .deleteProfile(let key):
            let index = try self.index(existing: key)
            profiles.remove(at: index)
        case .createProfile(let name):
            if createProfile(name: name, like: nil, now: now) == nil { throw .noSuchProfile(.name("any")) }
        case .replaceData(let key, let bytes):
            let index = try self.index(existing: key)
            store(Module.content(bytes), profile: index, isQuiet: isQuiet, now: now)
        case .upgrade(let release):
            for index in profiles.indices { upgrade(profile: index, to: release, isQuiet: isQuiet, now: now) }
        case .touch(let key):
            let index = try self.index(existing: key)
            let place = try place(ofPolicyIn: key)
            store(profiles[index].modules[place].content, profile: index, isQuiet: isQuiet, now: now)
        case .renameSegment(let key, _, _), .deleteSegment(let key, _), .createSegment(let key, _, _),
            .setMember(let key, _, _, _, _), .addRule(let key, _, _, _), .deleteRule(let key, _, _),
            .reorder(let key, _, _):
            let index = try self.index(existing: key)
            guard var text = profiles[index].modules[try place(ofPolicyIn: key)].policy else { throw .noPolicy(key) }
            var segments = text.segments
            try change(&segments, by: edit)
            text.replaceSegments(segments)
            store(.policy(text), profile: index, isQuiet: isQuiet, now: now)
        }
    }

    private mutating func change(_ segments: inout [PolicyText.Segment], by edit: PortalEdit) throws(PortalEdit.Failure)
    {
        switch edit {
        case .renameSegment(_, let name, let new):
            segments[try Self.index(of: name, in: segments)].rename(to: new)
        case .deleteSegment(_, let name):
            segments.remove(at: try Self.index(of: name, in: segments))
        case .createSegment(_, let name, let id):
            guard let like = segments.first else { throw .noSuchSegment("any") }
            segments.append(like.copy(id: id, name: name, logicalID: nextLogicalID()))
        case .setMember(_, let segment, let rule, let path, let value):
            let place = try Self.index(of: segment, in: segments)
            let index = try Self.index(ofRule: rule, in: segments[place])
            let names = path.split(separator: ".").map(String.init)
            let old = segments[place].rules[index].json
            segments[place].rules[index] = try Self.rule(
                value.map { old.setting(names, to: $0) } ?? old.removing(names))
        case .addRule(_, let segment, let index, let rule):
            let place = try Self.index(of: segment, in: segments)
            var text = try Self.rule(rule)
            if text.logicalID == nil, let named = try? text.with(logicalID: nextLogicalID()) { text = named }
            let count = segments[place].rules.count
            segments[place].rules.insert(text, at: min(max(0, index ?? count), count))
        case .deleteRule(_, let segment, let rule):
            let place = try Self.index(of: segment, in: segments)
            segments[place].rules.remove(at: try Self.index(ofRule: rule, in: segments[place]))
        case .reorder(_, let segment, let names):
            let place = try Self.index(of: segment, in: segments)
            var rest = segments[place].rules
            var first: [RuleText] = []
            for name in names {
                first.append(rest.remove(at: try Self.index(ofRule: name, in: rest)))
            }
            segments[place].rules = first + rest
        case .renameProfile, .deleteProfile, .createProfile, .replaceData, .touch, .upgrade:
            preconditionFailure("this edit is not one of segments")
        }
    }

    private mutating func upgrade(profile: Int, to release: OrchestratorModes.Release, isQuiet: Bool, now: Int64) {
        guard let place = profiles[profile].modules.firstIndex(where: { $0.name == "QOS" }),
            var text = profiles[profile].modules[place].policy
        else { return }
        var modes = OrchestratorModes()
        modes.release = release
        let rewriting = RuleRewriting(modes: modes, turn: turns)
        var segments = text.segments
        for index in segments.indices {
            segments[index].rules = segments[index].rules.map { rewriting.rewritten($0) }
            segments[index].defaults = segments[index].defaults.map { bytes in
                (try? RuleText(bytes)).map { rewriting.rewritten($0).bytes } ?? bytes
            }
        }
        text.replaceSegments(segments)
        store(.policy(text), profile: profile, isQuiet: isQuiet, now: now)
    }

    private mutating func store(_ content: Module.Content, profile: Int, isQuiet: Bool, now: Int64) {
        guard let place = profiles[profile].modules.firstIndex(where: { $0.name == "QOS" }) else { return }
        if isQuiet {
            profiles[profile].modules[place].storeQuietly(content)
        } else {
            profiles[profile].modules[place].store(content, version: nextVersion(now: now))
        }
    }

    private func index(existing key: ProfileKey) throws(PortalEdit.Failure) -> Int {
        guard let index = index(of: key) else { throw .noSuchProfile(key) }
        return index
    }

    private func place(ofPolicyIn key: ProfileKey) throws(PortalEdit.Failure) -> Int {
        let modules = profiles[try index(existing: key)].modules
        guard let place = modules.firstIndex(where: { $0.name == "QOS" }) else { throw .noPolicy(key) }
        return place
    }

    private static func index(
        of name: String, in segments: [PolicyText.Segment]
    ) throws(PortalEdit.Failure) -> Int {
        guard let index = segments.firstIndex(where: { $0.name == name }) else { throw .noSuchSegment(name) }
        return index
    }

    private static func index(
        ofRule name: String, in segment: PolicyText.Segment
    ) throws(PortalEdit.Failure) -> Int {
        try index(ofRule: name, in: segment.rules)
    }

    private static func index(ofRule name: String, in rules: [RuleText]) throws(PortalEdit.Failure) -> Int {
        guard let index = rules.firstIndex(where: { $0.name == name }) else { throw .noSuchRule(name) }
        return index
    }

    private static func rule(_ json: JSON) throws(PortalEdit.Failure) -> RuleText {
        guard let rule = try? RuleText(json.serialized()) else { throw .unreadable("a rule must be an object") }
        return rule
    }
}
