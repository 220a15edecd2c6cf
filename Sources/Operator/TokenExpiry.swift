import BusinessPolicy
import Kubernetes
import Logging

/// When a token runs out, as far as it tells, and when that is worth a word.
package struct TokenExpiry: Sendable {
    /// A day less than this is left, and it is said every day.
    static let daysOfWarning: Int64 = 30
    static let daysOfError: Int64 = 3
    private static let day: Int64 = 86_400

    private var said: (expiry: Int64, day: Int64)?

    package init() {}

    /// `exp` of a JSON Web Token (RFC 7519), in seconds since 1970; nil for every other token, which is opaque.
    ///
    /// The standard counts seconds; the one VCO token that is known counts milliseconds, which no date in seconds
    /// reaches before the year 5138.
    package static func seconds(of token: String) -> Int64? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var text = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let bytes = decodedBase64(text), case .number(let number) = (try? JSON.parse(bytes))?["exp"],
            let value = Double(number), value > 0, value < 1e15
        else { return nil }
        return Int64(value < 1e11 ? value : value / 1000)
    }

    /// What is to be logged of a token that runs out at `expiry`, if anything: once for each token, and then daily as
    /// the end comes near. Both in seconds since 1970.
    package mutating func notice(expiry: Int64, now: Int64) -> Logger.Level? {
        let left = expiry - now
        let today = now / Self.day
        let isNear = left < Self.daysOfWarning * Self.day
        if let said, said.expiry == expiry, !isNear || said.day == today { return nil }
        said = (expiry, today)
        return left < Self.daysOfError * Self.day ? .error : isNear ? .warning : .info
    }
}
