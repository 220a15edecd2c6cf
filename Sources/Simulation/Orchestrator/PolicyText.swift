import enum BusinessPolicy.JSON

/// The `data` of a QOS module, cut into segments and rules; every rule is kept as the bytes it was sent as.
///
/// Read independently of the operator's own document type, so that a wrong member name cannot be wrong on both sides.
struct PolicyText: Hashable, Sendable {
    /// As it is served: the very bytes that were sent, as long as nothing in them had to be changed.
    private(set) var bytes: [UInt8]
    private var fields: [JSONText.Field]
    private(set) var segments: [Segment]

    /// One segment and its rules.
    struct Segment: Hashable, Sendable {
        var id: Int?
        var name: String
        var rules: [RuleText]
        fileprivate var fields: [JSONText.Field]
    }

    /// Cuts a document. `known` are rules cut before, so that what comes back unchanged is not read again.
    init(_ bytes: [UInt8], known: [[UInt8]: RuleText] = [:]) throws(JSONText.Malformed) {
        self.bytes = bytes
        fields = try JSONText.fields(of: bytes)
        segments = []
        guard let list = fields.last(where: { $0.name == "segments" }) else { throw JSONText.Malformed(offset: 0) }
        for element in try JSONText.elements(of: list.value) {
            segments.append(try Self.segment(element, known: known))
        }
    }

    private static func segment(
        _ bytes: [UInt8], known: [[UInt8]: RuleText]
    ) throws(JSONText.Malformed) -> Segment {
        let fields = try JSONText.fields(of: bytes)
        var segment = Segment(id: nil, name: "", rules: [], fields: fields)
        for field in fields {
            switch field.name {
            case "segment":
                let header = try? JSON.parse(field.value)
                segment.id = header?.value(at: ["segmentId"])?.int
                segment.name = header?.value(at: ["name"])?.string ?? ""
            case "rules":
                segment.rules = []
                for element in try JSONText.elements(of: field.value) {
                    if let rule = known[element] {
                        segment.rules.append(rule)
                    } else {
                        segment.rules.append(try RuleText(element))
                    }
                }
            default: break
            }
        }
        return segment
    }

    /// All rules by their spelling, for reading the next document quickly.
    var rulesBySpelling: [[UInt8]: RuleText] {
        Dictionary(segments.flatMap(\.rules).map { ($0.bytes, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The rules' logical ids.
    var logicalIDs: Set<String> {
        Set(segments.flatMap(\.rules).compactMap(\.logicalID))
    }

    /// Puts other segments in place; the text is only made anew when something differs.
    mutating func replaceSegments(_ new: [Segment]) {
        guard new != segments else { return }
        segments = new
        render()
    }

    /// Puts a member of the document itself, such as `qoe`, in place.
    mutating func set(_ name: String, to value: [UInt8]) {
        if let index = fields.lastIndex(where: { $0.name == name }) {
            fields[index].value = value
        } else {
            fields.append(JSONText.Field(name: name, value: value))
        }
        render()
    }

    /// True when the document has a member of that name.
    func has(_ name: String) -> Bool {
        fields.contains { $0.name == name }
    }

    private mutating func render() {
        let list = JSONText.array(segments.map(\.rendered))
        for index in fields.indices where fields[index].name == "segments" { fields[index].value = list }
        bytes = JSONText.object(fields)
    }
}

extension PolicyText.Segment {
    /// A new segment that looks like another one and has no rules.
    func copy(id: Int, name: String, logicalID: String) -> Self {
        var copy = self
        copy.id = id
        copy.rules = []
        copy.setHeader("segmentId", .int(id))
        copy.setHeader("segmentLogicalId", .string(logicalID))
        copy.rename(to: name)
        return copy
    }

    /// Gives the segment another name, in its header too.
    mutating func rename(to name: String) {
        self.name = name
        setHeader("name", .string(name))
    }

    /// True when the segment has a member of that name.
    func has(_ name: String) -> Bool {
        fields.contains { $0.name == name }
    }

    /// The default rules, which are served but cannot be edited.
    var defaults: [[UInt8]] {
        get {
            let field = fields.last { $0.name == "defaults" }
            return field.flatMap { try? JSONText.elements(of: $0.value) } ?? []
        }
        set { setField("defaults", JSONText.array(newValue)) }
    }

    fileprivate var rendered: [UInt8] {
        let rules = JSONText.array(self.rules.map(\.bytes))
        return JSONText.object(fields.map { $0.name == "rules" ? .init(name: "rules", value: rules) : $0 })
    }

    private mutating func setHeader(_ name: String, _ value: JSON) {
        let old = fields.last { $0.name == "segment" }.flatMap { try? JSON.parse($0.value) } ?? .object([])
        setField("segment", old.setting([name], to: value).serialized())
    }

    private mutating func setField(_ name: String, _ value: [UInt8]) {
        if let index = fields.lastIndex(where: { $0.name == name }) {
            fields[index].value = value
        } else {
            fields.append(JSONText.Field(name: name, value: value))
        }
    }
}

/// One rule as it was spelt, with the two members by which it is told from others.
struct RuleText: Hashable, Sendable {
    let bytes: [UInt8]
    let name: String?
    let logicalID: String?

    init(_ bytes: [UInt8]) throws(JSONText.Malformed) {
        self.bytes = bytes
        var name: String?
        var logicalID: String?
        for field in try JSONText.fields(of: bytes) {
            if field.name == "name" { name = try? JSONText.text(of: field.value) }
            if field.name == "ruleLogicalId" { logicalID = try? JSONText.text(of: field.value) }
        }
        self.name = name
        self.logicalID = logicalID
    }

    /// The rule as values.
    var json: JSON {
        (try? JSON.parse(bytes)) ?? .null
    }

    /// The same rule with another logical id, everything else spelt as it was.
    func with(logicalID: String) throws(JSONText.Malformed) -> RuleText {
        var fields = try JSONText.fields(of: bytes)
        let value = JSON.string(logicalID).serialized()
        if let index = fields.lastIndex(where: { $0.name == "ruleLogicalId" }) {
            fields[index].value = value
            return try RuleText(JSONText.object(fields))
        }
        let separator: [UInt8] = fields.isEmpty ? [] : [UInt8(ascii: ",")]
        let member = JSON.string("ruleLogicalId").serialized() + [UInt8(ascii: ":")] + value
        return try RuleText(bytes.dropLast() + separator + member + [UInt8(ascii: "}")])
    }
}
