import enum BusinessPolicy.JSON

/// A column of the table in which `kubectl get` shows resources.
struct PrinterColumn: Sendable {
    var name: String
    var type: String
    var description = ""
    /// 0 is always shown, more only with `-o wide`.
    var priority = 0
    /// What stands in it; times as they are, the table makes ages of them.
    var value: @Sendable (JSON) -> JSON?

    /// The column as discovery of tables describes it.
    var json: JSON {
        .record([
            "name": .string(name), "type": .string(type), "format": .string(""), "description": .string(description),
            "priority": .int(priority),
        ])
    }

    /// What stands in the column for a resource, seen at a time.
    func cell(_ resource: JSON, at wallMilliseconds: Int64) -> JSON {
        guard let value = value(resource), value != .null else { return .null }
        switch type {
        case "date":
            return .string(
                value.string.flatMap(WallTime.milliseconds).map { Age.text(wallMilliseconds - $0) } ?? "<unknown>")
        case "string": return .string(value.string ?? value.serializedText())
        default: return value
        }
    }
}

/// Columns of kinds that are built in.
extension PrinterColumn {
    static let age = PrinterColumn(name: "Age", type: "date", value: JSONPath(".metadata.creationTimestamp").first)

    static let created = PrinterColumn(
        name: "Created At", type: "string", value: JSONPath(".metadata.creationTimestamp").first)

    static func text(_ name: String, _ path: String, priority: Int = 0) -> PrinterColumn {
        PrinterColumn(name: name, type: "string", priority: priority, value: JSONPath(path).first)
    }

    /// How many entries these members have between them.
    static func entries(_ name: String, of members: [String]) -> PrinterColumn {
        PrinterColumn(name: name, type: "integer") { resource in
            .int(members.reduce(0) { $0 + (resource[$1]?.members?.count ?? resource[$1]?.array?.count ?? 0) })
        }
    }

    static let boundRole = PrinterColumn(name: "Role", type: "string") { resource in
        .string("\(resource["roleRef"]?["kind"]?.string ?? "")/\(resource["roleRef"]?["name"]?.string ?? "")")
    }

    static let event: [PrinterColumn] = [
        PrinterColumn(name: "Last Seen", type: "date") { event in
            [event["lastTimestamp"], event["eventTime"], event["firstTimestamp"]].compactMap { $0 }
                .first { $0 != .null }
        },
        .text("Type", ".type"), .text("Reason", ".reason"),
        PrinterColumn(name: "Object", type: "string") { event in
            let object = event["involvedObject"]
            return .string("\(object?["kind"]?.string?.lowercased() ?? "")/\(object?["name"]?.string ?? "")")
        },
        .text("Source", ".source.component", priority: 1), .text("Message", ".message"),
        PrinterColumn(name: "First Seen", type: "date", priority: 1) { $0["firstTimestamp"] },
        PrinterColumn(name: "Count", type: "integer", priority: 1) { $0["count"] ?? .int(1) },
        .text("Name", ".metadata.name", priority: 1),
    ]

    static let deployment: [PrinterColumn] = [
        PrinterColumn(name: "Ready", type: "string") { deployment in
            let ready = deployment["status"]?["readyReplicas"]?.int ?? 0
            return .string("\(ready)/\(deployment["spec"]?["replicas"]?.int ?? 1)")
        },
        PrinterColumn(name: "Up-to-date", type: "integer") { $0["status"]?["updatedReplicas"] ?? .int(0) },
        PrinterColumn(name: "Available", type: "integer") { $0["status"]?["availableReplicas"] ?? .int(0) },
        .age,
    ]
}

/// How long ago something was, in the words of `kubectl`.
enum Age {
    static func text(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        let minutes = seconds / 60
        let hours = minutes / 60
        let days = hours / 24
        switch seconds {
        case ..<0: return seconds < -1 ? "<invalid>" : "0s"
        case ..<120: return "\(seconds)s"
        case ..<600: return pair(minutes, "m", seconds % 60, "s")
        case ..<10_800: return "\(minutes)m"
        case ..<28_800: return pair(hours, "h", minutes % 60, "m")
        case ..<172_800: return "\(hours)h"
        case ..<691_200: return pair(days, "d", hours % 24, "h")
        case ..<63_072_000: return "\(days)d"
        case ..<252_288_000: return pair(days / 365, "y", days % 365, "d")
        default: return "\(days / 365)y"
        }
    }

    private static func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }
}
