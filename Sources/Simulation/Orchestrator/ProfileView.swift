import enum BusinessPolicy.JSON

/// One profile as it is on the simulated VCO, for tests to look at.
package struct ProfileView: Hashable, Sendable {
    package var id: Int
    package var name: String
    /// Of its QOS module; nil when it has none.
    package var moduleID: Int?
    package var version: Int64?
    /// The QOS document, byte for byte.
    package var data: [UInt8]
    /// In the order of the document; none for a document without segments.
    package var segments: [Segment]

    /// One segment of the QOS document.
    package struct Segment: Hashable, Sendable {
        package var id: Int?
        package var name: String
        /// Each rule byte for byte, the first match first.
        package var rules: [[UInt8]]
        package var names: [String?]

        /// The rule of that name as values; nil when it is not there.
        package func rule(_ name: String) -> JSON? {
            guard let index = names.firstIndex(of: name) else { return nil }
            return try? JSON.parse(rules[index])
        }
    }

    /// The segment of that name.
    package func segment(_ name: String) -> Segment? {
        segments.first { $0.name == name }
    }

    init(_ profile: OrchestratorState.Profile) {
        let module = profile.modules.first { $0.name == "QOS" }
        id = profile.id
        name = profile.name
        moduleID = module?.id
        version = module?.version
        data = module?.content.bytes ?? []
        segments =
            module?.policy?.segments.map { segment in
                Segment(
                    id: segment.id, name: segment.name, rules: segment.rules.map(\.bytes),
                    names: segment.rules.map(\.name))
            } ?? []
    }
}
