// Signatures that the rest of the program is written against; bodies to come.

/// The built-in template: an "any" rule as a 5.x VCO makes it.
package let builtInTemplate: JSON = .null

extension RuleSettings {
    /// The rule: `template` with the members that velokube maps set to these settings.
    package func composed(name: String, template: JSON, ruleLogicalID: String?) -> JSON { .null }
    /// Whether a rule on the VCO honours these settings: every mapped member equals what is wanted, and every other
    /// `match` member equals the template's or is an added "any". Empty when it does; else the differences, in words.
    package func differences(from actual: JSON, template: JSON) -> [String] { [] }
}
