import ControlLoop

/// A small object to cache: who it is, which version, and what it says.
struct Thing: InformerObject, Hashable {
    var key: String
    var uid: String
    var resourceVersion: String
    var generation = 1
    var groups: [String] = ["g"]

    init(_ key: String, uid: String? = nil, _ resourceVersion: String, generation: Int = 1, groups: [String] = ["g"]) {
        self.key = key
        self.uid = uid ?? "uid-of-\(key)"
        self.resourceVersion = resourceVersion
        self.generation = generation
        self.groups = groups
    }
}

typealias Affected = Informer<Thing>.Affected

/// The instant so many seconds after the origin of the test's clock.
func at(_ seconds: Double) -> Instant {
    Instant(nanoseconds: Int64(seconds * 1_000_000_000))
}

extension Informer {
    /// The same on a server that does not begin a watch with a list.
    func listingInPages() -> Self {
        var informer = self
        _ = informer.next(now: at(0))
        _ = informer.receive(.failed(.invalid("sendInitialEvents is forbidden for watch")), now: at(0))
        return informer
    }
}

extension Informer<Thing> {
    /// One that has asked nothing yet.
    static func fresh(seed: UInt64 = 1) -> Self {
        Informer(random: SeededRandom(seed: seed), index: { $0.groups })
    }

    /// One that has listed these things at the time 0 and has its watch accepted.
    static func watching(_ things: [Thing] = [], version: String = "10", seed: UInt64 = 1) -> Self {
        var informer = fresh(seed: seed).listingInPages()
        _ = informer.next(now: at(0))
        _ = informer.receive(.page(items: things, resourceVersion: version, continueToken: nil), now: at(0))
        _ = informer.next(now: at(0))
        _ = informer.receive(.opened, now: at(0))
        return informer
    }

    /// The list it asks for now, if it does.
    mutating func listNow(_ now: Instant) -> ListRequest? {
        if case .list(let request) = next(now: now) { request } else { nil }
    }

    /// The watch it asks for now, if it does.
    mutating func watchNow(_ now: Instant) -> WatchRequest? {
        if case .watch(let request) = next(now: now) { request } else { nil }
    }

    /// How long it wants to wait, if it does.
    mutating func pause(_ now: Instant) -> Duration? {
        if case .wait(let until) = next(now: now) { until.since(now) } else { nil }
    }

    /// Lets it wait as long as it wants to; gives the time then.
    mutating func waited(_ now: Instant) -> Instant {
        now + (pause(now) ?? .zero)
    }
}
