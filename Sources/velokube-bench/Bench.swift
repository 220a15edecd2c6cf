import ArgumentParser

/// Measures velokube: each subcommand is one measurement, in a process of its own, so that its peak of memory is its
/// own too. `make bench` runs them all.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "velokube-bench",
        abstract: "Measures velokube; times are the best of some runs, and only ratios within one run mean much.",
        subcommands: [
            FillCluster.self, SyncInformer.self, DecodeEvents.self, WorkQueueBench.self, PlanBench.self,
            LimitBench.self, LedgerBench.self,
        ])
}
