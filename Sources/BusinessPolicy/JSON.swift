/// A JSON value that keeps what other JSON types lose: the order of members, members given twice, and the spelling of
/// numbers.
///
/// The QOS document belongs to the WAN team; what velokube does not understand must come back as it was.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own spelling, already checked against JSON's grammar.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}
