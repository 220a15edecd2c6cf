import BusinessPolicy

/// The `error` member of a reply in its two documented forms, an object or a bare string, without the token.
struct ErrorReport: Sendable {
    var message: String
    /// Findings about the content, each `path: message`.
    var faults: [String]

    /// At most so many findings are kept; a broken document can have one for each rule.
    static let faultsMax = 20

    /// Nil when the reply reports no error: no such member, or one that is `null`, `false` or an empty string.
    init?(_ reply: JSON, _ wording: Wording) {
        guard case .object = reply, let error = reply["error"] else { return nil }
        switch error {
        case .null, .bool(false), .string(""):
            return nil
        case .string(let text):
            message = wording.quotation(text)
            faults = []
        case .object:
            message = wording.quotation(error["message"]?.string ?? "an error without a message")
            let findings = error["data"]?["error"]?.array ?? []
            faults = findings.prefix(Self.faultsMax).map { Self.fault($0, wording) }
        case .bool, .number, .array:
            message = wording.quotation(error.serializedText())
            faults = []
        }
    }

    /// The report of a reply that is an error by its status, and whose body is the error itself.
    init?(bare reply: JSON, _ wording: Wording) {
        guard let text = reply["message"]?.string ?? reply.string else { return nil }
        message = wording.quotation(text)
        faults = []
    }

    /// The message with its findings.
    var words: String {
        faults.isEmpty ? message : message + " (" + faults.joined(separator: "; ") + ")"
    }

    /// The class where the message decides it whatever the status: the VCO uses several statuses for these.
    ///
    /// None of them leaves an update in doubt: a call without credential, privilege or method was not carried out.
    func classified(_ wording: Wording) -> OrchestratorError? {
        // Findings quote the document, whose names may hold any of these words.
        guard faults.isEmpty else { return nil }
        let text = message.lowercased()
        if text.contains("tokenerror") {
            return .authentication(
                wording("does not accept the token: \(message). Renew it in the portal and replace the secret"))
        }
        if Self.privilegeWords.contains(where: text.contains) {
            return .permission(wording("\(message). The token's role needs READ and UPDATE ENTERPRISE_PROFILE"))
        }
        if text.contains("methoderror") {
            return .failed(wording("the VCO does not know the method: \(message)"))
        }
        return nil
    }

    /// The exact wording is not documented; these are what a missing privilege is spoken of with.
    private static let privilegeWords = ["privilege", "permission denied", "access denied", "not authorized"]

    private static func fault(_ finding: JSON, _ wording: Wording) -> String {
        let path = finding["path"]?.string ?? ""
        let message = finding["message"]?.string ?? finding.serializedText()
        return wording.quotation(path.isEmpty ? message : path + ": " + message)
    }
}
