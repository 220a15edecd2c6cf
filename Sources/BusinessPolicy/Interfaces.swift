// Signatures that the rest of the program is written against; bodies to come.

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
