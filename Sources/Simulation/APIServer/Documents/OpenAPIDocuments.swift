import enum BusinessPolicy.JSON

/// OpenAPI v3, one document for each group and version: what `kubectl explain` reads, and where `kubectl apply` sees
/// that the server checks fields by itself.
struct OpenAPIDocuments {
    let kinds: KindTable

    private static let metadataName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

    /// `/openapi/v3`: where each document is. The hash changes with the document, as clients keep what they have read.
    var index: JSON {
        .record([
            "paths": .object(
                kinds.groupVersions.map { pair in
                    let path = pair.group.isEmpty ? "api/\(pair.version)" : "apis/\(pair.group)/\(pair.version)"
                    let content = document(pair.group, pair.version)?.serialized() ?? []
                    let url = "/openapi/v3/\(path)?hash=\(Self.hash(content))"
                    return .init(path, .record(["serverRelativeURL": .string(url)]))
                })
        ])
    }

    /// The document of a group and version; nil when it is not served.
    func document(_ group: String, _ version: String) -> JSON? {
        let served = kinds.kinds.filter { $0.kind.group == group && $0.kind.version == version }
        guard !served.isEmpty else { return nil }
        let schemas = served.map { JSON.Member(Self.name(of: $0.kind), Self.schema(of: $0)) }
        return .record([
            "openapi": .string("3.0.0"),
            "info": .record(["title": .string("velokube-sim"), "version": .string("v1.36.0")]),
            "paths": .object(served.filter { !$0.isReview }.map { .init(Self.path(of: $0.kind), Self.operations($0)) }),
            "components": .record([
                "schemas": .object(schemas + [.init(Self.metadataName, Self.metadataSchema)])
            ]),
        ])
    }

    /// FNV-1a.
    private static func hash(_ bytes: [UInt8]) -> String {
        String(bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
    }

    /// `cloud.vcn.v1.VelocloudBP`
    private static func name(of kind: SimulatedKind) -> String {
        let group = kind.group.isEmpty ? ["core"] : kind.group.split(separator: ".").reversed().map(String.init)
        return (group + [kind.version, kind.name]).joined(separator: ".")
    }

    private static func path(of kind: SimulatedKind) -> String {
        let root = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
        return "\(root)\(kind.isNamespaced ? "/namespaces/{namespace}" : "")/\(kind.plural)/{name}"
    }

    private static func operations(_ served: ServedKind) -> JSON {
        let names = ["dryRun", "fieldManager", "fieldValidation"]
        let parameters = names.map { name in
            JSON.record([
                "name": .string(name), "in": .string("query"), "schema": .record(["type": .string("string")]),
            ])
        }
        func operation(_ action: String) -> JSON {
            .record([
                "parameters": .array(parameters), "x-kubernetes-action": .string(action),
                "x-kubernetes-group-version-kind": groupVersionKind(served.kind),
                "responses": .record(["200": .record(["description": .string("OK")])]),
            ])
        }
        return .record(["get": operation("get"), "put": operation("put"), "patch": operation("patch")])
    }

    private static func groupVersionKind(_ kind: SimulatedKind) -> JSON {
        .record([
            "group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.name),
        ])
    }

    private static func schema(of served: ServedKind) -> JSON {
        let fallback = JSON.record([
            "type": .string("object"), "description": .string("velokube-sim keeps this kind as it is sent."),
        ])
        var schema = served.schema?.json ?? fallback
        let reference = JSON.record(["$ref": .string("#/components/schemas/\(metadataName)")])
        let own: [(String, JSON)] = [
            ("apiVersion", text("The group and version of the kind, such as \(served.kind.apiVersion).")),
            ("kind", text("The kind of the resource: \(served.kind.name).")),
            (
                "metadata",
                .record([
                    "description": .string("Name, labels, annotations and what the server notes of a resource."),
                    "allOf": .array([reference]),
                ])
            ),
        ]
        for (name, value) in own { schema = schema.setting(["properties", name], to: value) }
        return schema.setting(["x-kubernetes-group-version-kind"], to: .array([groupVersionKind(served.kind)]))
    }

    private static func text(_ description: String, _ type: String = "string") -> JSON {
        .record(["type": .string(type), "description": .string(description)])
    }

    private static let metadataSchema: JSON = {
        let texts = JSON.record(["type": .string("string")])
        let map = JSON.record(["type": .string("object"), "additionalProperties": texts])
        let list = JSON.record(["type": .string("array"), "items": texts])
        return .record([
            "type": .string("object"),
            "description": .string("What every resource has, whatever its kind."),
            "properties": .record([
                "annotations": map.setting(["description"], to: .string("Notes for programs and people.")),
                "creationTimestamp": text("When the resource was made; set by the server."),
                "deletionGracePeriodSeconds": text("Set by the server together with deletionTimestamp.", "integer"),
                "deletionTimestamp": text("When the deletion was asked for; set by the server."),
                "finalizers": list.setting(
                    ["description"], to: .string("Who must act before the resource can go.")),
                "generateName": text("Beginning of a name that the server completes."),
                "generation": text("Counts the changes of what is asked for; set by the server.", "integer"),
                "labels": map.setting(["description"], to: .string("Names and values to select resources by.")),
                "name": text("Unique among the resources of a kind in a namespace."),
                "namespace": text("Where the resource lies."),
                "resourceVersion": text("Changes with every write; set by the server."),
                "uid": text("Unique in time and space; set by the server."),
            ]),
        ])
    }()
}
