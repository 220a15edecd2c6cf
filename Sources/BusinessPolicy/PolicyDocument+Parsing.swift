extension PolicyDocument {
    /// The name of the catch-all rule that every segment of a living VCO has among its `defaults`.
    private static let templateName = "Default-Any-Other"

    /// Reads a document. Throws for text that is no JSON, for a document without `segments` (a NETWORK_BASED profile),
    /// and for a shape that cannot be edited safely.
    package init(parsing bytes: [UInt8]) throws(PolicyDocumentError) {
        let outline: DocumentOutline
        do throws(JSONError) {
            outline = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> DocumentOutline in
                var reader = JSONReader(buffer)
                let outline = try DocumentOutline(from: &reader)
                try reader.finish()
                return outline
            }
        } catch {
            throw .malformed("the policy document is \(error)")
        }
        let elements = try outline.checkedSegments()
        var segments: [Segment] = []
        var ranges: [Range<Int>] = []
        var indexOfID: [Int: Int] = [:]
        for (index, element) in elements.enumerated() {
            let (id, range) = try element.checked(at: index)
            if let other = indexOfID.updateValue(index, forKey: id) {
                throw .malformed("segments[\(other)] and segments[\(index)] have the same segmentId \(id)")
            }
            let defaults = element.defaults?.array ?? []
            segments.append(
                Segment(
                    id: id, name: element.segment?["name"]?.string ?? "", rules: element.rules,
                    template: defaults.first { $0["name"]?.string == Self.templateName }))
            ranges.append(range)
        }
        self.init(bytes: bytes, segments: segments, ruleRanges: ranges)
    }
}

/// A document as far as its text goes, before it is checked for sense.
private struct DocumentOutline {
    var isObject = false
    var hasRules = false
    /// How many members are called `segments`; of two, which one the VCO reads cannot be known.
    var segmentsCount = 0
    /// nil when `segments` is no array.
    var segments: [SegmentOutline]?

    init(from reader: inout JSONReader) throws(JSONError) {
        guard case .object = try reader.kindOfNext() else {
            _ = try reader.skipValue(depth: 0)
            return
        }
        isObject = true
        var outline = self
        try reader.eachMember(depth: 0) { (reader, name) throws(JSONError) in
            let kind = try reader.kindOfNext()
            switch (name, kind) {
            case ("segments", .array):
                outline.segmentsCount += 1
                var segments: [SegmentOutline] = []
                try reader.eachElement(depth: 1) { (reader) throws(JSONError) in
                    segments.append(try SegmentOutline(from: &reader))
                }
                outline.segments = segments
            case ("segments", _):
                outline.segmentsCount += 1
                _ = try reader.skipValue(depth: 1)
            default:
                if name == "rules" { outline.hasRules = true }
                _ = try reader.skipValue(depth: 1)
            }
        }
        self = outline
    }

    func checkedSegments() throws(PolicyDocumentError) -> [SegmentOutline] {
        guard isObject else { throw .malformed("the policy document is not an object") }
        if segmentsCount == 0 {
            throw hasRules ? .networkBased : .malformed("the policy document has no segments")
        }
        guard segmentsCount == 1, let segments else {
            throw .malformed("the policy document must have one array of segments")
        }
        return segments
    }
}

/// One element of `segments`, before it is checked for sense.
private struct SegmentOutline {
    var segment: JSON?
    var defaults: JSON?
    /// How many members are called `rules`, arrays or not.
    var rulesCount = 0
    var rulesRange: Range<Int>?
    var rules: [PolicyDocument.Rule] = []

    /// How deep the members of an element of `segments` lie.
    private static let depth = 3

    init(from reader: inout JSONReader) throws(JSONError) {
        guard case .object = try reader.kindOfNext() else {
            _ = try reader.skipValue(depth: Self.depth - 1)
            return
        }
        var outline = self
        try reader.eachMember(depth: Self.depth - 1) { (reader, name) throws(JSONError) in
            let kind = try reader.kindOfNext()
            switch (name, kind) {
            case ("rules", .array):
                outline.rulesCount += 1
                let start = reader.position + 1
                try reader.eachElement(depth: Self.depth) { (reader) throws(JSONError) in
                    _ = try reader.kindOfNext()
                    let start = reader.position
                    let value = try reader.readValue(depth: Self.depth + 1)
                    let bytes = Array(reader.bytes[start..<reader.position])
                    outline.rules.append(PolicyDocument.Rule(value: value, bytes: bytes))
                }
                outline.rulesRange = start..<reader.position - 1
            case ("segment", _): outline.segment = try reader.readValue(depth: Self.depth)
            case ("defaults", _): outline.defaults = try reader.readValue(depth: Self.depth)
            default:
                if name == "rules" { outline.rulesCount += 1 }
                _ = try reader.skipValue(depth: Self.depth)
            }
        }
        self = outline
    }

    func checked(at index: Int) throws(PolicyDocumentError) -> (id: Int, rules: Range<Int>) {
        guard let id = segment?["segmentId"]?.int else {
            throw .malformed("segments[\(index)] has no segment.segmentId")
        }
        guard rulesCount == 1, let rulesRange else {
            throw .malformed("segments[\(index)] must have one array of rules")
        }
        return (id, rulesRange)
    }
}
