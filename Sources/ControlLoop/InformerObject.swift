/// What an informer must know about the objects it caches: who they are and which version of them this is.
package protocol InformerObject: Sendable {
    /// What objects of this kind are found by besides their key.
    associatedtype Index: Hashable & Comparable & Sendable = String

    /// `namespace/name`: what the cache is keyed and sorted by.
    var key: String { get }
    /// Tells an object from an earlier one of the same name.
    var uid: String { get }
    /// The API server's word for this state of the object. Opaque: it may be compared for equality, never for order.
    var resourceVersion: String { get }
}
