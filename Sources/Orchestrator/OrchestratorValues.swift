/// A profile (configuration) of the enterprise, without its modules.
package struct ProfileSummary: Hashable, Sendable {
    package var id: Int
    package var name: String
    /// False for an old NETWORK_BASED profile, whose document has no segments and which velokube does not edit.
    package var isSegmentBased: Bool

    package init(id: Int, name: String, isSegmentBased: Bool) {
        self.id = id
        self.name = name
        self.isSegmentBased = isSegmentBased
    }
}

/// What the cheap read tells of a profile's QOS module.
package struct ModuleSummary: Hashable, Sendable {
    package var id: Int
    /// Milliseconds of the last change, as the VCO spells them; only ever compared.
    package var version: String

    package init(id: Int, version: String) {
        self.id = id
        self.version = version
    }
}

/// A profile's QOS module with its document.
package struct QOSModule: Hashable, Sendable {
    package var id: Int
    package var version: String
    /// The `data` member byte for byte, because most of it belongs to other people.
    package var data: [UInt8]

    package init(id: Int, version: String, data: [UInt8]) {
        self.id = id
        self.version = version
        self.data = data
    }
}
