import BusinessPolicy
import ControlLoop
import HTTPTransport
import Kubernetes

/// Whether the cache is the cluster's state.
extension ResourceCache {
    /// True once the first list of each kind is complete, and while the resource type is there to be read.
    package var isSynced: Bool { state.withLock { $0.isSynced } }

    /// The same of one kind alone.
    package func isComplete<Object: WatchedResource>(_ kind: Object.Type) -> Bool {
        state.withLock { $0.isComplete(kind) }
    }

    /// Why the cache is not the cluster's state, in words; nil when it is.
    package var unsyncedBecause: String? {
        let reasons = state.withLock { state in
            [state.unsyncedBecause(VelocloudBP.self), state.unsyncedBecause(VelocloudLimit.self)].compactMap(\.self)
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    /// When the server was last heard of by the watch that has been silent for longer; nil before the first word. That
    /// of limits counts from its first list on, and while they are there to be watched.
    package var lastContact: Instant? {
        state.withLock { state in
            guard let resources = state.resources.lastContact else { return nil }
            let watchesLimits = state.limits.isSynced && state.limits.isBlocked != .notFound
            return watchesLimits ? min(resources, state.limits.lastContact ?? resources) : resources
        }
    }
}

extension ResourceCache.State {
    var isSynced: Bool { isComplete(VelocloudBP.self) && isComplete(VelocloudLimit.self) }

    /// Of a kind that can be missing, nothing is known to be there while it is, except what was known before.
    func isComplete<Object: WatchedResource>(_: Object.Type) -> Bool {
        let isListed = self[keyPath: Object.informer].isSynced
        let isMissing = self[keyPath: Object.informer].isBlocked == .notFound
        return Object.absence == nil ? isListed && !isMissing : isListed || isMissing
    }

    fileprivate func unsyncedBecause<Object: WatchedResource>(_ kind: Object.Type) -> String? {
        let name = Object.resourceKind.qualifiedName
        switch self[keyPath: Object.informer].isBlocked {
        case .forbidden: return "the service account may not list and watch \(name)"
        case nil where isComplete(kind), .notFound where isComplete(kind): return nil
        case nil: return "the first list of \(name) is not complete yet"
        case .notFound: return "the CustomResourceDefinition \(name) is not installed"
        case .some(let failure): return "the API server cannot be read: \(failure)"
        }
    }
}
