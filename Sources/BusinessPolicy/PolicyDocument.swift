/// The `data` of a QOS module: the whole policy document of one profile.
///
/// It keeps the bytes it was parsed from. Applying a plan splices the arrays of rules and leaves every other byte,
/// foreign rules included, as it came.
package struct PolicyDocument: Hashable, Sendable {
    package private(set) var bytes: [UInt8]
    package private(set) var segments: [Segment]

    package struct Segment: Hashable, Sendable {
        package var id: Int
        package var name: String
        /// In the order of the document; first match wins on the VCO.
        package var rules: [Rule]
        /// The segment's own `Default-Any-Other`, if it has one: the template of new rules.
        package var template: JSON?
    }

    package struct Rule: Hashable, Sendable {
        /// nil when the element has no string `name`; such an element is always foreign.
        package var name: String?
        package var value: JSON
        /// The element as it was spelt.
        package var bytes: [UInt8]
    }

    /// Reads a document. Throws for text that is no JSON, for a document without `segments` (a NETWORK_BASED profile),
    /// and for a shape that cannot be edited safely.
    package init(parsing bytes: [UInt8]) throws(PolicyDocumentError) {
        throw .malformed("not written yet")
    }

    /// The document with a plan carried out. Pure; a plan without changes returns the same bytes.
    package func applying(_ plan: Plan) -> PolicyDocument {
        self
    }
}

/// Why a QOS document cannot be worked on.
package enum PolicyDocumentError: Error, Hashable, Sendable {
    /// It has `rules` but no `segments`: a NETWORK_BASED profile, which velokube does not edit.
    case networkBased
    /// What is wrong and where, in words.
    case malformed(String)
}
