/// Makes the texts of one call: they begin with the VCO and the method, and never hold the token, even if the VCO
/// echoes it.
struct Wording: Sendable {
    /// The longest piece of foreign text that is quoted, in characters.
    static let quotationMax = 500
    static let scrubbed = "[token]"

    /// `host` or `host:port`; no user information, no path.
    var host: String
    var method: OrchestratorMethod
    var token: String

    func callAsFunction(_ words: String) -> String {
        "VCO \(host), \(method.rawValue): \(scrub(words))"
    }

    /// Foreign text on one line, without the token, cut to a readable length.
    func quotation(_ text: String) -> String {
        // The token goes first: a cut through its middle would leave a part that no longer looks like it.
        let line = scrub(text).split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
        let visible = line.unicodeScalars.filter { $0.properties.generalCategory != .control }
        let printable = String(String.UnicodeScalarView(visible))
        guard printable.count > Self.quotationMax else { return printable }
        return printable.prefix(Self.quotationMax) + "…"
    }

    private func scrub(_ text: String) -> String {
        guard !token.isEmpty else { return text }
        let pattern = Array(token.utf8)
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: pattern) {
                result += Self.scrubbed.utf8
                index += pattern.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
