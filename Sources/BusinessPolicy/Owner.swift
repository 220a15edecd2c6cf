/// The resource on whose behalf a rule exists.
///
/// The uid tells a resource from another that was later made under the same name.
package struct Owner: Hashable, Comparable, Sendable {
    package var namespace: String
    package var name: String
    package var uid: String

    package init(namespace: String, name: String, uid: String) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }

    package static func < (left: Owner, right: Owner) -> Bool {
        (left.namespace, left.name, left.uid) < (right.namespace, right.name, right.uid)
    }
}
