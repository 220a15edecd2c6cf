import ControlLoop
import Kubernetes
import Orchestrator

/// Everything that velokube counts: plain numbers, changed by the shell and rendered by a function.
///
/// Whatever can be counted is there from the start with 0, so that a rate can be taken and an alert can tell "never"
/// from "not scraped".
package struct Metrics: Hashable, Sendable {
    /// How a reconcile ended.
    package enum ReconcileResult: String, CaseIterable, Sendable {
        /// Nothing had to be done.
        case unchanged
        /// The VCO's document was written and read back.
        case written
        /// The VCO is in an outage or pause: to be tried when that is over.
        case deferred
        /// It failed, and is tried again after a backoff.
        case failed
        /// It took longer than a pass may; what was left of it was cut off, and is tried again.
        case timedOut = "timed_out"
    }

    /// What was written to Kubernetes; Events are counted apart, as they are many and cheap.
    package enum KubernetesWrite: String, CaseIterable, Sendable {
        /// A finalizer put on or taken off.
        case finalizer
        /// A status subresource.
        case status
        /// A core/v1 Event, created or counted up.
        case event
    }

    /// What velokube shows to be let in.
    package enum Credential: String, CaseIterable, Sendable {
        case kubernetes, vco
    }

    /// One kind of VCO call.
    package struct Call: Hashable, Comparable, Sendable {
        /// `configuration/getConfigurationModules`
        package var method: String
        /// A `CallResult`.
        package var result: String

        package init(method: String, result: String) {
            self.method = method
            self.result = result
        }

        /// By method, then result: the order of the rendered text.
        package static func < (left: Call, right: Call) -> Bool {
            (left.method, left.result) < (right.method, right.result)
        }
    }

    package var reconciles: [ReconcileResult: Int]
    package var reconcileDuration: DurationHistogram
    /// Generations of resources that were given up until they are edited.
    package var terminalErrors = 0
    /// Profiles that may be worked on side by side.
    package var workersMax = 0
    package var calls: [Call: Int]
    /// By method.
    package var callDurations: [String: DurationHistogram]
    package var rateLimitPauses = 0
    /// Whether the last call reached the VCO; true at the start, when nothing is known to be wrong.
    package var isOrchestratorReachable = true
    package var rulesManaged = 0
    package var driftCorrections = 0
    /// From a spec's arrival in the cache to the rule's read-back on the VCO.
    package var specToProgrammed: DurationHistogram
    /// When the watch last brought anything; until then its staleness counts from the start.
    package var watchLastContact: Instant
    package var ledgerCommits = 0
    package var ledgerRebuilds = 0
    /// Whether the last transaction was committed.
    package var isLedgerWritable = true
    /// Whether the ledger's file is where it was opened.
    package var isLedgerInPlace = true
    package var kubernetesCalls: [KubernetesCall: Int]
    /// Deletions that the deletion guard holds back now.
    package var deletionsHeld = 0
    package var foreignVersionChanges = 0
    package var resources = ResourceCounts()
    /// By namespace, of those that have limits.
    package var resourcesOutOfLimits: [String: Int] = [:]
    /// When each runs out, in seconds since 1970; those that do not tell are not here.
    package var credentialExpiries: [Credential: Int64] = [:]
    /// Whether this process may write; without an election always.
    package var isLeader = true
    package var kubernetesWrites: [KubernetesWrite: Int]

    package init(startedAt: Instant) {
        reconciles = Dictionary(uniqueKeysWithValues: ReconcileResult.allCases.map { ($0, 0) })
        reconcileDuration = Self.callScale
        calls = [:]
        callDurations = [:]
        for method in OrchestratorMethod.allCases {
            callDurations[method.rawValue] = Self.callScale
            for result in CallResult.allCases {
                calls[Call(method: method.rawValue, result: result.rawValue)] = 0
            }
        }
        specToProgrammed = Self.waitScale
        watchLastContact = startedAt
        kubernetesWrites = Dictionary(uniqueKeysWithValues: KubernetesWrite.allCases.map { ($0, 0) })
        kubernetesCalls = [:]
        for (resource, verbs) in Self.kubernetesVerbs {
            for verb in verbs {
                for result in KubernetesCall.Result.allCases {
                    kubernetesCalls[KubernetesCall(verb: verb, resource: resource, result: result)] = 0
                }
            }
        }
    }

    /// What an orchestrator client reports of each call (`OrchestratorClient.CallObserver`).
    package mutating func observeCall(method: String, result: String, duration: Duration) {
        calls[Call(method: method, result: result), default: 0] += 1
        let result = CallResult(rawValue: result)
        // What was not sent took no time, and says nothing about the way to the VCO.
        if result == .noCredential { return }
        callDurations[method, default: Self.callScale].observe(duration)
        switch result {
        case .unreachable: isOrchestratorReachable = false
        case .ok, .rateLimited, .authentication, .permission, .rejected, .failed: isOrchestratorReachable = true
        // An unclear answer says nothing about the way to the VCO.
        case .outcomeUnknown, .unreadable, .noCredential, nil: break
        }
        if result == .rateLimited { rateLimitPauses += 1 }
    }

    /// What a Kubernetes client reports of each call (`KubernetesClient.CallObserver`).
    package mutating func observe(_ call: KubernetesCall) {
        kubernetesCalls[call, default: 0] += 1
    }

    /// One transaction of the ledger; a batch with nothing in it is none.
    package mutating func observeCommit(succeeded: Bool) {
        if succeeded { ledgerCommits += 1 }
        isLedgerWritable = succeeded
    }

    /// One finished reconcile of one profile.
    package mutating func observeReconcile(_ result: ReconcileResult, duration: Duration) {
        reconciles[result, default: 0] += 1
        reconcileDuration.observe(duration)
    }

    /// All that is ever asked of the API server, which is what the roles in manifests/ allow.
    private static let kubernetesVerbs: [String: [KubernetesCall.Verb]] = [
        "velocloudbps": [.get, .list, .watch, .patch], "velocloudbps/status": [.patch],
        "velocloudlimits": [.list, .watch], "velocloudlimits/status": [.patch], "events": [.create, .patch],
        "namespaces": [.get], "leases": [.get, .create, .patch],
    ]

    /// 5 ms to 2 min: a network call, or a few of them.
    private static let callScale = DurationHistogram(
        bounds: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000].map {
            .milliseconds($0)
        })

    /// 100 ms to 1 h: from a debounced burst to an outage of the VCO.
    private static let waitScale = DurationHistogram(
        bounds: [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000].map {
            .milliseconds($0)
        })
}
