// Signatures that the rest of the program is written against; bodies to come.

extension JSON {
    /// Reads one JSON text (RFC 8259, UTF-8, at most `depthMax` levels deep).
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON { throw JSONError(offset: 0, problem: "") }
    /// Compact text: no white space, members in order, numbers as they were spelt.
    package func serialized() -> [UInt8] { [] }
    package func serializedText() -> String { "" }
    /// The last member of that name of an object; nil for anything else.
    package subscript(_ name: String) -> JSON? {
        get { nil }
        set {}
    }
    package subscript(_ index: Int) -> JSON? { nil }
    package var string: String? { nil }
    package var bool: Bool? { nil }
    /// A number that is a whole one (`8`, `8.0`, `8e0`) and fits.
    package var int: Int? { nil }
    package var array: [JSON]? { nil }
    package var members: [Member]? { nil }
    package static func int(_ value: Int) -> JSON { .number(String(value)) }
}

/// Where a text stops being JSON, and why.
package struct JSONError: Error, Hashable, Sendable {
    /// Offset in bytes.
    package var offset: Int
    package var problem: String
}

extension JSON {
    /// The bytes of the value at a path of member names and indexes, as they stand in the text; nil if it is not there.
    ///
    /// Lets a caller take one member out of a reply (the `data` of a module) without respelling it.
    package static func slice(of bytes: [UInt8], at path: [PathStep]) throws(JSONError) -> [UInt8]? { nil }
    package enum PathStep: Hashable, Sendable {
        case member(String)
        case index(Int)
    }
}

extension VelocloudBP {
    /// Reads a resource from the API server's JSON. Throws only when it has no usable metadata; a bad spec is a value.
    package init(json: JSON) throws(MalformedResource) { throw MalformedResource(problem: "") }
    package struct MalformedResource: Error, Hashable, Sendable { package var problem: String }
}

extension Status {
    /// Reads a status; members of the wrong shape are dropped, as the status is only ever ours.
    package init(json: JSON?) { self.init() }
    /// The status as JSON, for a merge patch: members that are not set are `null`.
    package var json: JSON { .null }
    /// The status that follows from a verdict, keeping transition times, `programmedAt` and what is unchanged.
    package func updated(
        by verdict: Verdict, generation: Int, handledReconcileAt: String?, now: String
    ) -> Status { self }
}

/// The built-in template: an "any" rule as a 5.x VCO makes it.
package let builtInTemplate: JSON = .null

extension RuleSettings {
    /// The rule: `template` with the members that velokube maps set to these settings.
    package func composed(name: String, template: JSON, ruleLogicalID: String?) -> JSON { .null }
    /// Whether a rule on the VCO honours these settings: every mapped member equals what is wanted, and every other
    /// `match` member equals the template's or is an added "any". Empty when it does; else the differences, in words.
    package func differences(from actual: JSON, template: JSON) -> [String] { [] }
}
