/// The methods of the VCO's interface that velokube calls; the raw value is the path below `/portal/rest/`.
package enum OrchestratorMethod: String, CaseIterable, Sendable {
    /// The documented list of profiles.
    case profiles = "enterprise/getEnterpriseConfigurations"
    /// The list that the portal itself uses, where the documented one is missing or refused.
    case profilesPolicies = "enterprise/getEnterpriseConfigurationsPolicies"
    case profile = "configuration/getConfiguration"
    case modules = "configuration/getConfigurationModules"
    case updateModule = "configuration/updateConfigurationModule"

    /// True for the one method that changes something: an unclear answer to it is an unknown outcome.
    var isUpdate: Bool {
        self == .updateModule
    }
}
