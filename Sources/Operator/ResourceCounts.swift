import BusinessPolicy
import Kubernetes

/// The VelocloudBP resources in numbers, by what their statuses tell.
package struct ResourceCounts: Hashable, Sendable {
    /// The reason of a resource whose present generation no status speaks of.
    package static let unanswered = "Unanswered"
    /// All reasons why a resource may not be Ready.
    package static let reasons =
        [unanswered] + Verdict.RefusalReason.allCases.map(\.rawValue) + Verdict.WaitReason.allCases.map(\.rawValue)

    package var ready = 0
    /// By the reason of the condition Ready.
    package var notReady: [String: Int] = Dictionary(uniqueKeysWithValues: reasons.map { ($0, 0) })
    /// Those that are being deleted and have our finalizer.
    package var deleting = 0
    /// How long the first of those was asked to go, in seconds.
    package var longestDeletion = 0.0

    package init() {}

    /// `wallMilliseconds` is the time now, to compare with what the API server wrote.
    package init(_ resources: [VelocloudBP], wallMilliseconds: Int64) {
        for resource in resources {
            let condition = resource.status.condition(.ready)
            if resource.isProgrammed, condition?.isTrue == true {
                ready += 1
            } else if let condition, !condition.isTrue, condition.observedGeneration == resource.generation,
                notReady[condition.reason] != nil
            {
                notReady[condition.reason, default: 0] += 1
            } else {
                notReady[Self.unanswered, default: 0] += 1
            }
            guard resource.hasFinalizer, let since = resource.deletedAt.flatMap({ milliseconds(timestamp: $0) })
            else { continue }
            deleting += 1
            longestDeletion = max(longestDeletion, Double(wallMilliseconds - since) / 1000)
        }
    }
}
