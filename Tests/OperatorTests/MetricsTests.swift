import ControlLoop
import Operator
import Orchestrator
import Testing

@Suite struct MetricsTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    private func emptyQueue() -> WorkQueue<String>.Statistics {
        WorkQueue<String>(backoff: backoff, random: SeededRandom(seed: 1)).statistics
    }

    private var backoff: Backoff {
        Backoff(base: .seconds(1), factor: 2, max: .seconds(10), jitter: 0)
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    // The gauge of leadership follows the process.
    @Test func leadership() {
        var metrics = Metrics(startedAt: start)
        metrics.isLeader = false
        #expect(
            lines(metrics.rendered(profiles: emptyQueue(), limits: emptyQueue(), now: start)).contains(
                "velokube_leader 0"))
    }

    // Who is outside its limits is counted by namespace, and nobody else has that label.
    @Test func outOfLimitsIsCountedByNamespace() {
        var metrics = Metrics(startedAt: start)
        metrics.resourcesOutOfLimits = ["shop": 2, "bank": 0]
        let lines = lines(metrics.rendered(profiles: emptyQueue(), limits: emptyQueue(), now: start))
        #expect(
            lines.filter { $0.hasPrefix("velokube_resources_out_of_limits") } == [
                #"velokube_resources_out_of_limits{namespace="bank"} 0"#,
                #"velokube_resources_out_of_limits{namespace="shop"} 2"#,
            ])
    }

    // Every metric is there from the start, with all its labels at 0, so that no alert waits for a first event.
    @Test func everythingIsThereFromTheStart() {
        let text = Metrics(startedAt: start).rendered(profiles: emptyQueue(), limits: emptyQueue(), now: start)
        let lines = Set(lines(text))
        for line in [
            #"workqueue_depth{name="profiles"} 0"#, #"workqueue_adds_total{name="profiles"} 0"#,
            #"workqueue_retries_total{name="profiles"} 0"#, #"workqueue_unfinished_work_seconds{name="profiles"} 0"#,
            #"workqueue_longest_running_processor_seconds{name="profiles"} 0"#,
            #"workqueue_queue_duration_seconds_count{name="profiles"} 0"#,
            #"workqueue_work_duration_seconds_bucket{name="profiles",le="+Inf"} 0"#,
            #"workqueue_depth{name="limits"} 0"#, #"workqueue_adds_total{name="limits"} 0"#,
            #"workqueue_work_duration_seconds_bucket{name="limits",le="+Inf"} 0"#,
            #"velokube_reconcile_total{result="failed"} 0"#, #"velokube_reconcile_total{result="unchanged"} 0"#,
            #"velokube_reconcile_total{result="timed_out"} 0"#, "velokube_reconcile_terminal_errors_total 0",
            "velokube_reconcile_active_workers 0", "velokube_reconcile_max_concurrent 0",
            "velokube_reconcile_duration_seconds_count 0", "velokube_vco_rate_limit_pauses_total 0",
            "velokube_vco_reachable 1", "velokube_rules_managed 0", "velokube_drift_corrected_total 0",
            "velokube_spec_to_programmed_seconds_sum 0", "velokube_watch_staleness_seconds 0",
            "velokube_ledger_commits_total 0", "velokube_ledger_rebuilds_total 0", "velokube_leader 1",
            "velokube_deletion_guard_held 0", "velokube_foreign_version_changes_total 0",
            #"velokube_resources{ready="true"} 0"#, #"velokube_resources{ready="false"} 0"#,
            #"velokube_kubernetes_writes_total{kind="finalizer"} 0"#,
            #"velokube_kubernetes_writes_total{kind="status"} 0"#, "# TYPE velokube_vco_calls_total counter",
            "# TYPE velokube_spec_to_programmed_seconds histogram", "# TYPE velokube_leader gauge",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        for method in OrchestratorMethod.allCases {
            for result in CallResult.allCases {
                #expect(
                    lines.contains(
                        #"velokube_vco_calls_total{method="\#(method.rawValue)",result="\#(result.rawValue)"} 0"#))
            }
            #expect(lines.contains(#"velokube_vco_call_duration_seconds_count{method="\#(method.rawValue)"} 0"#))
        }
    }

    // The text obeys the format: each family once, HELP and TYPE before its samples, no sample twice, a line end last.
    @Test func theTextIsWellFormed() throws {
        var metrics = Metrics(startedAt: start)
        metrics.observeCall(method: "odd\"\\\nmethod", result: "ok", duration: .milliseconds(3))
        let text = metrics.rendered(profiles: emptyQueue(), limits: emptyQueue(), now: start)
        #expect(text.hasSuffix("\n") && !text.contains("\n\n"))
        var families: Set<String> = []
        var samples: Set<String> = []
        var family = ""
        for line in lines(text).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                family = words[2]
                #expect(families.insert(family).inserted && words.count == 4, "\(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == family && ["counter", "gauge", "histogram"].contains(words[3]), "\(line)")
            } else {
                let space = try #require(line.lastIndex(of: " "))
                #expect(line.hasPrefix(family) && samples.insert(String(line[..<space])).inserted, "\(line)")
                #expect(Double(line[line.index(after: space)...]) != nil, "\(line)")
            }
        }
        #expect(text.contains(#"velokube_vco_calls_total{method="odd\"\\\nmethod",result="ok"} 1"#))
    }

    // Buckets are cumulative and inclusive, end with +Inf, and agree with count and sum.
    @Test func histogramsAreCumulative() {
        var metrics = Metrics(startedAt: start)
        for milliseconds in [1, 5, 6, 70, 500, 200_000] {
            metrics.observeReconcile(.written, duration: .milliseconds(milliseconds))
        }
        let lines = lines(metrics.rendered(profiles: emptyQueue(), limits: emptyQueue(), now: start))
            .filter { $0.hasPrefix("velokube_reconcile_duration_seconds") }
        #expect(
            lines == [
                #"velokube_reconcile_duration_seconds_bucket{le="0.005"} 2"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.01"} 3"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.025"} 3"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.05"} 3"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.1"} 4"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.25"} 4"#,
                #"velokube_reconcile_duration_seconds_bucket{le="0.5"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="1"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="2.5"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="5"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="10"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="30"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="60"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="120"} 5"#,
                #"velokube_reconcile_duration_seconds_bucket{le="+Inf"} 6"#,
                "velokube_reconcile_duration_seconds_sum 200.582", "velokube_reconcile_duration_seconds_count 6",
            ])
        #expect(metrics.reconciles[.written] == 6)
    }

    // The queue's numbers come out under client-go's names, as they are at the time of the scrape.
    @Test func theQueueIsRendered() {
        var queue = WorkQueue<String>(backoff: backoff, random: SeededRandom(seed: 1))
        for key in ["a", "b", "c"] { queue.add(key, notBefore: start, now: start) }
        _ = queue.take(now: start + .milliseconds(500))
        let text = Metrics(startedAt: start).rendered(
            profiles: queue.statistics, limits: emptyQueue(), now: start + .seconds(3))
        for line in [
            #"workqueue_depth{name="profiles"} 2"#, #"workqueue_adds_total{name="profiles"} 3"#,
            #"workqueue_unfinished_work_seconds{name="profiles"} 2.5"#,
            #"workqueue_longest_running_processor_seconds{name="profiles"} 2.5"#,
            #"workqueue_queue_duration_seconds_sum{name="profiles"} 0.5"#,
            #"workqueue_depth{name="limits"} 0"#, #"workqueue_adds_total{name="limits"} 0"#,
        ] {
            #expect(lines(text).contains(line), "\(line)")
        }
    }

    // A key that is added again while it waits is one add, also when it is raised; what is not ready is not in the
    // depth; a failure is a retry; and time that work takes shows while it is still under way, by the buckets of
    // client-go.
    @Test func theQueueIsCountedOnce() {
        var queue = WorkQueue<String>(backoff: backoff, random: SeededRandom(seed: 1))
        for _ in 1...3 { queue.add("a", notBefore: start, priority: .background, now: start) }
        queue.add("a", notBefore: start, now: start)
        queue.add("later", notBefore: start + .seconds(60), now: start)
        func rendered(_ milliseconds: Int) -> Set<String> {
            Set(
                lines(
                    Metrics(startedAt: start).rendered(
                        profiles: queue.statistics, limits: emptyQueue(),
                        now: start + .milliseconds(milliseconds))))
        }
        #expect(
            rendered(0).isSuperset(of: [
                #"workqueue_depth{name="profiles"} 1"#, #"workqueue_adds_total{name="profiles"} 1"#,
            ]))
        _ = queue.take(now: start + .milliseconds(5))
        #expect(
            rendered(2005).isSuperset(of: [
                #"workqueue_depth{name="profiles"} 0"#, #"workqueue_unfinished_work_seconds{name="profiles"} 2"#,
                #"workqueue_longest_running_processor_seconds{name="profiles"} 2"#,
                "velokube_reconcile_active_workers 1",
                #"workqueue_queue_duration_seconds_bucket{name="profiles",le="0.001"} 0"#,
                #"workqueue_queue_duration_seconds_bucket{name="profiles",le="0.01"} 1"#,
            ]))
        queue.finish("a", .failed, now: start + .seconds(3))
        #expect(
            rendered(3000).isSuperset(of: [
                #"workqueue_retries_total{name="profiles"} 1"#,
                #"workqueue_unfinished_work_seconds{name="profiles"} 0"#,
                #"workqueue_work_duration_seconds_bucket{name="profiles",le="1"} 0"#,
                #"workqueue_work_duration_seconds_bucket{name="profiles",le="10"} 1"#,
                #"workqueue_adds_total{name="profiles"} 1"#, "velokube_reconcile_active_workers 0",
            ]))
    }

    // Whether the VCO is reachable follows the last call that tells, each 429 is a pause, and a call that could not be
    // sent is counted and has no duration.
    @Test func callsAreCounted() {
        let registry = MetricsRegistry(startedAt: start)
        func observe(_ result: CallResult) -> Bool {
            registry.update { $0.observeCall(method: "m", result: result.rawValue, duration: .milliseconds(1)) }
            return registry.snapshot.isOrchestratorReachable
        }
        #expect(observe(.ok))
        #expect(!observe(.unreachable))
        #expect(!observe(.outcomeUnknown))
        #expect(observe(.rateLimited))
        #expect(observe(.unreadable))
        #expect(!observe(.unreachable))
        #expect(!observe(.noCredential))
        #expect(observe(.rejected))
        #expect(registry.snapshot.rateLimitPauses == 1)
        #expect(registry.snapshot.calls[.init(method: "m", result: "unreachable")] == 2)
        #expect(registry.snapshot.calls[.init(method: "m", result: "no_credential")] == 1)
        #expect(registry.snapshot.callDurations["m"]?.count == 7)
    }

    // Staleness grows from the last contact, and from the start while there was none.
    @Test func stalenessGrows() {
        let registry = MetricsRegistry(startedAt: start)
        func staleness(_ seconds: Int) -> String? {
            lines(registry.render(profiles: emptyQueue(), limits: emptyQueue(), now: start + .seconds(seconds)))
                .first { $0.hasPrefix("velokube_watch_staleness_seconds") }
        }
        #expect(staleness(7) == "velokube_watch_staleness_seconds 7")
        registry.update { $0.watchLastContact = start + .seconds(6) }
        #expect(staleness(7) == "velokube_watch_staleness_seconds 1")
        #expect(staleness(1) == "velokube_watch_staleness_seconds 0")
    }

    // Many tasks may count at once and nothing is lost.
    @Test func countingIsSafe() async {
        let registry = MetricsRegistry(startedAt: start)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 { registry.update { $0.ledgerCommits += 1 } }
                }
            }
        }
        #expect(registry.snapshot.ledgerCommits == 8000)
    }
}
