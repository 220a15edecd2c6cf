import enum BusinessPolicy.JSON

/// Reads the bodies that `kubectl create` and `kubectl auth` send as protobuf: an envelope with kind and version, and
/// in it one of the messages below. Answers go out as JSON, which those clients take too.
///
/// Field numbers are those of the published `generated.proto` files; fields that are not listed are passed over.
enum ProtobufBody {
    static let contentType = "application/vnd.kubernetes.protobuf"

    private typealias Shape = [Int: (String, Field)]

    private indirect enum Field: Sendable {
        case text
        case number
        case flag
        case bytes
        case message(Shape)
        case list(Field)
        /// Keys are texts.
        case map(Field)
    }

    /// The resource in a body; nil when it is none of those that are read.
    static func json(_ body: [UInt8]) -> JSON? {
        guard body.starts(with: [0x6B, 0x38, 0x73, 0x00]), let envelope = Message(body.dropFirst(4)),
            let type = envelope.bytes(1).flatMap({ Message($0) }),
            let kind = type.text(2), let shape = shapes[kind], let content = Message(envelope.bytes(2) ?? [])
        else { return nil }
        return json(content, shape)
            .setting(["apiVersion"], to: .string(type.text(1) ?? "")).setting(["kind"], to: .string(kind))
    }

    private static func json(_ message: Message, _ fields: Shape) -> JSON {
        var json = JSON.record([:])
        for (number, value) in message.fields {
            guard let (name, field) = fields[number] else { continue }
            let old = json[name]
            guard let new = self.json(value, field, after: old) else { continue }
            json = json.setting([name], to: new)
        }
        return json
    }

    /// The value of a field; lists and maps are continued, and empty texts are left out, as in JSON.
    private static func json(_ value: Message.Value, _ field: Field, after old: JSON?) -> JSON? {
        switch (field, value) {
        case (.text, .bytes(let bytes)): return bytes.isEmpty ? nil : .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes, .bytes(let bytes)): return .string(Base64.text(Array(bytes)))
        case (.number, .number(let number)): return .int(Int(truncatingIfNeeded: number))
        case (.flag, .number(let number)): return .bool(number != 0)
        case (.message(let fields), .bytes(let bytes)):
            return Message(bytes).flatMap { $0.fields.isEmpty ? nil : json($0, fields) }
        case (.list(let element), .bytes(let bytes)):
            let new = json(.bytes(bytes), element, after: nil) ?? .string("")
            return .array((old?.array ?? []) + [new])
        case (.map(let element), .bytes(let bytes)):
            guard let entry = Message(bytes) else { return nil }
            let content = entry.bytes(2).flatMap { json(.bytes($0), element, after: nil) } ?? .string("")
            return (old ?? .record([:])).setting([entry.text(1) ?? ""], to: content)
        default: return nil
        }
    }

    private static let metadata = Field.message([
        1: ("name", .text), 2: ("generateName", .text), 3: ("namespace", .text), 11: ("labels", .map(.text)),
        12: ("annotations", .map(.text)), 14: ("finalizers", .list(.text)),
    ])
    private static let rules = Field.list(
        .message([
            1: ("verbs", .list(.text)), 2: ("apiGroups", .list(.text)), 3: ("resources", .list(.text)),
            4: ("resourceNames", .list(.text)), 5: ("nonResourceURLs", .list(.text)),
        ]))
    private static let binding: Shape = [
        1: ("metadata", metadata),
        2: (
            "subjects",
            .list(
                .message([
                    1: ("kind", .text), 2: ("apiGroup", .text), 3: ("name", .text), 4: ("namespace", .text),
                ]))
        ),
        3: ("roleRef", .message([1: ("apiGroup", .text), 2: ("kind", .text), 3: ("name", .text)])),
    ]
    private static let accessReview: Shape = [
        2: (
            "spec",
            .message([
                1: (
                    "resourceAttributes",
                    .message([
                        1: ("namespace", .text), 2: ("verb", .text), 3: ("group", .text), 4: ("version", .text),
                        5: ("resource", .text), 6: ("subresource", .text), 7: ("name", .text),
                    ])
                ),
                2: ("nonResourceAttributes", .message([1: ("path", .text), 2: ("verb", .text)])),
            ])
        )
    ]

    private static let shapes: [String: Shape] =
        [
            "Namespace": [1: ("metadata", metadata)],
            "ServiceAccount": [1: ("metadata", metadata), 4: ("automountServiceAccountToken", .flag)],
            "ConfigMap": [1: ("metadata", metadata), 2: ("data", .map(.text)), 3: ("binaryData", .map(.bytes))],
            "Secret": [1: ("metadata", metadata), 2: ("data", .map(.bytes)), 3: ("type", .text)],
            "Role": [1: ("metadata", metadata), 2: ("rules", rules)],
            "ClusterRole": [1: ("metadata", metadata), 2: ("rules", rules)],
            "RoleBinding": binding, "ClusterRoleBinding": binding,
            "TokenRequest": [
                1: ("metadata", metadata),
                2: ("spec", .message([1: ("audiences", .list(.text)), 4: ("expirationSeconds", .number)])),
            ],
            "SelfSubjectAccessReview": accessReview, "SelfSubjectReview": [:],
        ]
}

/// One protobuf message, taken apart.
private struct Message {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private(set) var fields: [(number: Int, value: Value)] = []

    /// Nil for bytes that are no message.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            guard let tag = Self.number(&rest) else { return nil }
            let value: Value
            switch tag & 7 {
            case 0:
                guard let number = Self.number(&rest) else { return nil }
                value = .number(number)
            case 1, 5:
                let width = tag & 7 == 1 ? 8 : 4
                guard rest.count >= width else { return nil }
                value = .bytes(rest.prefix(width))
                rest = rest.dropFirst(width)
            case 2:
                guard let count = Self.number(&rest), count <= UInt64(rest.count) else { return nil }
                value = .bytes(rest.prefix(Int(count)))
                rest = rest.dropFirst(Int(count))
            default: return nil
            }
            fields.append((Int(truncatingIfNeeded: tag >> 3), value))
        }
    }

    func bytes(_ number: Int) -> ArraySlice<UInt8>? {
        for field in fields where field.number == number {
            if case .bytes(let bytes) = field.value { return bytes }
        }
        return nil
    }

    func text(_ number: Int) -> String? {
        bytes(number).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
