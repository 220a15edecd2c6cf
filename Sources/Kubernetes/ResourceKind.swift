import HTTPTransport

/// Which resources a call is about, by the three names that stand in the API server's paths.
package struct ResourceKind: Hashable, Sendable {
    /// The API group; empty for the core group.
    package var group: String
    package var version: String
    /// The plural, lower-case name of the path, such as `velocloudbps`.
    package var plural: String

    package init(group: String, version: String, plural: String) {
        self.group = group
        self.version = version
        self.plural = plural
    }

    /// The resource that velokube exists for.
    package static let velocloudBP = ResourceKind(group: "vcn.cloud", version: "v1", plural: "velocloudbps")
    /// What the resources of a namespace may ask for.
    package static let velocloudLimit = ResourceKind(group: "vcn.cloud", version: "v1", plural: "velocloudlimits")
    package static let namespace = ResourceKind(group: "", version: "v1", plural: "namespaces")
    /// Events of the core group, which every server since 1.0 takes and every kubectl shows.
    package static let event = ResourceKind(group: "", version: "v1", plural: "events")
    /// By which one of several processes is chosen.
    package static let lease = ResourceKind(group: "coordination.k8s.io", version: "v1", plural: "leases")

    /// As messages and the names of definitions have it, such as `velocloudbps.vcn.cloud`.
    package var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The path below the server's URL; a nil namespace means all namespaces, or a kind that has none.
    ///
    /// Throws when a name is empty or made of dots: such a path would silently mean another resource.
    func path(
        namespace: String?, name: String? = nil, subresource: String? = nil
    ) throws(KubernetesError) -> String {
        var segments = group.isEmpty ? ["api", version] : ["apis", group, version]
        if let namespace {
            segments += ["namespaces", namespace]
        }
        segments.append(plural)
        if let name {
            segments.append(name)
        }
        if let subresource {
            segments.append(subresource)
        }
        for segment in segments where segment.isEmpty || segment == "." || segment == ".." {
            throw .transport(.request("\"\(segment)\" cannot stand in the path of a resource of \(plural)"))
        }
        return "/" + segments.map(percentEncoded).joined(separator: "/")
    }
}

/// The text with every byte that is not unreserved (RFC 3986) as `%XX`, for a path segment or a query value.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
