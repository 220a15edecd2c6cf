/// The objects an informer knows, by key and by index value, with sorted views that are made once per change.
struct ObjectCache<Object: InformerObject>: Sendable {
    typealias Affected = Informer<Object>.Affected

    /// The keys under one index value, and the objects behind them, sorted.
    private struct Bucket: Sendable {
        var keys: Set<String> = []
        var sorted = Memo<[Object]>()
        /// The other index values of these objects, and how many have each: known without a look at all of them.
        var besides: [Object.Index: Int] = [:]

        mutating func add(_ key: String, having values: Set<Object.Index>, except own: Object.Index) {
            keys.insert(key)
            sorted = Memo()
            for value in values where value != own { besides[value, default: 0] += 1 }
        }

        mutating func remove(_ key: String, having values: Set<Object.Index>, except own: Object.Index) {
            keys.remove(key)
            sorted = Memo()
            for value in values where value != own {
                let count = besides[value] ?? 0
                besides[value] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// The versions of one object that are remembered as older than the cached one. A reconcile makes two; more are
    /// odd.
    private static var supersededMax: Int { 16 }

    private let index: @Sendable (Object) -> [Object.Index]
    private var objects: [String: Object] = [:]
    private var buckets: [Object.Index: Bucket] = [:]
    private var sorted = Memo<[Object]>()
    /// By key: versions that our own writes have replaced, until the server shows ours. Those may still arrive, and are
    /// old.
    private var superseded: [String: [String]] = [:]

    init(index: @escaping @Sendable (Object) -> [Object.Index]) {
        self.index = index
    }

    /// All objects, sorted by key.
    var all: [Object] {
        sorted.value { objects.values.sorted { $0.key < $1.key } }
    }

    /// The index values that some object has, sorted.
    var indexValues: [Object.Index] {
        buckets.keys.sorted()
    }

    /// The other index values of the objects that have this one, sorted.
    func indexValues(beside value: Object.Index) -> [Object.Index] {
        buckets[value]?.besides.keys.sorted() ?? []
    }

    func object(_ key: String) -> Object? {
        objects[key]
    }

    /// The objects that have this index value, sorted by key.
    func objects(indexedBy value: Object.Index) -> [Object] {
        guard let bucket = buckets[value] else { return [] }
        return bucket.sorted.value { bucket.keys.sorted().compactMap { objects[$0] } }
    }

    /// Takes in a state of one object that the server has shown.
    mutating func put(_ object: Object) -> [Affected] {
        guard let old = objects[object.key] else {
            store(object, replacing: nil)
            return [Affected(old: nil, new: object)]
        }
        guard old.uid == object.uid else {
            store(object, replacing: old)
            return [Affected(old: old, new: nil), Affected(old: nil, new: object)]
        }
        guard !isKnown(object, old: old) else { return [] }
        store(object, replacing: old)
        return [Affected(old: old, new: object)]
    }

    /// Takes in that an object is gone. An earlier object of that name says nothing about the one we know.
    mutating func remove(_ object: Object) -> [Affected] {
        guard let old = objects[object.key], old.uid == object.uid else { return [] }
        drop(old)
        return [Affected(old: old, new: nil)]
    }

    /// Takes in a whole list: what it does not hold is gone. Everything that went comes before what came, each by key.
    mutating func replace(with items: [Object]) -> [Affected] {
        let listed = Dictionary(items.map { ($0.key, $0) }, uniquingKeysWith: { _, later in later })
        let gone = objects.values.filter { listed[$0.key]?.uid != $0.uid }.sorted { $0.key < $1.key }
        for old in gone { drop(old) }
        let came = listed.values.sorted { $0.key < $1.key }.flatMap { put($0) }
        return gone.map { Affected(old: $0, new: nil) } + came
    }

    /// Takes in the reply to a write of ours, if the object is still the one that the write was made on.
    ///
    /// A reply at the same version is taken in too: so answers an API server (1.20 was tried) when the write took the
    /// last finalizer off a deleted object, which is gone then.
    mutating func acknowledge(_ written: Object, replacing resourceVersion: String) -> [Affected] {
        guard let old = objects[written.key], old.uid == written.uid, old.resourceVersion == resourceVersion else {
            return []
        }
        var older = superseded[written.key] ?? []
        if written.resourceVersion != resourceVersion {
            older = older.suffix(Self.supersededMax - 1) + [resourceVersion]
        }
        store(written, replacing: old)
        superseded[written.key] = older
        return [Affected(old: old, new: written)]
    }

    /// Whether a state of an object says nothing new: it is the cached one, or one that a write of ours has replaced.
    private mutating func isKnown(_ object: Object, old: Object) -> Bool {
        guard !object.resourceVersion.isEmpty else { return false }
        if object.resourceVersion == old.resourceVersion {
            superseded[object.key] = nil
            return true
        }
        return superseded[object.key]?.contains(object.resourceVersion) ?? false
    }

    private mutating func store(_ object: Object, replacing old: Object?) {
        if let old { drop(old) }
        objects[object.key] = object
        sorted = Memo()
        let values = Set(index(object))
        for value in values { buckets[value, default: Bucket()].add(object.key, having: values, except: value) }
    }

    private mutating func drop(_ object: Object) {
        objects[object.key] = nil
        superseded[object.key] = nil
        sorted = Memo()
        let values = Set(index(object))
        for value in values {
            buckets[value]?.remove(object.key, having: values, except: value)
            if buckets[value]?.keys.isEmpty ?? false { buckets[value] = nil }
        }
    }
}
