import BusinessPolicy
import HTTPTransport
import Kubernetes
import Logging

extension ResourceWriter {
    /// What is known of the end of a namespace.
    enum NamespaceEnd: Sendable {
        case stays
        /// It is being deleted, with all that is in it.
        case terminating
        case unknown
    }

    /// Asks the API server of each namespace whether it is being deleted.
    func ends(of namespaces: [String]) async -> [String: NamespaceEnd] {
        let answers = await sideBySide(namespaces) { name -> NamespaceEnd in
            do throws(KubernetesError) {
                if self.isOutOfTime { throw Self.outOfTime }
                let namespace = try await self.client.get(.namespace, namespace: nil, name: name)
                return namespace["metadata"]?["deletionTimestamp"]?.string == nil ? .stays : .terminating
            } catch {
                if error.isForbidden {
                    self.tellOnce(
                        "The service account may not get namespaces: one that is being deleted may get new rules, too",
                        error)
                    return .stays
                }
                // One that is gone takes no writes anyway.
                if case .status(let status) = error, status.isNotFound { return .stays }
                self.log.event(
                    .warning, "Whether a namespace is being deleted cannot be told; it gets no new rule yet",
                    [.namespace: .string(name), .error: "\(error)"])
                return .unknown
            }
        }
        return Dictionary(answers, uniquingKeysWith: { first, _ in first })
    }
}
