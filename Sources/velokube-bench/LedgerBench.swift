import ArgumentParser
import BusinessPolicy
import Glibc
import Ledger

/// `velokube-bench ledger`
struct LedgerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Commits to a ledger on the disk of the temporary folder.")

    func run() async throws {
        var template = Array("\(environment("TMPDIR") ?? "/tmp")/velokube-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Unfit("no temporary folder can be made") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"] {
                unlink("\(folder)/\(name)")
            }
            rmdir(folder)
        }
        let ledger = try await Ledger.open(
            path: "\(folder)/ledger.db",
            binding: LedgerBinding(clusterID: "bench", orchestrator: "bench", scope: "*"), now: 0)
        try await measure(ledger, batches: 500, rules: 1)
        try await measure(ledger, batches: 50, rules: 100)
        await ledger.close()
    }

    private func measure(_ ledger: Ledger, batches: Int, rules: Int) async throws {
        var next = 0
        let taken = try await seconds {
            for _ in 0..<batches {
                try await ledger.commit(LedgerBatch(upserts: (next..<next + rules).map(rule)))
                next += rules
            }
        }
        row("ledger transactions of rules: \(rules)", Double(batches) / taken, "a second")
    }

    private func rule(_ number: Int) -> OwnedRule {
        let settings = RuleSettings(hostname: "a.example", portLow: 80, portHigh: 80)
        let name = Resources.name(number)
        let rule = settings.composed(name: name, template: builtInTemplate, ruleLogicalID: "id-\(number)")
        return OwnedRule(
            place: RulePlace(profileID: 1, segmentID: 0, name: name),
            owner: Owner(namespace: "default", name: name, uid: "uid-\(number)"), profileName: "P",
            segmentName: DesiredRule.globalSegment, wanted: settings, order: DesiredRule.defaultOrder,
            template: builtInTemplate, sent: rule, readBack: rule, intent: .create)
    }
}
