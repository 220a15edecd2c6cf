import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging

/// How velokube is to be taken out of a cluster.
package struct Uninstall: Hashable, Sendable {
    /// The rules stay on the VCO and belong to the WAN team from then on; nothing is asked of the VCO.
    package var leavesRules: Bool
    /// When it is given up, with words about what is left.
    package var limit: Duration

    package init(leavesRules: Bool, limit: Duration) {
        self.leavesRules = leavesRules
        self.limit = limit
    }

    /// What is missing is looked for so often: a profile is gone only when two looks in a row say so.
    static let resync = Duration.seconds(10)
}

/// Waits until a controller has taken out all that is velokube's: rules, finalizers, statuses.
package struct Uninstallation: Sendable {
    private let controller: Controller
    private let ledger: Ledger
    private let deadline: Instant
    private let time: Time
    private let log: Logger

    private static let lookInterval = Duration.seconds(1)
    private static let reportInterval = Duration.seconds(10)

    package init(deadline: Instant, controller: Controller, ledger: Ledger, time: Time, log: Logger) {
        self.controller = controller
        self.ledger = ledger
        self.deadline = deadline
        self.time = time
        self.log = log
    }

    /// Returns when nothing is left, at the deadline, or when the controller stops.
    package func wait(isStopping: StopSignal) async {
        var reportAt = time.now() + Self.reportInterval
        while !isStopping.isSet, controller.leadership?.ending == nil, time.now() < deadline, !Task.isCancelled {
            let remains = await remains()
            if remains?.isEmpty == true { return }
            if time.now() >= reportAt {
                log.event(
                    .info, "Uninstalling", [.resources: "\(remains.map { "\($0.count) left" } ?? "not listed yet")"])
                reportAt = time.now() + Self.reportInterval
            }
            try? await time.sleep(time.now() + Self.lookInterval)  // Cancelled: the loop ends.
        }
    }

    /// What is still there, each in words with the reason, sorted; nil while the resources are not listed.
    package func remains() async -> [String]? {
        guard controller.cache.isSynced, let resources = controller.cache.snapshot else { return nil }
        // Whom only others keep is done with: nobody looks at its status any more.
        let ours = resources.filter { !$0.isLetGo }
        var lines = ours.filter { $0.hasFinalizer || $0.status != Status() }.map { resource in
            let message = resource.status.condition(.ready).map { ": \($0.reason): \($0.message)" } ?? ""
            return "VelocloudBP \(resource.owner.label)\(message)"
        }
        let cache = controller.cache
        lines += cache.namespacesWithLimits.flatMap { cache.limits(in: $0) }.filter { $0.status != LimitStatus() }
            .map { "VelocloudLimit \($0.owner.label): its status" }
        let known = Set(ours.map(\.uid))
        lines += await ledger.allRules().filter { !known.contains($0.owner.uid) }.map { rule in
            "rule \"\(rule.place.name)\" on profile \"\(rule.profileName)\": its VelocloudBP \(rule.owner.label) is "
                + "gone, which is not proven or is that of too many (--max-deletes)"
        }
        return lines.sorted()
    }
}

/// Not all could be taken out: exit code 1. What is done is done, and it can be run again.
package struct UninstallIncomplete: Error, CustomStringConvertible {
    /// nil when it is not known: the resources could not even be listed.
    var remains: [String]?

    private static let linesMax = 50

    package var description: String {
        guard let remains else {
            return """
                the uninstallation is not complete, and can be run again. What is left is not known: the resources \
                could not be listed, or it was stopped before; see the log
                """
        }
        var lines = remains.prefix(Self.linesMax).map { "  \($0)" }
        if remains.count > lines.count { lines.append("  and \(remains.count - lines.count) more") }
        return "the uninstallation is not complete, and can be run again. Left are:\n" + lines.joined(separator: "\n")
    }
}

/// An operator is at work, and would make anew what is taken out: exit code 2.
package struct StillRunning: Error, CustomStringConvertible {
    /// What shows that it is.
    private let evidence: String
    private let namespace: String

    package var description: String {
        "velokube is running: \(evidence). Stop it first: "
            + "kubectl -n \(namespace) scale deployment velokube --replicas=0"
    }

    /// The ledger is locked.
    init(ledgerPath: String, namespace: String) {
        evidence = "another process has the ledger \(ledgerPath) open"
        self.namespace = namespace
    }

    /// Somebody renews the Lease.
    init(holder: String, namespace: String) {
        evidence = "\"\(holder)\" holds the Lease \(namespace)/\(Leadership.leaseName)"
        self.namespace = namespace
    }
}
