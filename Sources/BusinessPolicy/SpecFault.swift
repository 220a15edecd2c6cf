/// What is wrong with one member of a spec that slipped past the schema, or has no effect.
package struct SpecFault: Hashable, Sendable {
    /// The member of the spec, such as `dport`; empty when the spec as a whole is at fault.
    package var field: String
    /// Names the field, its value and what is allowed.
    package var message: String

    package init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}
