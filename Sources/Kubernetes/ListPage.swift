import BusinessPolicy

/// One page of a list.
package struct ListPage<Item: Sendable>: Sendable {
    /// What was made of the resources, in the server's order.
    package var items: [Item]
    /// The version of the whole collection that the page shows; a watch goes on from it.
    package var resourceVersion: String
    /// Asks for the next page; nil on the last one.
    package var continueToken: String?

    package init(items: [Item], resourceVersion: String, continueToken: String? = nil) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

extension ListPage: Equatable where Item: Equatable {}

extension ListPage {
    /// Puts a page together from its items and all of the list but them; throws when that is no list, so that a stray
    /// reply is never an empty world.
    init(items: [Item], envelope json: JSON) throws(KubernetesError) {
        let kind = json["kind"]?.string ?? ""
        guard kind.hasSuffix("List") else {
            let excerpt = APIStatus.excerpt(of: Array(kind.utf8))
            throw .unreadable("a list was asked for, and what came is of kind \"\(excerpt)\"")
        }
        guard let resourceVersion = json["metadata"]?["resourceVersion"]?.string, !resourceVersion.isEmpty else {
            throw .unreadable("the \(kind) has no metadata.resourceVersion")
        }
        switch json["items"] {
        case .array([]), .null: break  // null is how servers written in Go may spell an empty list
        case .array: throw .unreadable("the \(kind) has items that are no objects")
        default: throw .unreadable("the \(kind) has no items")
        }
        let token = json["metadata"]?["continue"]?.string ?? ""
        self.init(items: items, resourceVersion: resourceVersion, continueToken: token.isEmpty ? nil : token)
    }
}
