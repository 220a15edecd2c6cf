/// The cache of one kind of object, kept like the API server's own by list and watch.
///
/// The list comes as the beginning of the watch where the server can do that (`+Streaming`), else in pages
/// (`+Listing`); `+Watching` follows what changes afterwards.
///
/// A value without a clock, a task or a connection: `next` names the one request to make, `receive` takes each reply to
/// it and says what changed. A reply that the machine no longer waits for is ignored, so a late one does no harm.
package struct Informer<Object: InformerObject>: Sendable {
    enum State {
        /// Taking in the list that a watch begins with, hidden until complete. Leads to `watching` on the same stream,
        /// to itself when a version is no longer there, to `waiting` when the server is busy or not to be reached, to
        /// `listing` on any other failure.
        case streaming(Streaming)
        /// Going through the pages of a list, hidden until complete. Leads to `watching`; to itself when a version or a
        /// page is no longer there; to `waiting` on any other failure.
        case listing(Listing)
        /// Following changes. Leads to itself when the stream ends, to a list on 410, to `waiting` otherwise.
        case watching(Watching)
        /// Backing off. Leads to `streaming`, `listing` or `watching` when the time has come.
        case waiting(until: Instant, then: Resume)
    }

    /// What a wait leads to.
    enum Resume { case list, watch }

    /// One list under way that comes over a watch; its objects are in `streamed`.
    struct Streaming {
        let request: WatchRequest
        var openedAt: Instant?
    }

    /// One list under way.
    struct Listing {
        /// The page to ask for now.
        var request: ListRequest
        /// The version that page 1 was asked at.
        let requested: String
        /// The version that page 1 came with; it counts for the whole list.
        var version: String?
        var pages: [[Object]] = []
    }

    /// One watch under way.
    struct Watching {
        let timeoutSeconds: Int
        var openedAt: Instant?
        /// Whether it has brought a version that was not known before it.
        var hasProgressed = false
    }

    /// Objects on a page of a list.
    package static var pageSize: Int { 500 }
    /// Silence after which a watch is dead: servers send a bookmark about once a minute.
    package static var idleMax: Duration { .seconds(70) }
    /// Within this, the server is asked to end a watch.
    static var watchSeconds: ClosedRange<Int> { 300...600 }
    /// A watch that ends sooner and has told nothing counts as a failure, or it would be opened again without pause.
    static var watchTimeMin: Duration { .seconds(1) }
    /// The longest that a server's Retry-After is obeyed.
    static var retryAfterMax: Duration { .seconds(300) }

    /// The version of the last complete list or of what the watch brought after it; nil before the first list.
    package internal(set) var resourceVersion: String?
    /// When the server last told something: a page, an accepted watch, a line of it. A dead watch shows by it.
    package internal(set) var lastContact: Instant?

    var state: State
    var cache: ObjectCache<Object>
    /// True once a list was complete.
    package internal(set) var isSynced = false
    /// Whether the server is asked for the list as the beginning of a watch.
    var streamingUse = StreamingUse.asked
    /// By key, what a list over a watch has brought so far. Not part of the state, which is copied at each event.
    var streamed: [String: Object] = [:]
    var random: SeededRandom
    var backoff = CalmingBackoff(
        Backoff(base: .milliseconds(800), max: .seconds(30), jitter: 1), calmTime: .seconds(120))
    /// A version known from an earlier run; the first list must not be older.
    let versionMin: String?
    /// Set when the server no longer has, or not yet, the version we would list at; until a list succeeds.
    var isVersionUnavailable = false
    /// Set when a list at "0" came in pages: there is no watch cache to spare, so further lists are paged too.
    var isPagedByServer = false
    /// 410s in a row on watches that never progressed: the second one waits, or list and watch would chase each other.
    var fruitlessExpiries = 0
    var block: (failure: Failure, during: Resume)?

    /// - Parameters:
    ///   - notOlderThan: a version known from an earlier run, so that a lagging server cannot take us back behind it.
    ///   - index: the index values of an object, for `objects(indexedBy:)`. Must depend on the object alone.
    package init(
        random: SeededRandom, notOlderThan: String? = nil, index: @escaping @Sendable (Object) -> [Object.Index]
    ) {
        self.random = random
        versionMin = notOlderThan.flatMap { $0.isEmpty ? nil : $0 }
        cache = ObjectCache(index: index)
        state = .waiting(until: Instant(nanoseconds: .min), then: .list)
    }

    /// All objects, sorted by key; nil until the first list is complete: nothing is decided on half of the world.
    package var snapshot: [Object]? { isSynced ? cache.all : nil }

    /// The index values that some object has, sorted.
    package var indexValues: [Object.Index] { cache.indexValues }

    /// The CRD is missing or we are not allowed to read: told from the failure on until the same request succeeds.
    /// The cache is kept meanwhile, but it is no ground to decide on.
    package var isBlocked: Failure? { block?.failure }

    /// The other index values of the objects that have this one, sorted.
    package func indexValues(beside value: Object.Index) -> [Object.Index] {
        cache.indexValues(beside: value)
    }

    package func object(_ key: String) -> Object? {
        cache.object(key)
    }

    /// The objects that have this index value, sorted by key.
    package func objects(indexedBy value: Object.Index) -> [Object] {
        cache.objects(indexedBy: value)
    }

    /// Whether the watch that was opened last is still of use. A reader that finds it is not lets go of it and asks for
    /// the next request.
    package var wantsEvents: Bool {
        switch state {
        case .streaming, .watching: true
        case .listing, .waiting: false
        }
    }

    /// Whether a list is asked for over a watch, or coming over it.
    package var isStreaming: Bool {
        if case .streaming = state { true } else { false }
    }

    /// Since when a list has been coming over a watch; nil when none does.
    package var streamingSince: Instant? {
        if case .streaming(let streaming) = state { streaming.openedAt } else { nil }
    }

    /// The one request to make now.
    package mutating func next(now: Instant) -> Request {
        switch state {
        case .waiting(let until, let resume):
            guard now >= until else { return .wait(until: until) }
            if resume == .list { startSync() } else { startWatch() }
            return next(now: now)
        case .streaming(let streaming):
            return .watch(streaming.request)
        case .listing(let listing):
            return .list(listing.request)
        case .watching(let watching):
            let from = resourceVersion ?? ""
            return .watch(WatchRequest(from: from, timeoutSeconds: watching.timeoutSeconds, idle: Self.idleMax))
        }
    }

    /// Takes one reply to the request that `next` named, and says what it changed.
    package mutating func receive(_ reply: Reply, now: Instant) -> [Affected] {
        switch reply {
        case .page(let items, let resourceVersion, let continueToken):
            return receivePage(items, resourceVersion: resourceVersion, continueToken: continueToken, now: now)
        case .opened:
            noteOpened(now: now)
            return []
        case .event(let event):
            if case .streaming = state { return receiveStreamed(event, now: now) }
            return receiveEvent(event, now: now)
        case .closed:
            if case .streaming = state { fallBack(for: .thisTime) } else { endWatch(now: now) }
            return []
        case .failed(let failure):
            switch state {
            case .streaming(let streaming): failStreaming(streaming, failure, now: now)
            case .listing(let listing): failList(listing, failure, now: now)
            case .watching: failWatch(failure, now: now)
            case .waiting: break  // late
            }
            return []
        }
    }

    /// Takes the reply to a write of our own, so that nothing is decided again on the state before it.
    ///
    /// It replaces the cached object only while that has the uid and the version that the write was made on (the write
    /// must carry that version as its precondition). States that the write has replaced are not taken back when a watch
    /// or a list shows them late, and the write's own event changes nothing more.
    package mutating func acknowledge(_ written: Object, replacing resourceVersion: String) -> [Affected] {
        cache.acknowledge(written, replacing: resourceVersion)
    }
}

// MARK: - Starting and failing

extension Informer {
    /// Starts a list in the way that the server is known to take.
    mutating func startSync() {
        if streamingUse == .asked { startStreaming() } else { startList() }
    }

    /// The version that the next list starts at; nil when no version is known, or the known one is of no use.
    var versionToList: String? {
        isVersionUnavailable ? nil : resourceVersion ?? versionMin
    }

    mutating func backOff(then resume: Resume, atLeast retryAfter: Duration? = nil, now: Instant) {
        let delay = max(backoff.failed(now: now, random: &random), min(retryAfter ?? .zero, Self.retryAfterMax))
        state = .waiting(until: now + delay, then: resume)
    }

    mutating func noteContact(now: Instant) {
        lastContact = now
        backoff.succeeded(now: now)
    }

    mutating func unblock(_ request: Resume) {
        if block?.during == request { block = nil }
    }
}
