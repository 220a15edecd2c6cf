import enum BusinessPolicy.JSON

extension JSON {
    /// An object, members in the order written.
    static func record(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(members.map { Member($0.key, $0.value) })
    }

    /// The value at a path of member names; nil when it is not there.
    func value(at path: [String]) -> JSON? {
        path.reduce(Optional(self)) { value, name in value?.members?.last { $0.name == name }?.value }
    }

    /// The same value with the one at the path replaced; objects that are missing on the way are made.
    func setting(_ path: [String], to value: JSON) -> JSON {
        guard let name = path.first else { return value }
        var members = self.members ?? []
        let rest = Array(path.dropFirst())
        if let index = members.lastIndex(where: { $0.name == name }) {
            members[index].value = members[index].value.setting(rest, to: value)
        } else {
            members.append(Member(name, JSON.object([]).setting(rest, to: value)))
        }
        return .object(members)
    }

    /// The same object without the member at the path.
    func removing(_ path: [String]) -> JSON {
        guard let name = path.first, let members else { return self }
        if path.count == 1 { return .object(members.filter { $0.name != name }) }
        return .object(
            members.map { $0.name == name ? Member(name, $0.value.removing(Array(path.dropFirst()))) : $0 })
    }

    /// The same object with the members that it lacks put at its end.
    func adding(_ members: KeyValuePairs<String, JSON>) -> JSON {
        guard let present = self.members else { return self }
        let missing = members.filter { new in !present.contains { $0.name == new.key } }
        return .object(present + missing.map { Member($0.key, $0.value) })
    }
}
