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
        let report = validator.finished()
        #expect(report.text == "2 VelocloudBP and 0 VelocloudLimit checked: no findings\n")
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
