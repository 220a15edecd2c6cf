import BusinessPolicy
import Glibc

@testable import Ledger

/// A folder of its own for one test, gone when the test is.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/velokube-ledger-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "A temporary folder could not be made.")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Where the ledger goes.
    var ledger: String { path + "/ledger.db" }

    /// The names in the folder, sorted.
    var names: [String] { Self.names(in: path) }

    private static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(in: path) where unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        rmdir(path)
    }
}

/// The bytes of a file; nil when it is not there.
func contents(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { preconditionFailure("\(path) could not be written.") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

/// The permission bits of a file or folder.
func mode(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
}

let binding = LedgerBinding(clusterID: "cluster-a", orchestrator: "vco.example/7", scope: "*")
let wallTime: Int64 = 1_700_000_000_000

func open(
    _ path: String, binding: LedgerBinding = binding, limits: LedgerLimits = LedgerLimits()
) async throws(LedgerError) -> Ledger {
    try await Ledger.open(path: path, binding: binding, now: wallTime, limits: limits)
}

/// A rule as a VCO shows it, as long as `padding` makes it.
func document(_ number: Int, padding: Int = 0) -> JSON {
    .object([
        JSON.Member("name", .string("rule-\(number)")),
        JSON.Member("sla", .object([JSON.Member("lossPct", .number("0.0")), JSON.Member("x", .number("1e2"))])),
        JSON.Member("padding", .string(String(repeating: "x", count: padding))),
        JSON.Member("ruleLogicalId", .string("id-\(number)")),
    ])
}

/// A record with everything set, told from others by its number.
func rule(_ number: Int, profile: Int = 1, uid: String? = nil, padding: Int = 0) -> OwnedRule {
    OwnedRule(
        place: RulePlace(profileID: profile, segmentID: number % 2, name: "rule-\(number)"),
        owner: Owner(namespace: "shop", name: "app-\(number)", uid: uid ?? "uid-\(number)"),
        profileName: "Branches", segmentName: "Global Segment",
        wanted: RuleSettings(
            hostname: "app-\(number).shop.example", portLow: 443, portHigh: 8443, transport: .udp,
            serviceClass: .realtime, priority: .high, bandwidthCap: 20, linkPolicy: .fixed,
            serviceGroup: .publicWireless),
        order: number, template: document(0, padding: padding), sent: document(number, padding: padding),
        readBack: document(number, padding: padding), original: document(-number), intent: .update,
        isOwnerAbsent: true)
}

func entry(_ number: Int, at: Int64 = wallTime, padding: Int = 0) -> JournalEntry {
    JournalEntry(
        at: at, place: RulePlace(profileID: 1, segmentID: 0, name: "rule-\(number)"), profileName: "Branches",
        owner: Owner(namespace: "shop", name: "app-\(number)", uid: "uid-\(number)"), kind: .update,
        reason: "reason \(number)", before: document(number), after: document(number + 1, padding: padding))
}

/// Everything that a ledger holds, in full, so that two of them can be compared.
struct Everything: Hashable {
    var rules: [OwnedRule]
    var profiles: [ProfileRecord]
    var journal: [JournalEntry]
    var firstTouches: [ModuleCopy?]
    var conditions: [JSON?]
    var watchVersion: String?

    init(_ ledger: Ledger) async throws {
        rules = []
        for rule in await ledger.allRules() {
            if let full = try await ledger.storedRule(at: rule.place) { rules.append(full) }
        }
        profiles = await ledger.profiles()
        journal = try await ledger.journal(limit: 1000)
        firstTouches = []
        conditions = []
        for number in 0..<20 {
            firstTouches.append(try await ledger.firstTouch(moduleID: number))
            conditions.append(try await ledger.conditions(uid: "uid-\(number)"))
        }
        watchVersion = await ledger.watchVersion
    }
}

/// A batch that touches every table, different for each number, and undoes some of what earlier ones did.
func mixedBatch(_ number: Int) -> LedgerBatch {
    LedgerBatch(
        upserts: [rule(number), rule(number + 1, profile: 2)],
        removals: number > 2 ? [rule(number - 2).place, rule(number - 3, profile: 2).place] : [],
        profiles: [
            ProfileRecord(
                id: number, name: "profile \(number)", moduleID: number, settledVersion: "v\(number)",
                missingStrikes: 1)
        ],
        forgottenProfiles: [number - 2], journal: [entry(number)],
        firstTouch: ModuleCopy(moduleID: number, at: wallTime, version: "v", bytes: [0, 255, UInt8(number)]),
        conditions: [
            ConditionRecord(uid: "uid-\(number)", json: document(number)),
            ConditionRecord(uid: "uid-\(number - 2)", json: nil),
        ],
        watchVersion: "\(number)")
}
