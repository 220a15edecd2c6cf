import HTTPTransport

import enum BusinessPolicy.JSON

/// The form in which a client wants to read resources.
enum ResourceForm: Hashable, Sendable {
    case json
    /// Rows and columns, as `kubectl get` prints them; what of each resource goes with its row.
    case table(Included)

    /// What of a resource goes with its row.
    enum Included: String, Sendable {
        case metadata = "Metadata"
        case object = "Object"
        case none = "None"
    }

    /// The first form in `Accept` that is served.
    init(_ request: SimulatedRequest, _ query: [String: String]) {
        let accepted = request.header("Accept") ?? ""
        let isTable = accepted.split(separator: ",").contains { range in
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " } }
            return parts.first == "application/json" && parts.contains("as=Table") && parts.contains("g=meta.k8s.io")
        }
        self = isTable ? .table(Included(rawValue: query["includeObject"] ?? "") ?? .metadata) : .json
    }
}

/// Tables, as API servers make them for `kubectl get`.
enum ResourceTable {
    private static let nameDescription =
        "Name must be unique within a namespace. It is chosen by whoever makes the resource and cannot be changed."

    /// A table of resources; `metadata` is the list's own.
    static func json(
        _ resources: [JSON], _ served: ServedKind, metadata: JSON, including included: ResourceForm.Included,
        at wallMilliseconds: Int64
    ) -> JSON {
        let name = JSON.record([
            "name": .string("Name"), "type": .string("string"), "format": .string("name"),
            "description": .string(nameDescription), "priority": .int(0),
        ])
        // Events are told apart by other things, and have their names last.
        let beginsWithName = !served.columns.contains { $0.name == "Name" }
        let rows = resources.map { resource -> JSON in
            let first = beginsWithName ? [resource.value(at: ["metadata", "name"]) ?? .null] : []
            let cells = served.columns.map { $0.cell(resource, at: wallMilliseconds) }
            let row = JSON.record(["cells": .array(first + cells)])
            switch included {
            case .none: return row.setting(["object"], to: .null)
            case .object: return row.setting(["object"], to: resource)
            case .metadata:
                return row.setting(
                    ["object"],
                    to: .record([
                        "kind": .string("PartialObjectMetadata"), "apiVersion": .string("meta.k8s.io/v1"),
                        "metadata": resource["metadata"] ?? .record([:]),
                    ]))
            }
        }
        return .record([
            "kind": .string("Table"), "apiVersion": .string("meta.k8s.io/v1"), "metadata": metadata,
            "columnDefinitions": .array((beginsWithName ? [name] : []) + served.columns.map(\.json)),
            "rows": .array(rows),
        ])
    }

    /// A table of one resource, under the resource's own version.
    static func json(
        _ resource: JSON, _ served: ServedKind, including included: ResourceForm.Included, at wallMilliseconds: Int64
    ) -> JSON {
        let version = resource.value(at: ["metadata", "resourceVersion"]) ?? .string("")
        return json(
            [resource], served, metadata: .record(["resourceVersion": version]), including: included,
            at: wallMilliseconds)
    }
}
