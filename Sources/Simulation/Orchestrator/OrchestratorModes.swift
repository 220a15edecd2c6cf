/// What is not certain about a VCO (`API.md` marks it "inferred") and therefore can be switched.
///
/// The defaults are those of a lenient 5.x VCO.
package struct OrchestratorModes: Hashable, Sendable {
    /// How rules come back after a write.
    package var respelling: Respelling = .off
    /// Whose `ruleLogicalId` a rule has that a client made.
    package var ruleIDs: RuleIDs = .kept
    /// Whether two rules of one segment may bear one name.
    package var refusesDuplicateNames = false
    /// How closely a document is looked at.
    package var validation: Validation = .none
    /// Rules that are refused with 400, whatever the validation.
    package var rejectedNames: Set<String> = []
    package var rejectedPorts: Set<Int> = []
    /// A 400 without `data`: nothing tells which rule was at fault.
    package var hasVagueErrors = false
    /// The greatest `bandwidthCapPct` that is stored; larger ones are silently cut down to it.
    package var bandwidthCapMax: Int?
    /// What stands for `data` in a `noData` read.
    package var noData: NoData = .absent
    /// `enterprise/getEnterpriseConfigurations` is not there; only the `...Policies` method of the portal is.
    package var lacksConfigurationList = false
    /// Members that this release puts into every rule that is written.
    package var release: Release = .asSent
    /// What an id that matches nothing answers.
    package var unknownID: UnknownID = .null
    /// How a wrong token is refused.
    package var authFailure: AuthFailure = .unauthorized
    /// The token belongs to a partner or an operator: calls without `enterpriseId` are refused.
    package var requiresEnterpriseID = false
    /// What the token's role may not do.
    package var missingPrivilege: MissingPrivilege = .none
    /// Status of a refusal for want of a privilege: 400, 403 or 500.
    package var privilegeStatus = 400
    /// Quota of requests; nil for none.
    package var rateLimit: RateLimit?

    package init() {}

    /// How rules come back after a write.
    package enum Respelling: String, CaseIterable, Sendable {
        /// Byte for byte as they were sent.
        case off
        /// Members sorted by name, whole numbers spelt `8443.0`, and members of newer releases added.
        case stable
        /// Spelt in another way on every write.
        case everyWrite = "every-write"
    }

    /// Whose `ruleLogicalId` a rule has that a client made.
    package enum RuleIDs: String, CaseIterable, Sendable {
        /// The client's own, if it sent one.
        case kept = "keep"
        /// One by the VCO, unless the document already held that id.
        case replaced = "replace"
    }

    /// How closely a document is looked at.
    package enum Validation: String, CaseIterable, Sendable { case none, schema }

    /// What stands for `data` in a `noData` read.
    package enum NoData: String, CaseIterable, Sendable { case absent, null, empty }

    /// Members that a release puts into every rule that is written.
    package enum Release: String, CaseIterable, Sendable {
        /// None.
        case asSent = "as-sent"
        /// `ipVersion`, `sipV6`, `dipV6`, `natIpVersion`, `natV6`.
        case v5 = "5.0"
        /// Those of 5.0, and pre-NAT flags, interfaces, `icmpLogicalId`, `wanLinkName`; `qoe` in the document.
        case v6 = "6.x"
    }

    /// What an id that matches nothing answers.
    package enum UnknownID: String, CaseIterable, Sendable {
        /// `null`, an empty list, `{"rows":0}`.
        case null
        /// 400.
        case badRequest = "400"
    }

    /// How a wrong token is refused.
    package enum AuthFailure: String, CaseIterable, Sendable {
        /// 401 with a JSON error.
        case unauthorized = "401"
        /// 200 with a `tokenError` object.
        case tokenError = "200"
        /// 302 to the login page, as HTML.
        case redirect = "302"
    }

    /// What the token's role may not do.
    package enum MissingPrivilege: String, CaseIterable, Sendable { case none, update, all }

    /// A quota of requests, over which every request is answered 429 for the penalty's time.
    package struct RateLimit: Hashable, Sendable {
        /// Requests that a window takes; nil for any number.
        package var calls: Int?
        package var windowMilliseconds: Int64
        /// Requests that may be in flight at once; nil for any number.
        package var concurrency: Int?
        package var penaltyMilliseconds: Int64
        /// Seconds in a `Retry-After` header; VCOs send none.
        package var retryAfter: Int?

        package init(
            calls: Int? = nil, windowMilliseconds: Int64 = 5000, concurrency: Int? = nil,
            penaltyMilliseconds: Int64 = 5000, retryAfter: Int? = nil
        ) {
            self.calls = calls
            self.windowMilliseconds = windowMilliseconds
            self.concurrency = concurrency
            self.penaltyMilliseconds = penaltyMilliseconds
            self.retryAfter = retryAfter
        }
    }
}
