import BusinessPolicy
import Glibc
import Testing

@testable import Validation

/// Our own manifests, and what they say of resources.
@Suite struct ManifestTests {
    /// The article's own resources are sound.
    @Test func samples() throws {
        var validator = Validator(defaultNamespace: "default")
        validator.add(try content("samples/velocloud.yaml"), file: "velocloud.yaml")
        #expect(validator.finished().text == "2 VelocloudBP and 0 VelocloudLimit checked: no findings\n")
    }

    /// The members that are known are those of the CRD's schema.
    @Test func membersOfVelocloudBP() throws {
        let spec = try schema("velocloudbp")
        #expect(names(spec) == VelocloudBP.SpecMember.allCases.map(\.rawValue).sorted())
    }

    /// Likewise for limits, with the members of its members.
    @Test func membersOfVelocloudLimit() throws {
        let spec = try schema("velocloudlimit")
        #expect(names(spec) == VelocloudLimit.specMembers.sorted())
        for field in NumericLimit.allCases {
            #expect(names(spec["properties"]?[field.rawValue]) == (field.innerMember.map { [$0] } ?? []))
        }
    }

    /// Each case of the table that the policy and the operator are held to gets the same words here. Quotas are left
    /// out: the table speaks of one resource alone.
    @Test func cases() throws {
        let table = try JSON.parse(content("../Tests/Fixtures/limits/cases.json")).array ?? []
        var validator = Validator(defaultNamespace: "default")
        var expected: [String: [String]] = [:]
        for (number, item) in table.enumerated() where item["limit"]?["max-rules"] == nil {
            let namespace = "case-\(number)"
            expected[namespace] = (item["violations"]?.array ?? []).compactMap(\.string)
            for (kind, spec) in [("VelocloudLimit", item["limit"]), ("VelocloudBP", item["spec"])] {
                let document: JSON = [
                    "apiVersion": "vcn.cloud/v1", "kind": .string(kind), "spec": spec ?? .null,
                    "metadata": ["name": "checked", "namespace": .string(namespace)],
                ]
                validator.add(document.serialized(), file: "\(namespace)/\(kind)")
            }
        }
        #expect(expected.count >= 60)
        let findings = validator.finished().findings.filter { $0.reason == .outOfLimits }
        let found = Dictionary(grouping: findings) { $0.resource?.namespace ?? "" }
        for (namespace, words) in expected { #expect(found[namespace, default: []].map(\.message) == words) }
    }

    private func names(_ schema: JSON?) -> [String] {
        (schema?["properties"]?.members ?? []).map(\.name).sorted()
    }

    private func schema(_ name: String) throws -> JSON {
        let definition = try #require(TextDocuments.read(try content("crd/\(name).yaml")).values.first).json
        let root = definition["spec"]?["versions"]?[0]?["schema"]?["openAPIV3Schema"]
        return try #require(root?["properties"]?["spec"])
    }

    private func content(_ path: String) throws -> [UInt8] {
        let manifests = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/manifests/"
        return try #require(
            try ManifestFiles.content(of: ManifestFiles.File(path: manifests + path, isLimitsOnly: false)))
    }
}
