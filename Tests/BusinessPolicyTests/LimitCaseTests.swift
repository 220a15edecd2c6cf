import BusinessPolicy
import Glibc
import Testing

/// The table that the operator's rule and the admission policy are both held to; `scripts/check-admission` runs it
/// through the policy.
@Suite struct LimitCaseTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var spec: JSON
        var limit: JSON
        var violations: [String]

        var testDescription: String { name }
    }

    static let cases: [Case] = {
        let path = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Fixtures/limits/cases.json"
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return ((try? JSON.parse(Array(bytes[..<count])))?.array ?? []).map { item in
            Case(
                name: item["name"]?.string ?? "", spec: item["spec"] ?? .null, limit: item["limit"] ?? .null,
                violations: (item["violations"]?.array ?? []).compactMap(\.string))
        }
    }()

    // Verdict and words are those of the table.
    @Test(arguments: cases) func operatorAgrees(_ item: Case) throws {
        let metadata: JSON = ["namespace": "shop", "name": "checked", "uid": "u", "resourceVersion": "1"]
        let resource = try VelocloudBP(json: .object([.init("metadata", metadata), .init("spec", item.spec)]))
        let limit = try VelocloudLimit(json: .object([.init("metadata", metadata), .init("spec", item.limit)]))
        let ask = Ask(try resource.spec.get())
        #expect(limit.violations(of: ask).map(\.message) == item.violations)
    }

    // There is a table, and it knows both verdicts on every field.
    @Test func tableIsWhole() throws {
        #expect(Self.cases.count >= 60 && Set(Self.cases.map(\.name)).count == Self.cases.count)
        for field in LimitedField.allCases.map(\.rawValue) + ["bandwidth-limit", "order"] {
            let concerned = Self.cases.filter { $0.limit[field] != nil }
            #expect(concerned.contains { $0.violations.isEmpty }, "\(field)")
            #expect(concerned.contains { !$0.violations.isEmpty }, "\(field)")
        }
    }
}
