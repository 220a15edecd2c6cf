import BusinessPolicy

/// One thing that is wrong with a file, or should be known about it.
package struct Finding: Hashable, Sendable {
    package var file: String
    /// From 1.
    package var line: Int
    /// The resource; nil where none can be read.
    package var resource: Resource?
    package var reason: Reason
    /// The path of the member at fault, such as `spec.dport`; nil when it is none.
    package var field: String?
    /// What is wrong and what to do, in words.
    package var message: String

    /// A resource as people name it. What was not given is empty.
    package struct Resource: Hashable, Sendable {
        package var kind: String
        package var namespace: String
        package var name: String
    }

    package enum Reason: String, Sendable {
        /// The text is neither YAML nor JSON.
        case invalidYAML = "InvalidYAML"
        /// Nobody writes resources of that size.
        case fileTooLarge = "FileTooLarge"
        /// The group is ours, or the kind is, but not the two together.
        case unknownKind = "UnknownKind"
        /// The API server would not take the name, the namespace, a label or an annotation.
        case invalidMetadata = "InvalidMetadata"
        /// The API server would drop the member without a word, or kubectl refuse it.
        case unknownField = "UnknownField"
        /// The resource was there before: only one of the two would come to be.
        case duplicateResource = "DuplicateResource"
        /// As the condition of the resource would say.
        case invalidSpec = "InvalidSpec"
        /// As the condition of the limit would say.
        case contradiction = "Contradiction"
        /// As the condition of the resource would say.
        case outOfLimits = "OutOfLimits"
        /// As the condition of the resource would say.
        case nameConflict = "NameConflict"
        /// It is accepted, but does less than it seems.
        case warning = "Warning"
    }

    /// Whether it is wrong, and not only to be known.
    package var isError: Bool { reason != .warning }
}

/// What was looked at, and what came of it.
package struct ValidationReport: Hashable, Sendable {
    package var velocloudBPs = 0
    package var velocloudLimits = 0
    /// Resources of other kinds.
    package var passedOver = 0
    /// In the order of files and lines.
    package var findings: [Finding] = []

    /// Whether there was nothing to look at.
    package var isEmpty: Bool { velocloudBPs == 0 && velocloudLimits == 0 && findings.isEmpty }

    package var hasErrors: Bool { findings.contains(where: \.isError) }

    /// One line for each finding, as compilers write them, and one of counts.
    package var text: String {
        (findings.map(\.text) + [counts]).map { $0 + "\n" }.joined()
    }

    private var counts: String {
        let errors = findings.count(where: \.isError)
        let warnings = findings.count - errors
        var line = "\(velocloudBPs) VelocloudBP and \(velocloudLimits) VelocloudLimit checked"
        if passedOver > 0 { line += ", \(passedOver) of other kinds passed over" }
        line += ": \(errors == 0 ? "no findings" : errors == 1 ? "1 finding" : "\(errors) findings")"
        if warnings > 0 { line += warnings == 1 ? ", 1 warning" : ", \(warnings) warnings" }
        return line
    }

    /// The report for programs.
    package var json: JSON {
        [
            "checked": ["velocloudBPs": .int(velocloudBPs), "velocloudLimits": .int(velocloudLimits)],
            "findings": .array(findings.map(\.json)),
        ]
    }
}

extension Finding {
    /// Control characters of a hostile file must neither move the cursor nor begin a line of their own.
    fileprivate var text: String {
        let name = resource.map { "\($0.namespace)/\($0.name.isEmpty ? "(no name)" : $0.name): " } ?? ""
        let line = "\(file):\(line): \(name)\(reason.rawValue): \(message)"
        return line.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
    }

    fileprivate var json: JSON {
        [
            "file": .string(file),
            "line": .int(line),
            "kind": .string(resource?.kind ?? ""),
            "namespace": .string(resource?.namespace ?? ""),
            "name": .string(resource?.name ?? ""),
            "severity": isError ? "error" : "warning",
            "reason": .string(reason.rawValue),
            "field": .string(field ?? ""),
            "message": .string(message),
        ]
    }
}
