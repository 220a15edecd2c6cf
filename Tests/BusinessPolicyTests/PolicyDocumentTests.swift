import BusinessPolicy
import Testing

@Suite struct PolicyDocumentTests {
    static let small = #"""
        { "segments" : [
        {"segment":{"segmentId":7,"name":"B"}, "rules" : [ {"name":"x", "n":1.0} , 3,{"name":5} ], "w":{}},
        {"rules":[ ],"segment":{"name":"A","segmentId":0},"defaults":[{},{"name":"Default-Any-Other","v":1}]}
        ], "qoe" : null }
        """#

    static func document(_ text: String) throws -> PolicyDocument {
        try PolicyDocument(parsing: Array(text.utf8))
    }

    // Segments, rules with their very bytes, and templates are found wherever they stand.
    @Test func partsAreFound() throws {
        let document = try Self.document(Self.small)
        #expect(document.segments.map(\.id) == [7, 0] && document.segments.map(\.name) == ["B", "A"])
        #expect(document.segments[0].rules.map(\.name) == ["x", nil, nil])
        #expect(
            document.segments[0].rules.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                #"{"name":"x", "n":1.0}"#, "3", #"{"name":5}"#,
            ])
        #expect(document.segments[1].rules.isEmpty && document.segments[1].template?["v"] == 1)
        #expect(document.segments[0].template == nil)
        let fixture = try qosFixture()
        #expect(fixture.segments.map(\.name) == ["Global Segment", "Voice Segment"])
        #expect(fixture.segments[0].rules.count == 3 && fixture.segments[1].rules.count == 1)
        #expect(fixture.segments.allSatisfy { $0.template?["name"] == "Default-Any-Other" })
    }

    // A plan that changes nothing gives the very same bytes, also one that lists every rule in its place.
    @Test func unchangedDocumentRoundTrips() throws {
        for bytes in [Array(Self.small.utf8), try qosFixtureBytes()] {
            let document = try PolicyDocument(parsing: bytes)
            #expect(document.bytes == bytes && document.applying(Plan()) == document)
            let identity = document.segments.map { ($0.id, $0.rules.indices.map(Plan.Slot.kept)) }
            let plan = Plan(layouts: Dictionary(uniqueKeysWithValues: identity))
            #expect(document.applying(plan) == document)
        }
    }

    // Only the arrays of rules that the plan names are spliced: the rest keeps every byte, white space and all.
    @Test func onlyRulesAreSpliced() throws {
        let document = try Self.document(Self.small)
        let plan = Plan(layouts: [7: [.kept(2), .rule(["name": "new"]), .kept(0)], 0: [.rule(["a": 1])]])
        let result = document.applying(plan)
        let text = #"""
            { "segments" : [
            {"segment":{"segmentId":7,"name":"B"}, "rules" : [{"name":5},{"name":"new"},{"name":"x", "n":1.0}], "w":{}},
            {"rules":[{"a":1}],"segment":{"name":"A","segmentId":0},"defaults":[{},{"name":"Default-Any-Other","v":1}]}
            ], "qoe" : null }
            """#
        #expect(String(decoding: result.bytes, as: UTF8.self) == text)
        #expect(try result == PolicyDocument(parsing: result.bytes))
        #expect(document.applying(Plan(layouts: [7: []])).segments[0].rules.isEmpty)
    }

    // Any sequence of layouts, one on the other, gives what parsing its bytes gives.
    @Test(arguments: 0..<100) func applyingAgreesWithParsing(_ seed: Int) throws {
        var random = TestRandom(seed: seed)
        var document = try seed % 2 == 0 ? qosFixture() : Self.document(Self.small)
        for _ in 0..<5 {
            var layouts: [Int: [Plan.Slot]] = [:]
            for segment in document.segments where !random.chance(in: 3) {
                var slots = segment.rules.indices.map(Plan.Slot.kept).shuffled(using: &random)
                slots.removeLast(Int.random(in: 0...slots.count, using: &random))
                if random.chance(in: 2) { slots.insert(.rule(["name": "n", "é": "\n"]), at: 0) }
                layouts[segment.id] = slots
            }
            document = document.applying(Plan(layouts: layouts))
            #expect(try document == PolicyDocument(parsing: document.bytes), "seed \(seed)")
        }
    }

    // What cannot be edited safely is refused, in words that say where.
    @Test(arguments: [
        (#"{"segments":[{"segment":{"segmentId":0}}]}"#, "segments[0] must have one array of rules"),
        (#"{"segments":[{"segment":{"segmentId":0},"rules":{}}]}"#, "segments[0] must have one array of rules"),
        (#"{"segments":[{"segment":{"segmentId":0},"rules":[],"rules":[]}]}"#, "one array of rules"),
        (#"{"segments":[{"segment":{"segmentId":0},"rules":[],"rules":1}]}"#, "one array of rules"),
        (#"{"segments":[{"segment":{"name":"x"},"rules":[]}]}"#, "segments[0] has no segment.segmentId"),
        (#"{"segments":[{"rules":[]}]}"#, "no segment.segmentId"), (#"{"segments":[1]}"#, "no segment.segmentId"),
        (
            #"{"segments":[{"segment":{"segmentId":1},"rules":[]},{"segment":{"segmentId":1},"rules":[]}]}"#,
            "segments[0] and segments[1] have the same segmentId 1"
        ),
        (#"{"segments":[],"segments":[]}"#, "one array of segments"), (#"{"segments":{}}"#, "one array of segments"),
        ("{}", "has no segments"), ("null", "is not an object"), ("[]", "is not an object"),
        (#"{"segments":[}"#, "not JSON at byte 13"), ("", "not JSON at byte 0"), ("<html>", "not JSON at byte 0"),
        ("{} x", "not JSON at byte 3"),
    ])
    func malformedDocumentsAreRefused(_ text: String, _ words: String) {
        let error = #expect(throws: PolicyDocumentError.self) { try Self.document(text) }
        guard case .malformed(let problem) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problem.contains(words), "\(problem)")
    }

    // An old profile without segments is told apart, so that its owner can be told.
    @Test func networkBasedProfilesAreRefused() {
        #expect(throws: PolicyDocumentError.networkBased) { try Self.document(#"{"rules":[],"defaults":[]}"#) }
        #expect(throws: Never.self) { try Self.document(#"{"rules":[],"segments":[]}"#) }
    }

    // No bytes crash the reader of documents, and what it reads it can splice.
    @Test(arguments: 0..<100) func mutatedDocumentsNeverCrash(_ seed: Int) throws {
        var random = TestRandom(seed: seed)
        for _ in 0..<20 {
            let bytes = Array(Self.small.utf8).mutated(using: &random)
            guard let document = try? PolicyDocument(parsing: bytes) else { continue }
            let layouts = document.segments.map { ($0.id, [Plan.Slot.rule(["name": "new"])]) }
            let result = document.applying(Plan(layouts: Dictionary(uniqueKeysWithValues: layouts)))
            #expect(try PolicyDocument(parsing: result.bytes) == result, "seed \(seed): \(bytes)")
        }
    }
}
