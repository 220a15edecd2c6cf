import Kubernetes

extension KubernetesError {
    /// True when the API server understood the write and will not take it, however often it is sent.
    var isRefusal: Bool {
        guard case .status(let status) = self else { return false }
        return (400..<500).contains(status.code) && !status.isTooManyRequests && !status.isUnauthorized
    }

    /// True when we may not, for want of a right or for another reason.
    var isForbidden: Bool {
        guard case .status(let status) = self else { return false }
        return status.isForbidden
    }

    /// True when a role would have to give us a right.
    var lacksRight: Bool {
        guard case .status(let status) = self else { return false }
        return status.lacksRight
    }
}
