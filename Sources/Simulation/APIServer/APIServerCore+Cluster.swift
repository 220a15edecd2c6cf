import enum BusinessPolicy.JSON

/// What makes it a cluster: namespaces that hold resources, definitions that make kinds, accounts with tokens.
extension APIServerCore {
    /// A fresh cluster.
    static func cluster(administratorToken: String, seed: UInt64, wallMilliseconds: Int64) -> APIServerCore {
        let digits = String(seed & 0xFFFF_FFFF, radix: 16)
        let prefix = String(repeating: "0", count: 8 - digits.count) + digits
        var core = APIServerCore(
            store: ResourceStore(uidPrefix: prefix), kinds: .cluster,
            access: AccessControl(administratorToken: administratorToken, seed: seed))
        core.wallMilliseconds = wallMilliseconds
        core.modes.servesWatchList = true
        let namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"].map { name in
            JSON.record(["metadata": .record(["name": .string(name)])])
        }
        core.put(namespaces, .namespace)
        core.put(BuiltInRoles.clusterRoles, .clusterRole)
        core.put(BuiltInRoles.clusterRoleBindings, .clusterRoleBinding)
        return core
    }

    private mutating func put(_ bodies: [JSON], _ kind: SimulatedKind) {
        guard let served = kinds[kind] else { preconditionFailure("\(kind.plural) are not served") }
        for body in bodies {
            // These bodies are our own and cannot be refused.
            _ = try? store.create(body, served, namespace: "", wallMilliseconds: wallMilliseconds)
        }
    }

    /// Refuses what is to be made where there is no namespace, or one that is going away.
    func checkNamespace(_ namespace: String, _ call: APICall) throws(APIFailure) {
        guard call.kind.isNamespaced else { return }
        let found = store.resource(ResourceKey(kind: .namespace, namespace: "", name: namespace))
        if isCluster, found == nil { throw .notFound(.namespace, namespace) }
        let isGoing = isCluster && found?.json.value(at: ["metadata", "deletionTimestamp"]) != nil
        if modes.terminatingNamespaces.contains(namespace) || isGoing {
            throw .forbidden("unable to create new content in namespace \(namespace) because it is being terminated")
        }
    }

    /// A definition as it is kept, if it can be.
    func definition(_ body: JSON, _ call: APICall) throws(APIFailure) -> JSON {
        try CustomResourceDefinition(body, wallMilliseconds: wallMilliseconds).json
    }

    /// What follows from a write: kinds come and go with their definitions, and what was held by its contents goes when
    /// the last of them has gone.
    mutating func follow(_ change: ResourceStore.Change) -> [WatchStream.Waking] {
        if change.key.kind == .definition {
            serve(change)
            return []
        }
        guard change.type == .deleted else { return [] }
        var wakings: [WatchStream.Waking] = []
        if change.key.kind.isNamespaced { wakings += release(namespace: change.key.namespace) }
        if kinds[change.key.kind]?.schema != nil { wakings += release(definitionOf: change.key.kind) }
        return wakings
    }

    private mutating func serve(_ change: ResourceStore.Change) {
        guard let definition = try? CustomResourceDefinition(change.new.json, wallMilliseconds: wallMilliseconds)
        else { return }
        let served = definition.served
        if change.type == .deleted {
            kinds.stop(group: served.kind.group, plural: served.kind.plural)
        } else {
            kinds.serve(served)
            if let schema = served.schema {
                store.reread(served.kind) { schema.defaulted(schema.pruned($0).resource) }
                listing = nil
            }
        }
    }

    /// Before a namespace or a definition is deleted, what it holds is deleted.
    mutating func cascade(from key: ResourceKey) throws(APIFailure) -> [WatchStream.Waking] {
        guard isCluster else { return [] }
        let held: [ResourceKey]
        switch key.kind {
        case .namespace:
            guard !["default", "kube-system", "kube-public"].contains(key.name) else {
                throw .forbidden(
                    "namespaces \"\(key.name)\" is forbidden: this namespace may not be deleted")
            }
            held = store.keys { $0.namespace == key.name }
        case .definition:
            let kind = kinds.kinds.first { $0.schema != nil && $0.kind.qualified == key.name }?.kind
            held = kind.map { kind in store.keys { $0.kind == kind } } ?? []
        default: return []
        }
        var wakings: [WatchStream.Waking] = []
        for item in held {
            guard let change = try store.delete(item, wallMilliseconds: wallMilliseconds) else { continue }
            wakings += deliver([change])
        }
        if held.contains(where: { store.resource($0) != nil }) { hold(key) }
        return wakings
    }

    /// What still has contents waits for them by a finalizer; a namespace says that it is going.
    private mutating func hold(_ key: ResourceKey) {
        guard let old = store.resource(key)?.json, ResourceStore.finalizers(of: old).isEmpty else { return }
        let isNamespace = key.kind == .namespace
        let finalizer = isNamespace ? "kubernetes" : "customresourcecleanup.apiextensions.k8s.io"
        let held = old.setting(["metadata", "finalizers"], to: .array([.string(finalizer)]))
        _ = store.put(isNamespace ? held.setting(["status", "phase"], to: .string("Terminating")) : held, at: key)
    }

    private mutating func release(namespace: String) -> [WatchStream.Waking] {
        let key = ResourceKey(kind: .namespace, namespace: "", name: namespace)
        return release(key) { $0.namespace == namespace }
    }

    private mutating func release(definitionOf kind: SimulatedKind) -> [WatchStream.Waking] {
        let key = ResourceKey(kind: .definition, namespace: "", name: kind.qualified)
        return release(key) { $0.kind == kind }
    }

    private mutating func release(_ key: ResourceKey, heldBy: (ResourceKey) -> Bool) -> [WatchStream.Waking] {
        guard let old = store.resource(key)?.json, old.value(at: ["metadata", "deletionTimestamp"]) != nil,
            !store.contains(where: heldBy)
        else { return [] }
        let change = store.remove(key, last: old)
        return deliver([change]) + follow(change)
    }
}

/// What is asked and not kept.
extension APIServerCore {
    mutating func grantToken(_ request: SimulatedRequest, _ call: APICall) throws(APIFailure) -> Outcome {
        let key = try key(call)
        guard let account = store.resource(key)?.json else { throw .notFound(key.kind, key.name) }
        let uid = account.value(at: ["metadata", "uid"])?.string ?? ""
        let granted = access?.grant(key, uid: uid, try Self.body(request), at: wallMilliseconds)
        return Outcome(reply: granted.map { .json(201, $0.serialized()) })
    }

    func review(
        _ request: SimulatedRequest, _ call: APICall, _ user: AccessControl.User
    ) throws(APIFailure) -> Outcome {
        var answer = try Self.body(request)
        if call.kind.name == "SelfSubjectReview" {
            let info = JSON.record([
                "username": .string(user.name), "uid": .string(user.uid),
                "groups": .array(user.groups.map { .string($0) }),
            ])
            answer = answer.setting(["status"], to: .record(["userInfo": info]))
        } else {
            let isAllowed = RoleBasedAccess(store: store).allows(user, AccessRequest(review: answer["spec"]))
            answer = answer.setting(["status"], to: .record(["allowed": .bool(isAllowed)]))
        }
        answer = answer.setting(["apiVersion"], to: .string(call.kind.apiVersion))
            .setting(["kind"], to: .string(call.kind.name))
        return Outcome(reply: .json(201, answer.serialized()))
    }
}
