import BusinessPolicy
import HTTPTransport

extension APIStatus {
    /// A wait longer than this is taken for a mistake; the caller's own backoff is shorter.
    private static let retryAfterMax = Duration.seconds(3600)
    /// How much of a reply that is no Status is shown, in characters.
    private static let excerptMax = 200

    /// Reads a `Status` object, as a failed call or an `ERROR` event of a watch carries it; nil if it is none.
    init?(json: JSON) {
        guard json["kind"]?.string == "Status" else { return nil }
        let details = json["details"]
        let causes = details?["causes"]?.array ?? []
        self.init(
            code: json["code"]?.int ?? 0,
            reason: json["reason"]?.string ?? "",
            message: json["message"]?.string ?? "",
            detailsName: details?["name"]?.string,
            detailsKind: details?["kind"]?.string,
            detailsGroup: details?["group"]?.string,
            causes: causes.compactMap { $0["reason"]?.string },
            causeMessages: causes.compactMap { $0["message"]?.string },
            causeFields: causes.compactMap { $0["field"]?.string },
            retryAfter: Self.wait(seconds: details?["retryAfterSeconds"]?.int)
        )
    }

    /// What a reply that is no success says: its Status, or else its code and the beginning of its text.
    ///
    /// The HTTP status is trusted over the body's code, and the header over the body's wait.
    init(response: HTTPResponse, body: [UInt8]) {
        if let json = try? JSON.parse(body), let status = APIStatus(json: json) {
            self = status
            code = response.status
        } else {
            self.init(code: response.status, message: Self.excerpt(of: body))
        }
        if let wait = Self.wait(seconds: response.header("Retry-After").flatMap { Int($0) }) {
            retryAfter = wait
        }
        if (300..<400).contains(response.status), let location = response.header("Location") {
            message = "it redirects to \(redacted(location)), so the URL is not that of an API server"
        }
    }

    private static func wait(seconds: Int?) -> Duration? {
        guard let seconds, seconds > 0 else { return nil }
        return min(.seconds(seconds), retryAfterMax)
    }

    /// The beginning of a text or an HTML page on one line, without tags and control characters.
    static func excerpt(of body: [UInt8]) -> String {
        let start = String(decoding: body.prefix(8 * excerptMax), as: UTF8.self)
        let isMarkup = start.first { !$0.isWhitespace } == "<"
        var text = ""
        var isInTag = false
        var length = 0
        for character in start {
            switch character {
            case "<" where isMarkup: isInTag = true
            case ">" where isInTag: isInTag = false
            case _ where isInTag: continue
            case _ where character.isWhitespace || character.unicodeScalars.contains { $0.value < 32 }:
                if !text.isEmpty, text.last != " " {
                    text.append(" ")
                    length += 1
                }
            default:
                text.append(character)
                length += 1
            }
            if length >= excerptMax {
                return text + "…"
            }
        }
        return text.last == " " ? String(text.dropLast()) : text
    }
}
