import ArgumentParser
import BusinessPolicy

/// `velokube-bench limits`
struct LimitBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Judges a namespace of many resources by two limits with every field.")

    /// For ten times the resources. What n log n asks for is 13.
    private static let growthMax = 30.0

    func run() async throws {
        let few = try await measure(resources: 1000)
        let many = try await measure(resources: 10_000)
        row("limits: ten times the resources take", many / few, "times as long")
        guard many / few < Self.growthMax else { throw Unfit("judging is not near linear in the resources") }
    }

    private func measure(resources: Int) async throws -> Double {
        let limits = try ["first", "second"].map { try limit($0) }
        let applicants = (0..<resources).map { number in
            Applicant(
                owner: Owner(namespace: "default", name: Resources.name(number), uid: "uid-\(number)"),
                createdAt: "2026-01-02T03:04:05Z",
                ask: Ask(
                    profile: "P", segment: DesiredRule.globalSegment, order: DesiredRule.defaultOrder,
                    settings: RuleSettings(
                        hostname: "\(Resources.name(number)).apps.example.com", portLow: 8080, portHigh: 8090,
                        // One in ten breaks a limit.
                        bandwidthCap: number % 10 == 0 ? 90 : 40)),
                rule: nil, hasRule: false)
        }
        var judgement = LimitJudgement(of: [], by: [])
        let taken = await best(of: 5) { judgement = LimitJudgement(of: applicants, by: limits) }
        guard judgement.violations.count == resources / 10 else {
            throw Unfit("\(judgement.violations.count) of \(resources) are out of limits")
        }
        row("judging \(resources) resources of a namespace", taken * 1000, "ms")
        return taken
    }

    private func limit(_ name: String) throws -> VelocloudLimit {
        try VelocloudLimit(json: [
            "metadata": ["namespace": "default", "name": .string(name), "uid": .string(name), "resourceVersion": "1"],
            "spec": [
                "profiles": ["Q", "P"], "segments": ["Global Segment"],
                "fqdn-patterns": ["*.shop.example.com", "*.apps.example.com"],
                "dports": [443, "8000-8085", "8086-8999"],
                "protocols": ["tcp"], "service-classes": ["bulk", "transactional"], "priorities": ["normal", "low"],
                "link-policies": ["auto", "fixed"], "service-groups": ["ALL", "PUBLIC_WIRED"],
                "bandwidth-limit": ["maximum": 50], "order": ["minimum": 500], "max-rules": 100_000,
                "max-total-bandwidth": 10_000_000,
            ],
        ])
    }
}
