import enum BusinessPolicy.JSON

/// What a VCO keeps: one enterprise, its profiles, and their modules.
struct OrchestratorState: Sendable {
    var enterprise: JSON
    var versionInfo: JSON
    /// In the order in which they were made.
    var profiles: [Profile]
    private var lastVersion: Int64 = 0
    /// Counts versions given, so that it differs from one write to the next.
    private(set) var turns: Int64 = 0
    private var idsGiven = 0
    private var logicalIDsGiven = 0

    /// One profile ("configuration") and its modules.
    struct Profile: Sendable {
        var id: Int
        var name: String
        /// Every member that it is served with, except its modules.
        var attributes: JSON
        var modules: [Module]
    }

    /// The profiles of the fixtures: 101 and 102, and on request 103, which is NETWORK_BASED.
    init(includingNetworkBased: Bool) {
        enterprise = Self.fixture(PackageResources.enterprise_json)
        versionInfo = Self.fixture(PackageResources.version_json)
        profiles = []
        let modules = [101: PackageResources.modules_101_json, 102: PackageResources.modules_102_json]
        for attributes in Self.fixture(PackageResources.profiles_json).array ?? [] {
            seed(attributes, modules: modules[attributes.value(at: ["id"])?.int ?? 0] ?? [])
        }
        if includingNetworkBased {
            seed(Self.fixture(PackageResources.profile_103_json), modules: PackageResources.modules_103_json)
        }
    }

    private static func fixture(_ bytes: [UInt8]) -> JSON {
        guard let json = try? JSON.parse(bytes) else { preconditionFailure("a fixture is no JSON") }
        return json
    }

    private mutating func seed(_ attributes: JSON, modules: [UInt8]) {
        guard let id = attributes.value(at: ["id"])?.int, let name = attributes.value(at: ["name"])?.string,
            let elements = try? JSONText.elements(of: modules)
        else { preconditionFailure("a profile of the fixtures is not readable") }
        let seeded = elements.map { element in
            guard let module = try? Module(element) else { preconditionFailure("a module is not readable") }
            return module
        }
        lastVersion = max(lastVersion, seeded.map(\.version).max() ?? 0)
        profiles.append(Profile(id: id, name: name, attributes: attributes, modules: seeded))
    }

    /// The next version: the time, but never one that was given before.
    mutating func nextVersion(now: Int64) -> Int64 {
        lastVersion = max(now, lastVersion + 1)
        turns += 1
        return lastVersion
    }

    /// An id for a new profile or module.
    mutating func nextID() -> Int {
        idsGiven += 1
        return 1000 + idsGiven
    }

    /// An id in the form of a UUID, the same in every run.
    mutating func nextLogicalID() -> String {
        logicalIDsGiven += 1
        let digits = String(logicalIDsGiven, radix: 16)
        return "5eed0000-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    /// Where a module is.
    func place(ofModule id: Int) -> (profile: Int, module: Int)? {
        for (profileIndex, profile) in profiles.enumerated() {
            if let moduleIndex = profile.modules.firstIndex(where: { $0.id == id }) {
                return (profileIndex, moduleIndex)
            }
        }
        return nil
    }

    /// Where a profile is, by id or by exact name.
    func index(of profile: ProfileKey) -> Int? {
        switch profile {
        case .id(let id): profiles.firstIndex { $0.id == id }
        case .name(let name): profiles.firstIndex { $0.name == name }
        }
    }
}

/// A profile by its id or by its name; literals of both kinds will do.
package enum ProfileKey: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case id(Int)
    case name(String)

    package init(integerLiteral value: Int) {
        self = .id(value)
    }

    package init(stringLiteral value: String) {
        self = .name(value)
    }
}

extension OrchestratorState.Profile {
    /// As the lists of an enterprise show it; the portal's own method adds two members.
    func listed(withPolicies: Bool) -> JSON {
        withPolicies
            ? current : current.removing(["policies"]).removing(["hasQuiescedGatewayUsage"])
    }

    /// As `configuration/getConfiguration` shows it, without its modules.
    func read(withEdgeCount: Bool) -> JSON {
        withEdgeCount ? listed(withPolicies: false) : listed(withPolicies: false).removing(["edgeCount"])
    }

    /// Gives it another name, and so another version.
    mutating func rename(to name: String, version: Int64) {
        self.name = name
        attributes = attributes.setting(["version"], to: .string(String(version)))
            .setting(["modified"], to: .string(WallTime.rounded(version)))
    }

    private var current: JSON {
        attributes.setting(["id"], to: .int(id)).setting(["name"], to: .string(name))
    }
}
