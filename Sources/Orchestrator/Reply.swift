import BusinessPolicy
import HTTPTransport

/// A whole reply of the VCO, and the one place that decides what it means (`OrchestratorError` names the classes).
///
/// Statuses and bodies are judged together, because the VCO reports errors with 200 too, and the web tier in front of
/// it answers with pages where JSON is due. For an update, anything that does not clearly say "done" or "not done" is
/// an unknown outcome.
struct Reply: Sendable {
    var status: Int
    var headers: [HTTPHeader]
    var body: [UInt8]

    /// The JSON of a good reply; for an update, only one that says that it changed one row.
    func result(_ wording: Wording) throws(OrchestratorError) -> JSON {
        switch status {
        case 200..<300:
            let json = try content(wording)
            try checkError(in: json, wording)
            if wording.method.isUpdate { try checkRows(of: json, wording) }
            return json
        case 429:
            throw .rateLimited(retryAfter: retryAfter)
        case 300..<400:
            throw .authentication(
                wording("answered with a redirect (\(status)), as to a login page. " + Self.credentialAdvice))
        default:
            throw refusal(wording)
        }
    }

    /// True when the reply means that this VCO does not offer the method, to this token or at all.
    static func suggestsAnotherMethod(_ error: OrchestratorError) -> Bool {
        switch error {
        case .permission, .rejected, .failed, .unreadable: true
        case .unreachable, .rateLimited, .authentication, .outcomeUnknown: false
        }
    }

    private static let credentialAdvice =
        "The token may be invalid, revoked or expired (renew it in the portal), or --vco-url may be wrong"
    private static let addressAdvice = "Check --vco-url: the methods live below https://<vco>/portal/rest"

    private var retryAfter: Duration? {
        guard let header = headers.first(where: { $0.name.lowercased() == "retry-after" }),
            let seconds = Int64(header.value), (1...Int64(Int32.max)).contains(seconds)
        else { return nil }
        return .seconds(seconds)
    }
}

// MARK: - Statuses that say no

extension Reply {
    private func refusal(_ wording: Wording) -> OrchestratorError {
        let json = looksLikePage ? nil : try? JSON.parse(body)
        let report = json.flatMap { ErrorReport($0, wording) ?? ErrorReport(bare: $0, wording) }
        let said = report.map { ": " + $0.words } ?? ""
        if let definite = report?.classified(wording) { return definite }
        switch status {
        case 401:
            return .authentication(wording("does not accept the token (401)\(said). " + Self.credentialAdvice))
        case 403:
            return .permission(
                wording("is forbidden (403)\(said). The token's role needs READ and UPDATE ENTERPRISE_PROFILE"))
        case 400 where !looksLikePage:
            let message = wording("refused the request (400): \(report?.message ?? "it gave no reason")")
            return .rejected(message: message, faults: report?.faults ?? [])
        case 413:
            return .rejected(message: wording("the document is too large for the VCO (413)"), faults: [])
        case 408, 500...:
            return wording.method.isUpdate
                ? .outcomeUnknown(wording("answered \(status)\(said); the write may have happened"))
                : .unreachable(wording("answered \(status)\(said)"))
        default:
            if wording.method.isUpdate, report == nil {
                return .outcomeUnknown(wording("answered \(status) without a JSON error. " + Self.addressAdvice))
            }
            return wording.method.isUpdate
                ? .failed(wording("answered \(status)\(said)"))
                : .unreadable(wording("answered \(status)\(said). " + Self.addressAdvice))
        }
    }
}

// MARK: - Replies that claim success

extension Reply {
    /// The body as JSON.
    private func content(_ wording: Wording) throws(OrchestratorError) -> JSON {
        if looksLikePage {
            let words = "answered with a page instead of JSON, as a login page is. " + Self.credentialAdvice
            throw wording.method.isUpdate ? .outcomeUnknown(wording(words)) : .authentication(wording(words))
        }
        do {
            return try JSON.parse(body)
        } catch {
            let fault = body.isEmpty ? "an empty body" : "no JSON at byte \(error.offset): \(error.problem)"
            throw unclear(wording, "answered \(status) with \(fault). " + Self.addressAdvice)
        }
    }

    private func checkError(in json: JSON, _ wording: Wording) throws(OrchestratorError) {
        guard let report = ErrorReport(json, wording) else { return }
        throw report.classified(wording) ?? .failed(wording("reported an error: \(report.words)"))
    }

    private func checkRows(of json: JSON, _ wording: Wording) throws(OrchestratorError) {
        guard let rows = json["rows"]?.int else {
            throw .outcomeUnknown(wording("answered without saying how many rows it changed"))
        }
        if rows != 1 {
            throw .failed(wording("changed \(rows) rows instead of 1: the module may have been deleted"))
        }
    }

    private func unclear(_ wording: Wording, _ words: String) -> OrchestratorError {
        wording.method.isUpdate ? .outcomeUnknown(wording(words)) : .unreadable(wording(words))
    }

    /// True for HTML or XML; the first byte decides where there is one, because content types are not reliable.
    private var looksLikePage: Bool {
        guard let first = body.first(where: { !Self.isBlank($0) }) else { return false }
        return first == UInt8(ascii: "<")
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        // Space, tab, line ends, and the bytes of a byte order mark.
        [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains(byte)
    }
}
