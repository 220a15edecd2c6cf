import ControlLoop
import HTTPTransport
import Orchestrator

/// The one place where the process's metrics are held: any task may change them, the health server reads them.
package final class MetricsRegistry: Sendable {
    private let metrics: Locked<Metrics>

    package init(startedAt: Instant) {
        metrics = Locked(Metrics(startedAt: startedAt))
    }

    /// Changes the metrics; the body only counts, it must not wait.
    package func update(_ body: (inout Metrics) -> Void) {
        metrics.withLock { body(&$0) }
    }

    /// The metrics as they are now.
    package var snapshot: Metrics {
        metrics.withLock { $0 }
    }

    /// The Prometheus text; rendering happens outside the lock.
    package func render(
        profiles: WorkQueue<String>.Statistics, limits: WorkQueue<String>.Statistics, now: Instant
    ) -> String {
        snapshot.rendered(profiles: profiles, limits: limits, now: now)
    }
}
