/// The `data` of a QOS module: the whole policy document of one profile.
///
/// It keeps the bytes it was parsed from. Applying a plan splices the arrays of rules and leaves every other byte,
/// foreign rules included, as it came.
package struct PolicyDocument: Hashable, Sendable {
    package private(set) var bytes: [UInt8]
    package private(set) var segments: [Segment]
    /// Where in `bytes` the elements of each segment's `rules` stand: what lies between the brackets.
    private var ruleRanges: [Range<Int>]

    /// One segment of the network; rules of different segments never meet.
    package struct Segment: Hashable, Sendable {
        package var id: Int
        package var name: String
        /// In the order of the document; first match wins on the VCO.
        package var rules: [Rule]
        /// The segment's own `Default-Any-Other`, if it has one: the template of new rules.
        package var template: JSON?
    }

    /// One element of a segment's `rules`, whoever made it.
    package struct Rule: Hashable, Sendable {
        /// nil when the element has no string `name`; such an element is always foreign.
        package var name: String?
        package var value: JSON
        /// The element as it was spelt.
        package var bytes: [UInt8]

        init(value: JSON, bytes: [UInt8]) {
            self.name = value["name"]?.string
            self.value = value
            self.bytes = bytes
        }

        /// The id that the VCO gave the rule. A hint to tell rules of one name apart, no more.
        var logicalID: String? { value.ruleLogicalID }
    }

    /// For the parser, which knows the ranges to be right: in order, and inside the bytes.
    init(bytes: [UInt8], segments: [Segment], ruleRanges: [Range<Int>]) {
        self.bytes = bytes
        self.segments = segments
        self.ruleRanges = ruleRanges
    }

    /// The document with a plan carried out. Pure; a plan without changes returns the same bytes.
    ///
    /// The plan must have been made from this very document: slots name rules by their index in it.
    package func applying(_ plan: Plan) -> PolicyDocument {
        guard plan.needsWrite else { return self }
        var result = self
        var spliced: [UInt8] = []
        spliced.reserveCapacity(bytes.count)
        var copied = 0
        for index in segments.indices {
            let range = ruleRanges[index]
            spliced += bytes[copied..<range.lowerBound]
            let start = spliced.count
            if let layout = plan.layouts[segments[index].id], !layout.isIdentity(count: segments[index].rules.count) {
                let rules = layout.map { rule(at: $0, of: segments[index]) }
                for (position, rule) in rules.enumerated() {
                    if position > 0 { spliced.append(UInt8(ascii: ",")) }
                    spliced += rule.bytes
                }
                result.segments[index].rules = rules
            } else {
                spliced += bytes[range]
            }
            result.ruleRanges[index] = start..<spliced.count
            copied = range.upperBound
        }
        spliced += bytes[copied...]
        result.bytes = spliced
        return result
    }

    private func rule(at slot: Plan.Slot, of segment: Segment) -> Rule {
        switch slot {
        case .kept(let index): segment.rules[index]
        case .rule(let json): Rule(value: json, bytes: json.serialized())
        }
    }
}

extension [Plan.Slot] {
    /// Whether the sequence leaves a segment of so many rules as it is.
    func isIdentity(count: Int) -> Bool {
        self.count == count && enumerated().allSatisfy { $0.element == .kept($0.offset) }
    }
}

extension JSON {
    /// The `ruleLogicalId` of a rule; nil also when it is null or empty.
    var ruleLogicalID: String? {
        guard let id = self["ruleLogicalId"]?.string, !id.isEmpty else { return nil }
        return id
    }

    /// Whether a rule was made by copying another whole, with its id.
    func isCopy(of other: JSON) -> Bool {
        ruleLogicalID.map { $0 == other.ruleLogicalID } ?? false
    }
}

/// Why a QOS document cannot be worked on.
package enum PolicyDocumentError: Error, Hashable, Sendable {
    /// It has `rules` but no `segments`: a NETWORK_BASED profile, which velokube does not edit.
    case networkBased
    /// What is wrong and where, in words.
    case malformed(String)
}
