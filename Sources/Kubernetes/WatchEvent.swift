import BusinessPolicy
import HTTPTransport

/// One line of a watch.
package enum WatchEvent: Hashable, Sendable {
    /// The resource is new to this watch.
    case added(JSON)
    /// The resource changed; this is its new state.
    case modified(JSON)
    /// The resource is gone; this is its last state.
    case deleted(JSON)
    /// Nothing changed up to this version: lets a quiet watch be resumed without a new list. In a watch that was asked
    /// to begin with the state of all objects, one bookmark also says that this is complete.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool = false)
    /// The server ends the watch with its reason, most often that the version is gone.
    case error(APIStatus)
    /// A line that is none of these, in words: to be logged and passed over, since the next ones may be good.
    case unreadable(String)
}

extension WatchEvent {
    /// Reads one line.
    init(line: [UInt8], sharing strings: Locked<StringPool>) {
        do throws(JSONError) {
            let json = try strings.withLock { (strings) throws(JSONError) in
                try JSON.parse(line[...], sharing: &strings, leavingOut: JSON.unusedInEvents)
            }
            self = Self.read(json, bytes: line.count)
        } catch {
            self = .unreadable("a line of \(line.count) bytes is no JSON: \(error.problem) at byte \(error.offset)")
        }
    }

    private static func read(_ event: JSON, bytes: Int) -> WatchEvent {
        guard let type = event["type"]?.string, let object = event["object"] else {
            return .unreadable("a line of \(bytes) bytes has no type and object")
        }
        if type == "ERROR" {
            let status = APIStatus(json: object)
            return status.map { .error($0) } ?? .unreadable("an ERROR event carries no Status")
        }
        // Columns for kubectl come as a Table when a proxy asks for them; there is no resource in it to read.
        guard case .object = object["metadata"], object["kind"]?.string != "Table" else {
            let kind = named(object["kind"]?.string ?? "")
            return .unreadable("the \(named(type)) event carries no resource, but the kind \(kind)")
        }
        switch type {
        case "ADDED": return .added(object)
        case "MODIFIED": return .modified(object)
        case "DELETED": return .deleted(object)
        case "BOOKMARK":
            guard let version = object["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
                return .unreadable("a BOOKMARK has no resourceVersion")
            }
            let mark = object["metadata"]?["annotations"]?["k8s.io/initial-events-end"]?.string
            return .bookmark(resourceVersion: version, endsInitialEvents: mark == "true")
        default: return .unreadable("an event of the unknown type \(named(type))")
        }
    }

    /// A name from outside, safe to stand in a log line.
    private static func named(_ text: String) -> String {
        "\"\(APIStatus.excerpt(of: Array(text.utf8)))\""
    }
}
