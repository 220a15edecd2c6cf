@testable import Validation

/// A VelocloudBP of the namespace shop, as one line of YAML.
func resource(_ name: String, _ spec: String = "profile: P, fqdn: app.shop.example, dport: 443") -> String {
    "{apiVersion: vcn.cloud/v1, kind: VelocloudBP, metadata: {name: \(name), namespace: shop}, spec: {\(spec)}}"
}

/// A VelocloudLimit of the namespace shop, as one line of YAML.
func limit(_ name: String, _ spec: String) -> String {
    "{apiVersion: vcn.cloud/v1, kind: VelocloudLimit, metadata: {name: \(name), namespace: shop}, spec: {\(spec)}}"
}

/// The report on texts that are files of the names a, b, c and so on.
func checked(_ files: String..., limits: String? = nil) -> ValidationReport {
    var validator = Validator(defaultNamespace: "default")
    for (name, text) in zip("abcdefgh", files) { validator.add(Array(text.utf8), file: String(name)) }
    if let limits { validator.add(Array(limits.utf8), file: "limits", isLimitsOnly: true) }
    return validator.finished()
}

/// The documents as one file.
func documents(_ documents: String...) -> String {
    documents.joined(separator: "\n---\n")
}

extension ValidationReport {
    /// `file:line Reason field` of each finding.
    var outline: [String] {
        findings.map { "\($0.file):\($0.line) \($0.reason.rawValue) \($0.field ?? "-")" }
    }

    var messages: [String] { findings.map(\.message) }
}
