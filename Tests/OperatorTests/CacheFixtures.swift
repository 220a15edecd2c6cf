import BusinessPolicy
import ControlLoop
import Testing

@testable import Operator

/// Resources, limits and caches that hold them, at a time that stands still.
enum CacheFixtures {
    typealias Resources = Informer<VelocloudBP>.Reply
    typealias Limits = Informer<VelocloudLimit>.Reply

    static let start = Instant(nanoseconds: 0)
    /// When everything that was enqueued at the start can be taken.
    static let later = start + .seconds(1)

    static func resource(
        _ name: String, in namespace: String = "n", profile: String, version: Int = 5, generation: Int = 1,
        observed: Int? = 1, deletedAt: String? = nil, ruleOn place: String? = nil
    ) throws -> VelocloudBP {
        let deletion = deletedAt.map { #","deletionTimestamp":"\#($0)""# } ?? ""
        let rule = place.map { #","rule":{"profile":"\#($0)","segment":"Global Segment","name":"r"}"# } ?? ""
        let status = observed.map { #","status":{"observedGeneration":\#($0)\#(rule)}"# } ?? ""
        let text = #"""
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudBP","metadata":{"name":"\#(name)",
            "namespace":"\#(namespace)","uid":"uid-\#(name)","resourceVersion":"\#(version)",
            "generation":\#(generation),"creationTimestamp":"2026-01-01T00:00:00Z"\#(deletion)},
            "spec":{"profile":"\#(profile)","fqdn":"a.example","dport":80}\#(status)}
            """#
        return try VelocloudBP(json: JSON.parse(Array(text.utf8)))
    }

    static func limit(
        _ name: String = "limit", in namespace: String = "n", version: Int = 5, generation: Int = 1,
        uid: String? = nil, spec: String = #"{"max-rules":3}"#
    ) throws -> VelocloudLimit {
        let text = #"""
            {"apiVersion":"vcn.cloud/v1","kind":"VelocloudLimit","metadata":{"name":"\#(name)",
            "namespace":"\#(namespace)","uid":"\#(uid ?? "uid-\(name)")","resourceVersion":"\#(version)",
            "generation":\#(generation)},"spec":\#(spec)}
            """#
        return try VelocloudLimit(json: JSON.parse(Array(text.utf8)))
    }

    /// A limit without a quota.
    static let bound = #"{"bandwidth-limit":{"maximum":50}}"#

    static func fresh() -> ResourceCache {
        ResourceCache(random: SeededRandom(seed: 1), notOlderThan: nil)
    }

    /// A cache whose first lists held these.
    static func cache(listing resources: [VelocloudBP], _ limits: [VelocloudLimit] = []) -> ResourceCache {
        let cache = fresh()
        #expect(!cache.list(resources))
        #expect(cache.list(limits), "then all is known")
        return cache
    }
}

extension ResourceCache {
    private static var now: Instant { CacheFixtures.start }

    /// Lets a list in pages bring these, the first list or another; true when all is known from then on.
    @discardableResult
    func list<Object: WatchedResource>(_ items: [Object], version: String = "10") -> Bool {
        if isComplete(Object.self) { receive(Informer<Object>.Reply.failed(.gone), now: Self.now) }
        _ = next(Object.self, now: Self.now)
        if informer(\Informer<Object>.isStreaming) {
            receive(Informer<Object>.Reply.failed(.invalid("not known here")), now: Self.now)
        }
        return receive(
            Informer<Object>.Reply.page(items: items, resourceVersion: version, continueToken: nil), now: Self.now)
    }

    /// Takes every profile whose time has come and leaves it done.
    func takeProfiles() -> [String] {
        var keys: [String] = []
        while case .key(let key) = take(now: CacheFixtures.later) { keys.append(key) }
        for key in keys { finish(key, .done, now: Self.now) }
        return keys
    }

    /// Takes every namespace that is to be reported on and leaves it done.
    func takeReports() -> [String] {
        var keys: [String] = []
        while case .key(let key) = takeReport(now: CacheFixtures.later) { keys.append(key) }
        for key in keys { finishReport(key, .done, now: Self.now) }
        return keys
    }
}
