import BusinessPolicy

/// One page of a list.
package struct ListPage: Hashable, Sendable {
    /// The resources, in the server's order, each without its `metadata.managedFields`.
    package var items: [JSON]
    /// The version of the whole collection that the page shows; a watch goes on from it.
    package var resourceVersion: String
    /// Asks for the next page; nil on the last one.
    package var continueToken: String?

    package init(items: [JSON], resourceVersion: String, continueToken: String? = nil) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

extension ListPage {
    /// Reads a list of any kind; throws when the reply is something else, so that a stray page is never an empty world.
    init(json: JSON) throws(KubernetesError) {
        let kind = json["kind"]?.string ?? ""
        guard kind.hasSuffix("List") else {
            let excerpt = APIStatus.excerpt(of: Array(kind.utf8))
            throw .unreadable("a list was asked for, and what came is of kind \"\(excerpt)\"")
        }
        guard let resourceVersion = json["metadata"]?["resourceVersion"]?.string, !resourceVersion.isEmpty else {
            throw .unreadable("the \(kind) has no metadata.resourceVersion")
        }
        switch json["items"] {
        case .array(let items): self.items = items.map { $0.withoutManagedFields }
        case .null: items = []  // how servers written in Go may spell an empty list
        default: throw .unreadable("the \(kind) has no items")
        }
        self.resourceVersion = resourceVersion
        let token = json["metadata"]?["continue"]?.string ?? ""
        continueToken = token.isEmpty ? nil : token
    }
}

extension JSON {
    /// The resource without `metadata.managedFields`: often more than half of it, and never looked at.
    var withoutManagedFields: JSON {
        guard case .object(var members) = self, let place = members.firstIndex(where: { $0.name == "metadata" }),
            case .object(let metadata) = members[place].value,
            metadata.contains(where: { $0.name == "managedFields" })
        else { return self }
        members[place].value = .object(metadata.filter { $0.name != "managedFields" })
        return .object(members)
    }
}
