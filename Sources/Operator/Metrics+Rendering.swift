import ControlLoop
import Kubernetes
import Orchestrator

extension Metrics {
    /// The content type of the text that `rendered` makes.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All numbers in the Prometheus text format, in a fixed order.
    ///
    /// - Parameters:
    ///   - profiles: the queue of profiles to reconcile.
    ///   - limits: the queue of namespaces whose limits are reported on.
    package func rendered(
        profiles: WorkQueue<String>.Statistics, limits: WorkQueue<String>.Statistics, now: Instant
    ) -> String {
        var text = PrometheusText()
        text.gauge(
            "velokube_build_info", "Always 1; the label tells the release.", [(["version": velokubeVersion], 1)])
        text.write(queues: [(["name": "limits"], limits), (["name": "profiles"], profiles)], now: now)
        writeReconciles(to: &text, working: profiles.working.count)
        writeCalls(to: &text)
        writeRules(to: &text)
        writeKubernetes(to: &text, now: now)
        writeLedger(to: &text)
        return text.content
    }

    private func writeReconciles(to text: inout PrometheusText, working: Int) {
        text.counter(
            "velokube_reconcile_total", "Reconciles of a profile, by result.",
            ReconcileResult.allCases.map { (["result": $0.rawValue], reconciles[$0] ?? 0) })
        text.histogram(
            "velokube_reconcile_duration_seconds", "Time a reconcile of a profile took.", [([:], reconcileDuration)])
        text.counter(
            "velokube_reconcile_terminal_errors_total",
            "Resources that were given up until they are edited: the VCO does not take them.", terminalErrors)
        text.gauge("velokube_reconcile_active_workers", "Profiles that are worked on now.", working)
        text.gauge(
            "velokube_reconcile_max_concurrent", "Profiles that may be worked on side by side.", workersMax)
    }

    private func writeCalls(to text: inout PrometheusText) {
        text.counter(
            "velokube_vco_calls_total", "Calls to the VCO, by method and result.",
            calls.sorted { $0.key < $1.key }.map { (["method": $0.key.method, "result": $0.key.result], $0.value) })
        text.histogram(
            "velokube_vco_call_duration_seconds", "Time a call to the VCO took, by method.",
            callDurations.sorted { $0.key < $1.key }.map { (["method": $0.key], $0.value) })
        text.counter(
            "velokube_vco_rate_limit_pauses_total", "Pauses of all VCO calls after an answer 429.", rateLimitPauses)
        text.gauge(
            "velokube_credential_expiry_timestamp_seconds",
            "When a credential runs out, in seconds since 1970; absent while it does not tell.",
            credentialExpiries.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                (["credential": $0.key.rawValue], Double($0.value))
            })
        text.gauge(
            "velokube_vco_reachable", "1 while the VCO answers, 0 after a call that did not reach it.",
            isOrchestratorReachable ? 1 : 0)
    }

    private func writeRules(to text: inout PrometheusText) {
        text.gauge("velokube_rules_managed", "Rules on the VCO that velokube answers for.", rulesManaged)
        text.counter(
            "velokube_drift_corrected_total", "Rules put back after they were changed or removed in the portal.",
            driftCorrections)
        text.histogram(
            "velokube_spec_to_programmed_seconds",
            "Time from a spec's arrival to its rule being read back from the VCO.", [([:], specToProgrammed)])
        text.gauge(
            "velokube_deletion_guard_held", "Rules whose deletion the guard of --max-deletes holds back.",
            deletionsHeld)
        text.counter(
            "velokube_foreign_version_changes_total", "Versions of a module that somebody else made.",
            foreignVersionChanges)
    }

    private func writeKubernetes(to text: inout PrometheusText, now: Instant) {
        text.gauge(
            "velokube_resources", "VelocloudBP resources, by whether they are Ready.",
            [
                (["ready": "false"], Double(resources.notReady.values.reduce(0, +))),
                (["ready": "true"], Double(resources.ready)),
            ])
        text.gauge(
            "velokube_resources_not_ready", "VelocloudBP resources that are not Ready, by reason.",
            resources.notReady.sorted { $0.key < $1.key }.map { (["reason": $0.key], Double($0.value)) })
        text.gauge(
            "velokube_resources_deleting", "VelocloudBP resources that are being deleted and wait for velokube.",
            resources.deleting)
        text.gauge(
            "velokube_resources_deleting_longest_seconds",
            "Time since the deletion of the one of them that has waited for longest.",
            [([:], resources.longestDeletion)])
        text.gauge(
            "velokube_resources_out_of_limits",
            "VelocloudBP resources that the limits of their namespace forbid, by namespace with limits.",
            resourcesOutOfLimits.sorted { $0.key < $1.key }.map { (["namespace": $0.key], Double($0.value)) })
        text.counter(
            "velokube_kubernetes_calls_total", "Calls to the API server, by verb, resource and result.",
            kubernetesCalls.sorted { $0.key < $1.key }.map { call, count in
                (["verb": call.verb.rawValue, "resource": call.resource, "result": call.result.rawValue], count)
            })
        text.counter(
            "velokube_kubernetes_writes_total", "Writes to the API server, by what was written.",
            KubernetesWrite.allCases.map { (["kind": $0.rawValue], kubernetesWrites[$0] ?? 0) })
        text.gauge(
            "velokube_watch_staleness_seconds",
            "Time since the watch that has been silent for longer last brought anything, bookmarks included.",
            [([:], max(0, now.since(watchLastContact).inSeconds))])
    }

    private func writeLedger(to text: inout PrometheusText) {
        text.counter("velokube_ledger_commits_total", "Transactions committed to the ledger.", ledgerCommits)
        text.counter(
            "velokube_ledger_rebuilds_total", "Times that the ledger was set aside and rebuilt.", ledgerRebuilds)
        text.gauge(
            "velokube_ledger_usable",
            "1 while the ledger's file is in its place and the last write to it succeeded, else 0.",
            isLedgerWritable && isLedgerInPlace ? 1 : 0)
        text.gauge("velokube_leader", "1 while this process may write; without an election always.", isLeader ? 1 : 0)
    }
}

extension PrometheusText {
    /// The `workqueue_*` metrics under the names that client-go gave them.
    fileprivate mutating func write(queues: [(Labels, WorkQueue<String>.Statistics)], now: Instant) {
        gauge("workqueue_depth", "Keys whose time has come.", queues.map { ($0, Double($1.depth)) })
        counter("workqueue_adds_total", "Keys added.", queues.map { ($0, $1.adds) })
        histogram(
            "workqueue_queue_duration_seconds", "Time a key waited before it was worked on.",
            queues.map { ($0, $1.queueDuration) })
        histogram(
            "workqueue_work_duration_seconds", "Time a key was worked on.", queues.map { ($0, $1.workDuration) })
        gauge(
            "workqueue_unfinished_work_seconds", "Time that all work in progress has taken so far.",
            queues.map { ($0, $1.unfinishedWork(now: now).inSeconds) })
        gauge(
            "workqueue_longest_running_processor_seconds", "Time that the longest work in progress has taken so far.",
            queues.map { ($0, $1.longestRun(now: now).inSeconds) })
        counter("workqueue_retries_total", "Keys that failed and are tried again.", queues.map { ($0, $1.retries) })
    }
}
