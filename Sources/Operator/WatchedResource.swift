import BusinessPolicy
import ControlLoop
import Kubernetes

/// A kind of resource that the operator keeps a cache of by list and watch.
package protocol WatchedResource: InformerObject {
    static var resourceKind: ResourceKind { get }

    /// Namespace, name and uid.
    var owner: Owner { get }

    /// What it means that the API server does not know the kind, which then counts as a complete list of none. Nil for
    /// a kind that nothing can be done without.
    static var absence: StaticString? { get }

    /// Where its informer is in the cache.
    static var informer: WritableKeyPath<ResourceCache.State, Informer<Self>> { get }

    /// Reads a resource from the API server's JSON; throws only when it has no usable metadata.
    init(json: JSON) throws(MalformedResource)

    /// Enqueues the keys that changes of the cache touch. What a first list shows changed before we came.
    static func enqueue(
        _ changes: [Informer<Self>.Affected], isFirstList: Bool, in state: inout ResourceCache.State, now: Instant)
}
