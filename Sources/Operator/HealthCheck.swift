/// One thing that must be well for a probe to succeed.
package struct HealthCheck: Sendable {
    /// As it stands in the path of the check: `informer-sync`.
    package var name: String
    /// Why it fails, in words; nil means all is well.
    package var problem: @Sendable () async -> String?

    package init(_ name: String, problem: @escaping @Sendable () async -> String?) {
        self.name = name
        self.problem = problem
    }

    /// That the process answers at all.
    package static let ping = HealthCheck("ping") { nil }
}

/// What a probe is told, in the form that Kubernetes' own components have: `kubectl get --raw` users know it.
///
/// Unlike theirs it gives the reason of a failure: ours hold no secret, and whoever looks needs them.
struct HealthReport: Sendable {
    /// `healthz` or `readyz`.
    var endpoint: String
    /// The checks that were asked for, in order, and their problems; nil for one that was left out.
    var results: [(name: String, outcome: Outcome)]
    /// Names that were to be left out and are those of no check.
    var unknownExclusions: [String]

    /// How a check went.
    enum Outcome: Hashable, Sendable {
        case well
        case failed(String)
        case excluded
    }

    init(endpoint: String, checks: [HealthCheck], excluding excluded: [String]) async {
        self.endpoint = endpoint
        results = []
        for check in checks {
            guard !excluded.contains(check.name) else {
                results.append((check.name, .excluded))
                continue
            }
            results.append((check.name, await check.problem().map { .failed($0) } ?? .well))
        }
        unknownExclusions = excluded.filter { name in !checks.contains { $0.name == name } }
    }

    var isWell: Bool {
        results.allSatisfy { result in
            if case .failed = result.outcome { false } else { true }
        }
    }

    /// `ok` alone, or every check with how it went when that was asked for or something is wrong.
    func text(isVerbose: Bool) -> String {
        if isWell, !isVerbose { return "ok\n" }
        let lines = results.map { name, outcome in
            switch outcome {
            case .well: "[+]\(name) ok"
            case .failed(let problem): "[-]\(name) failed: \(problem)"
            case .excluded: "[+]\(name) excluded: ok"
            }
        }
        let warnings = unknownExclusions.map { "warn: \"\($0)\" cannot be excluded: there is no such check" }
        return (lines + warnings + ["\(endpoint) check \(isWell ? "passed" : "failed")"]).joined(separator: "\n") + "\n"
    }
}
