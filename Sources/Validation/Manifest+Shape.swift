import BusinessPolicy

extension Manifest {
    /// What the API server's schema sees, and velokube never gets to see.
    func shapeFindings() -> [Finding] {
        var findings = unknownMembers(
            of: document, at: [], known: ["apiVersion", "kind", "metadata", "spec", "status"])
        findings += metadataFindings()
        let spec = document["spec"]?.value
        findings += nullMembers(of: spec)
        switch kind {
        case .velocloudBP:
            findings += unknownMembers(
                of: spec, at: ["spec"], known: VelocloudBP.SpecMember.allCases.map(\.rawValue))
        case .velocloudLimit:
            if spec == nil { findings.append(finding(.invalidSpec, ["spec"], "spec is missing; {} restricts nothing")) }
            findings += unknownMembers(of: spec, at: ["spec"], known: VelocloudLimit.specMembers)
            for field in NumericLimit.allCases {
                guard let inner = field.innerMember else { continue }
                findings += unknownMembers(
                    of: spec?[field.rawValue]?.value, at: ["spec", field.rawValue], known: [inner])
            }
        }
        return findings
    }

    private func unknownMembers(of value: LinedJSON?, at path: [String], known: [String]) -> [Finding] {
        (value?.members ?? []).filter { !known.contains($0.name) }.map { member in
            let path = path + [member.name]
            let advice =
                Spelling.nearest(to: member.name, among: known).map { "did you mean \($0)?" }
                ?? "known are \(known.joined(separator: ", "))"
            return finding(
                .unknownField, path, "\(path.joined(separator: ".")) is not known and would be dropped; \(advice)")
        }
    }

    /// The API server takes null for "not given" only where there is a default to take its place. What must be given is
    /// told as missing anyway.
    private func nullMembers(of spec: LinedJSON?) -> [Finding] {
        let strict: [String] =
            switch kind {
            case .velocloudBP: [VelocloudBP.SpecMember.name.rawValue, VelocloudBP.SpecMember.dportHigh.rawValue]
            case .velocloudLimit: VelocloudLimit.specMembers.filter { $0 != "on-violation" }
            }
        return (spec?.members ?? []).filter { strict.contains($0.name) && $0.value.json == .null }.map { member in
            finding(.invalidSpec, spec: member.name, "spec.\(member.name) is null; leave it out or give it a value")
        }
    }

    // MARK: Annotations

    /// An annotation of ours that does nothing, for a slip in its name or its value.
    private func idleAnnotations() -> [Finding] {
        let prefix = "vcn.cloud/"
        let known = ["paused": "true", "adopt": "true", "deletion-policy": "Orphan", "reconcile-requested-at": nil]
        return (given("annotations")?.members ?? []).filter { $0.name.hasPrefix(prefix) }.compactMap { entry in
            let path = ["metadata", "annotations", entry.name]
            let name = String(entry.name.dropFirst(prefix.count))
            guard let effective = known[name] else {
                let near = Spelling.nearest(to: name, among: known.keys.sorted())
                let advice = near.map { "; did you mean \(prefix)\($0)?" } ?? ""
                return finding(.warning, path, "the annotation \(entry.name) is not known and does nothing\(advice)")
            }
            guard let effective, let value = entry.value.string, value != effective else { return nil }
            return finding(
                .warning, path, "the annotation \(entry.name) does nothing unless it is \"\(effective)\"")
        }
    }

    // MARK: Metadata

    private static let metadataMembers = [
        "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "generateName", "uid",
        "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "managedFields", "selfLink",
    ]

    /// Whether the API server would take name and namespace; others cannot be told apart.
    var isNamed: Bool { nameFault == nil && namespaceFault == nil }

    private var nameFault: String? {
        guard let given = given("name") else { return "metadata.name is missing" }
        guard let name = given.string else { return "metadata.name \(given.json.shown) \(Self.isNoText)" }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if name.utf8.count <= 253, labels.allSatisfy(Self.isLabel) { return nil }
        return "metadata.name \(given.json.shown) cannot be a name; it is made of lower-case letters, digits, hyphens "
            + "and dots, begins and ends with a letter or digit, and has at most 253 characters"
    }

    private var namespaceFault: String? {
        guard let given = given("namespace") else { return nil }
        guard let name = given.string else { return "metadata.namespace \(given.json.shown) \(Self.isNoText)" }
        if isNamespaceName(name) { return nil }
        return "metadata.namespace \(given.json.shown) cannot be a namespace; it is made of lower-case letters, digits "
            + "and hyphens, begins and ends with a letter or digit, and has at most 63 characters"
    }

    private static let isNoText = "is no text; put it in quotes"

    fileprivate static func isLabel(_ label: Substring.UTF8View) -> Bool {
        let isPlain = label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        let hyphen = UInt8(ascii: "-")
        return isPlain && !label.isEmpty && label.first != hyphen && label.last != hyphen
    }

    /// A member of `metadata`; one that is null or an empty text counts as not given, as it does for the API server.
    private func given(_ member: String) -> LinedJSON? {
        document["metadata"]?.value[member].flatMap { [.null, ""].contains($0.value.json) ? nil : $0.value }
    }

    private func metadataFindings() -> [Finding] {
        var findings = unknownMembers(of: document["metadata"]?.value, at: ["metadata"], known: Self.metadataMembers)
        func note(_ path: [String], _ message: String) {
            findings.append(finding(.invalidMetadata, ["metadata"] + path, message))
        }
        if let nameFault { note(["name"], nameFault) }
        if let namespaceFault { note(["namespace"], namespaceFault) }
        for member in ["labels", "annotations"] {
            guard let value = given(member) else { continue }
            guard let entries = value.members else {
                note([member], "metadata.\(member) \(value.json.shown) must be an object of texts")
                continue
            }
            for entry in entries where entry.value.string == nil && entry.value.json != .null {
                note(
                    [member, entry.name],
                    "metadata.\(member): \(entry.name) \(entry.value.json.shown) \(Self.isNoText)")
            }
        }
        if kind == .velocloudBP { findings += idleAnnotations() }
        return findings
    }
}

/// Whether a namespace can have that name.
package func isNamespaceName(_ name: String) -> Bool {
    name.utf8.count <= 63 && Manifest.isLabel(Substring(name).utf8)
}
