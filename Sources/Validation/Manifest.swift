import BusinessPolicy

/// A resource as it stands in a file.
struct Manifest {
    enum Kind: String, CaseIterable {
        case velocloudBP = "VelocloudBP"
        case velocloudLimit = "VelocloudLimit"

        /// Whether one of them is meant, however its letters are.
        static func isMeant(by name: String) -> Bool {
            allCases.contains { $0.rawValue.lowercased() == name.lowercased() }
        }
    }

    static let apiVersion = "vcn.cloud/v1"
    /// Whether the group is ours, however its letters are, and whatever the version.
    static func isOurs(_ apiVersion: String?) -> Bool {
        apiVersion?.split(separator: "/").first?.lowercased() == "vcn.cloud"
    }
    /// What stands in for a name that is not there, so that the rest can be looked at.
    private static let placeholder = "unnamed"

    let file: String
    let kind: Kind
    let document: LinedJSON
    /// Whether `metadata` names a namespace.
    let hasOwnNamespace: Bool
    /// Where the resource comes among all of them.
    let position: Int
    /// That of `metadata`, else that of the command.
    let namespace: String
    /// Empty when there is none.
    let name: String

    init(file: String, kind: Kind, document: LinedJSON, position: Int, defaultNamespace: String) {
        self.file = file
        self.kind = kind
        self.document = document
        self.position = position
        let metadata = document["metadata"]?.value
        let namespace = metadata?["namespace"]?.value.string ?? ""
        hasOwnNamespace = !namespace.isEmpty
        self.namespace = namespace.isEmpty ? defaultNamespace : namespace
        name = metadata?["name"]?.value.string ?? ""
    }

    /// The resource as an API server would hold it.
    ///
    /// Nothing offline has an age: earlier in the files is older. A status that was exported with it tells of another
    /// cluster's rule and is left out.
    var json: JSON {
        var metadata: JSON = [
            "namespace": .string(namespace),
            "name": .string(name.isEmpty ? Self.placeholder : name),
            "uid": .string(uid),
            "resourceVersion": "1",
            "creationTimestamp": "2020-01-01T00:00:00Z",
        ]
        if let annotations = document["metadata"]?.value["annotations"] {
            metadata["annotations"] = annotations.value.json
        }
        var resource: JSON = ["metadata": metadata]
        if let spec = document["spec"] { resource["spec"] = spec.value.json }
        return resource
    }

    /// Sorts as the position does.
    var uid: String {
        let digits = String(position)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    /// `VelocloudBP namespace/name (file:line)`, for messages about another resource.
    var label: String { "\(kind.rawValue) \(namespace)/\(name) (\(file):\(document.line))" }

    /// The line of a member, or of the innermost one around it that is written.
    func line(of path: [String]) -> Int {
        var line = document.line
        var value: LinedJSON? = document
        for name in path {
            guard let member = value?[name] else { break }
            line = member.line
            value = member.value
        }
        return line
    }

    func finding(_ reason: Finding.Reason, _ path: [String], _ message: String) -> Finding {
        Finding(
            file: file, line: line(of: path),
            resource: Finding.Resource(kind: kind.rawValue, namespace: namespace, name: name), reason: reason,
            field: path.isEmpty ? nil : path.joined(separator: "."), message: message)
    }

    /// About a member of the spec, or about the whole of it where the name is empty.
    func finding(_ reason: Finding.Reason, spec member: String, _ message: String) -> Finding {
        finding(reason, member.isEmpty ? ["spec"] : ["spec", member], message)
    }
}
