import BusinessPolicy
import ControlLoop
import FoundationEssentials
import Kubernetes
import Operator
import Testing

/// docs/metrics.md says what is served, no more and no less.
@Suite struct MetricsPageTests {
    /// One metric, as the page tells of it or as the text shows it.
    private struct Family: Hashable {
        var name: String
        var type: String
        var labels: Set<String>
    }

    private static func page() throws -> [String] {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let page = try #require(FileManager.default.contents(atPath: root + "/docs/metrics.md"))
        return String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// What is served when every label that only shows with a resource has one.
    private static var served: [String] {
        var metrics = Metrics(startedAt: Instant(nanoseconds: 0))
        metrics.resourcesOutOfLimits = ["shop": 1]
        for credential in Metrics.Credential.allCases { metrics.credentialExpiries[credential] = 1_800_000_000 }
        let queue = WorkQueue<String>(
            backoff: Backoff(base: .seconds(1), factor: 2, max: .seconds(10), jitter: 0),
            random: SeededRandom(seed: 1)
        ).statistics
        return metrics.rendered(profiles: queue, limits: queue, now: Instant(nanoseconds: 0))
            .split(separator: "\n").map(String.init)
    }

    /// Labels and values of a sample; `le` belongs to the type.
    private static func labels(of sample: String) -> [(name: String, value: String)] {
        guard let open = sample.firstIndex(of: "{"), let close = sample.lastIndex(of: "}") else { return [] }
        return sample[sample.index(after: open)..<close].split(separator: ",").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return parts[0] == "le" ? nil : (String(parts[0]), String(parts[1].dropFirst().dropLast()))
        }
    }

    /// The families of the text, and the values of each label in each.
    private static func families() -> ([Family], [String: Set<String>]) {
        var families: [Family] = []
        var values: [String: Set<String>] = [:]
        for line in served {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ").map(String.init)
                families.append(Family(name: words[2], type: words[3], labels: []))
            } else if !line.hasPrefix("#") {
                for (label, value) in labels(of: line) {
                    families[families.count - 1].labels.insert(label)
                    values["\(label) of \(families[families.count - 1].name)", default: []].insert(value)
                }
            }
        }
        return (families, values)
    }

    /// The words of a text that stand in backquotes.
    private static func quoted(_ text: some StringProtocol) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    /// Names, types and labels in the table are those that are served.
    @Test func theTableIsWhatIsServed() throws {
        let documented = try Self.page().filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(" ") }
            return Family(
                name: Self.quoted(cells[0])[0], type: cells[1].split(separator: " ").joined(),
                labels: Set(Self.quoted(cells[2])))
        }
        let (served, _) = Self.families()
        #expect(Set(documented).subtracting(served).isEmpty, "told of, and not served so")
        #expect(Set(served).subtracting(documented).isEmpty, "served, and not told of so")
        #expect(documented.count == Set(documented.map(\.name)).count)
    }

    /// The values of each label are those that are listed, where there are few.
    @Test func theValuesAreWhatIsServed() throws {
        let page = try Self.page()
        let section = page[try #require(page.firstIndex(of: "## Labels"))...].dropFirst()
        var items: [String] = []
        for line in section {
            if line.hasPrefix("- ") { items.append(line) } else { items[items.count - 1] += line }
        }
        var listed: [String: [String]] = [:]
        for item in items {
            let parts = item.split(separator: ":", maxSplits: 1)
            listed[Self.quoted(parts[0]).joined(separator: " of ")] = Self.quoted(parts[1])
        }
        var unused = Set(listed.keys)
        let free = ["version", "namespace"]
        for (place, values) in Self.families().1 {
            let label = String(place.prefix { $0 != " " })
            let key = listed[place] == nil ? label : place
            unused.remove(key)
            let told = try #require(listed[key], "\(place) is not told of")
            if free.contains(label) { continue }
            #expect(Set(told) == values, "\(place)")
        }
        #expect(unused.isEmpty)
    }

    /// Resources are counted by what their status says of the present generation; those that wait for us to let go,
    /// by how long.
    @Test func resourcesAreCounted() throws {
        func resource(_ reason: String?, generation: Int = 2, deleted: Bool = false) throws -> VelocloudBP {
            let condition =
                reason.map {
                    #"""
                    {"type": "Ready", "status": "\#($0 == "Ready" ? "True" : "False")", "reason": "\#($0)",
                     "message": "", "observedGeneration": 2, "lastTransitionTime": ""},
                    {"type": "Programmed", "status": "\#($0 == "Ready" ? "True" : "False")", "reason": "\#($0)",
                     "message": "", "observedGeneration": 2, "lastTransitionTime": ""}
                    """#
                } ?? ""
            let deletion = deleted ? #""deletionTimestamp": "1970-01-01T00:01:40Z","# : ""
            return try VelocloudBP(
                json: JSON.parse(
                    Array(
                        #"""
                        {"metadata": {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "7",
                          "generation": \#(generation), \#(deletion) "finalizers": ["\#(VelocloudBP.finalizer)"]},
                         "spec": {}, "status": {"conditions": [\#(condition)]}}
                        """#.utf8)))
        }
        let resources = try [
            resource("Ready"), resource("Ready", generation: 3), resource("Unreachable"), resource("OutOfLimits"),
            resource(nil), resource("SomethingElse"), resource("Pending", deleted: true),
        ]
        let counts = ResourceCounts(resources, wallMilliseconds: 160_000)
        #expect(counts.ready == 1)
        #expect(
            counts.notReady.filter { $0.value > 0 } == [
                "Unanswered": 3, "Unreachable": 1, "OutOfLimits": 1, "Pending": 1,
            ])
        #expect(counts.deleting == 1)
        #expect(counts.longestDeletion == 60)
    }
}
