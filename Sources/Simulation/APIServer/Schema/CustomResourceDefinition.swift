import enum BusinessPolicy.JSON

/// A CustomResourceDefinition that was applied: what it makes the server serve. Of several versions the stored one is
/// served, since nothing converts between them.
struct CustomResourceDefinition {
    let served: ServedKind
    /// The definition as it is kept: its own defaults filled in, and established at once.
    let json: JSON

    init(_ definition: JSON, wallMilliseconds: Int64) throws(APIFailure) {
        let name = definition.value(at: ["metadata", "name"])?.string ?? ""
        func required(_ path: [String]) throws(APIFailure) -> String {
            if let text = definition.value(at: ["spec"] + path)?.string, !text.isEmpty { return text }
            let field = (["spec"] + path).joined(separator: ".")
            throw .invalid(
                .definition, name, [.init(reason: "FieldValueRequired", message: "Required value", field: field)])
        }
        let group = try required(["group"])
        let plural = try required(["names", "plural"])
        let kindName = try required(["names", "kind"])
        let scope = try required(["scope"])
        guard name == "\(plural).\(group)" else {
            let problem = "Invalid value: \"\(name)\": must be spec.names.plural+\".\"+spec.group"
            throw .invalid(
                .definition, name, [.init(reason: "FieldValueInvalid", message: problem, field: "metadata.name")])
        }
        let versions = definition.value(at: ["spec", "versions"])?.array ?? []
        guard let stored = versions.first(where: { $0["storage"]?.bool == true }),
            let version = stored["name"]?.string
        else {
            let problem = "Invalid value: must have exactly one version marked as storage version"
            throw .invalid(
                .definition, name, [.init(reason: "FieldValueInvalid", message: problem, field: "spec.versions")])
        }
        guard let schema = stored.value(at: ["schema", "openAPIV3Schema"]) else {
            let field = "spec.versions[0].schema.openAPIV3Schema"
            let problem = "Required value: schemas are required"
            throw .invalid(
                .definition, name, [.init(reason: "FieldValueRequired", message: problem, field: field)])
        }
        let names = definition.value(at: ["spec", "names"]) ?? .record([:])
        let kind = SimulatedKind(
            group: group, version: version, plural: plural, name: kindName, isNamespaced: scope == "Namespaced")
        served = ServedKind(
            kind: kind, shortNames: names["shortNames"]?.array?.compactMap(\.string) ?? [],
            categories: names["categories"]?.array?.compactMap(\.string) ?? [],
            singular: names["singular"]?.string ?? kindName.lowercased(),
            hasStatus: stored.value(at: ["subresources", "status"]) != nil, countsGenerations: true,
            mustNameVersion: true, schema: ResourceSchema(json: schema), columns: Self.columns(of: stored))
        json = Self.established(definition, served, wallMilliseconds: wallMilliseconds)
    }

    private static func columns(of version: JSON) -> [PrinterColumn] {
        guard let columns = version["additionalPrinterColumns"]?.array, !columns.isEmpty else { return [.age] }
        return columns.map { column in
            let path = column["jsonPath"]?.string ?? ""
            return PrinterColumn(
                name: column["name"]?.string ?? "", type: column["type"]?.string ?? "string",
                description: column["description"]?.string
                    ?? "Custom resource definition column (in JSONPath format): \(path)",
                priority: column["priority"]?.int ?? 0, value: JSONPath(path).first)
        }
    }

    private static func established(_ definition: JSON, _ served: ServedKind, wallMilliseconds: Int64) -> JSON {
        let names = (definition.value(at: ["spec", "names"]) ?? .record([:]))
            .adding(["singular": .string(served.singular), "listKind": .string(served.listName)])
        var json = definition.setting(["spec", "names"], to: names)
        if json.value(at: ["spec", "conversion"]) == nil {
            json = json.setting(["spec", "conversion"], to: .record(["strategy": .string("None")]))
        }
        let old = definition.value(at: ["status", "conditions"])?.array ?? []
        func condition(_ type: String, _ reason: String, _ message: String) -> JSON {
            let time = old.first { $0["type"]?.string == type }?["lastTransitionTime"]
            return .record([
                "type": .string(type), "status": .string("True"),
                "lastTransitionTime": time ?? .string(WallTime.seconds(wallMilliseconds)),
                "reason": .string(reason), "message": .string(message),
            ])
        }
        return json.setting(
            ["status"],
            to: .record([
                "conditions": .array([
                    condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                    condition(
                        "Established", "InitialNamesAccepted", "the initial names have been accepted"),
                ]),
                "acceptedNames": names, "storedVersions": .array([.string(served.kind.version)]),
            ])
        )
    }
}
