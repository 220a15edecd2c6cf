import Glibc
import Testing

/// Worlds full of trouble, each from a seed: once it is over, everything must be as it was asked for.
@Suite struct SeededWorldTests {
    /// How many worlds, unless `VELOKUBE_SEEDS` says otherwise: a few, one at a time, as other tests want to run too.
    private static let seedsUsual = 100

    /// Worlds that found a mistake once, by what it was.
    private static let named: [(seed: UInt64, mistake: String)] = []

    @Test func everyWorldConverges() async throws {
        if let seed = Self.number("VELOKUBE_SEED") {
            try await Self.check(UInt64(seed), showsTrace: true)
            return
        }
        let given = Self.number("VELOKUBE_SEEDS")
        let seeds = UInt64(given ?? Self.seedsUsual)
        let first = UInt64(Self.number("VELOKUBE_FIRST_SEED") ?? 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let workers = given == nil ? 1 : UInt64(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            for worker in 0..<workers {
                group.addTask {
                    for seed in stride(from: first + worker, to: first + seeds, by: Int(workers)) {
                        try await Self.check(seed, showsTrace: false)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// The same seed gives the same world to the last line.
    @Test(arguments: [1, 2, 3]) func aSeedDecidesEverything(_ seed: UInt64) async throws {
        let first = try await SeededWorld(seed: seed).run()
        let second = try await SeededWorld(seed: seed).run()
        #expect(first.digest == second.digest)
        let difference = zip(first.trace, second.trace).first { $0 != $1 }
        #expect(difference == nil)
    }

    private static func check(_ seed: UInt64, showsTrace: Bool) async throws {
        let report = try await SeededWorld(seed: seed).run()
        if showsTrace { for line in report.trace { puts(line) } }
        if let law = report.broken.first {
            Issue.record("\(law)\n  play it again: make sim SEED=\(seed)")
        }
    }

    private static func number(_ variable: String) -> Int? {
        getenv(variable).flatMap { Int(String(cString: $0)) }
    }
}
