/// The URL without user, password, query and fragment: those may be secret, and what is left may be logged.
package func redacted(_ url: String) -> String {
    let visible = url.prefix { $0 != "?" && $0 != "#" }
    guard let colon = visible.firstIndex(of: ":"), visible[colon...].hasPrefix("://"),
        !visible[..<colon].contains("@")
    else {
        // Without a scheme it is no URL of ours; what a last "@" ends could be a password.
        return String(
            visible.lastIndex(of: "@").map { visible[visible.index(after: $0)...] } ?? visible)
    }
    let start = visible.index(colon, offsetBy: 3)
    let authority = visible[start...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return String(visible) }
    return String(visible[..<start] + visible[visible.index(after: at)...])
}
