import enum BusinessPolicy.JSON

/// The documents by which a client finds out what is served.
struct Discovery {
    let kinds: KindTable

    /// The release whose manners are followed: its messages, its strict field validation, its OpenAPI v3.
    private static let version = "v1.36.0"

    /// The document at a path; nil for none.
    func document(_ path: [String]) -> JSON? {
        switch path.count {
        case 0: return .record(["paths": .array(paths.map { .string($0) })])
        case 1 where path[0] == "version": return Self.versionDocument
        case 1 where path[0] == "api": return coreVersions
        case 1 where path[0] == "apis":
            return .record([
                "kind": .string("APIGroupList"), "apiVersion": .string("v1"), "groups": .array(groups.map(group)),
            ])
        case 2 where path[0] == "apis" && groups.contains(path[1]):
            return group(path[1]).adding(["kind": .string("APIGroup"), "apiVersion": .string("v1")])
        case 2 where path[0] == "api": return resources("", path[1])
        case 3 where path[0] == "apis": return resources(path[1], path[2])
        default: return nil
        }
    }

    private var groups: [String] {
        var seen: Set<String> = []
        return kinds.groupVersions.map(\.group).filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    private var paths: [String] {
        let served = kinds.groupVersions.map {
            $0.group.isEmpty ? "/api/\($0.version)" : "/apis/\($0.group)/\($0.version)"
        }
        return ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"] + served
    }

    private static let versionDocument = JSON.record([
        "major": .string("1"), "minor": .string("36"), "gitVersion": .string("\(version)+velokube-sim"),
        "gitCommit": .string("0"), "gitTreeState": .string("clean"), "buildDate": .string("1970-01-01T00:00:00Z"),
        "goVersion": .string("none"), "compiler": .string("swiftc"), "platform": .string("linux/amd64"),
    ])

    private var coreVersions: JSON {
        .record([
            "kind": .string("APIVersions"), "versions": .array([.string("v1")]),
            "serverAddressByClientCIDRs": .array([]),
        ])
    }

    private func group(_ name: String) -> JSON {
        let versions = kinds.groupVersions.filter { $0.group == name }.map { pair in
            JSON.record([
                "groupVersion": .string("\(name)/\(pair.version)"), "version": .string(pair.version),
            ])
        }
        return .record([
            "name": .string(name), "versions": .array(versions), "preferredVersion": versions.first ?? .null,
        ])
    }

    private func resources(_ group: String, _ version: String) -> JSON? {
        let served = kinds.kinds.filter { $0.kind.group == group && $0.kind.version == version }
        guard let first = served.first else { return nil }
        return .record([
            "kind": .string("APIResourceList"), "apiVersion": .string("v1"),
            "groupVersion": .string(first.kind.apiVersion),
            "resources": .array(served.flatMap(Self.resources(of:))),
        ])
    }

    private static func resources(of served: ServedKind) -> [JSON] {
        func list(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
        var resource = JSON.record([
            "name": .string(served.kind.plural), "singularName": .string(served.singular),
            "namespaced": .bool(served.kind.isNamespaced), "kind": .string(served.kind.name),
            "verbs": list(served.verbs),
        ])
        if !served.shortNames.isEmpty { resource = resource.setting(["shortNames"], to: list(served.shortNames)) }
        if !served.categories.isEmpty { resource = resource.setting(["categories"], to: list(served.categories)) }
        return [resource]
            + served.subresources.map { name in
                let isToken = name == "token"
                var json = JSON.record([
                    "name": .string("\(served.kind.plural)/\(name)"), "singularName": .string(""),
                    "namespaced": .bool(served.kind.isNamespaced),
                    "kind": .string(isToken ? "TokenRequest" : served.kind.name),
                    "verbs": list(isToken ? ["create"] : ["get", "patch", "update"]),
                ])
                if isToken {
                    json = json.setting(["group"], to: .string("authentication.k8s.io"))
                        .setting(["version"], to: .string("v1"))
                }
                return json
            }
    }
}
