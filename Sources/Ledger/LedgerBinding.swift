/// What one ledger is about: one cluster, one orchestrator and enterprise, one scope.
///
/// Against another of any of them, every rule on record would look absent, and be deleted.
package struct LedgerBinding: Hashable, Sendable {
    /// Tells the cluster from any other; nil while it is not known, and then it is not compared.
    package var clusterID: String?
    /// The host of the VCO and the enterprise on it.
    package var orchestrator: String
    /// `*` for all namespaces, or the one namespace.
    package var scope: String

    package init(clusterID: String?, orchestrator: String, scope: String) {
        self.clusterID = clusterID
        self.orchestrator = orchestrator
        self.scope = scope
    }

    /// How a start for `other` differs from this binding, in words; empty when they agree.
    func differences(from other: LedgerBinding) -> [String] {
        var differences: [String] = []
        if let recorded = clusterID, let given = other.clusterID, recorded != given {
            differences.append("it is of cluster \(recorded), this start is for cluster \(given)")
        }
        if orchestrator != other.orchestrator {
            differences.append("it is of orchestrator \(orchestrator), this start is for \(other.orchestrator)")
        }
        if scope != other.scope {
            differences.append("it is of \(Self.words(scope)), this start is for \(Self.words(other.scope))")
        }
        return differences
    }

    private static func words(_ scope: String) -> String {
        scope == "*" ? "all namespaces" : "namespace \(scope)"
    }
}
