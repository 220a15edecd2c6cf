/// The flags of `velokube run`, and of `velokube uninstall`, as they were typed; nil where a flag was not given.
///
/// Texts, not values: reading them is `RunConfiguration.parse`, one pure function for flags and variables alike.
package struct RunFlags: Hashable, Sendable {
    package var kubeURL: String?
    package var kubeconfig: String?
    package var context: String?
    package var namespace: String?
    package var vcoURL: String?
    package var vcoTokenFile: String?
    package var vcoCA: String?
    package var enterpriseID: String?
    package var allowsInsecureHTTP = false
    package var state: String?
    package var resync: String?
    package var listen: String?
    package var placement: String?
    package var allow: String?
    package var maxDeletes: String?
    package var workers: String?
    package var isDryRun = false
    package var electsLeader = false
    package var leaderElectNamespace: String?
    package var logLevel: String?
    package var logLevelFile: String?
    package var logFormat: String?
    /// Not nil for `velokube uninstall`.
    package var uninstall: Uninstall?

    /// What `velokube uninstall` has besides.
    package struct Uninstall: Hashable, Sendable {
        package var leavesRules: Bool
        package var timeout: String?

        package init(leavesRules: Bool, timeout: String?) {
            self.leavesRules = leavesRules
            self.timeout = timeout
        }
    }

    package init() {}
}
