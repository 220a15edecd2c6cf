/// The cache of one kind of object, kept like the API server's own by list and watch.
///
/// A value without a clock, a task or a connection: `next` names the one request to make, `receive` takes each reply to
/// it and says what changed. A reply that the machine no longer waits for is ignored, so a late one does no harm.
package struct Informer<Object: InformerObject>: Sendable {
    private enum State {
        /// Going through the pages of a list, hidden until complete. Leads to `watching`; to itself when a version or a
        /// page is no longer there; to `waiting` on any other failure.
        case listing(Listing)
        /// Following changes. Leads to itself when the stream ends, to `listing` on 410, to `waiting` otherwise.
        case watching(Watching)
        /// Backing off. Leads to `listing` or `watching` when the time has come.
        case waiting(until: Instant, then: Resume)
    }

    /// What a wait leads to.
    private enum Resume { case list, watch }

    /// One list under way.
    private struct Listing {
        /// The page to ask for now.
        var request: ListRequest
        /// The version that page 1 was asked at.
        let requested: String
        /// The version that page 1 came with; it counts for the whole list.
        var version: String?
        var pages: [[Object]] = []
    }

    /// One watch under way.
    private struct Watching {
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
    private static var watchSeconds: ClosedRange<Int> { 300...600 }
    /// A watch that ends sooner and has told nothing counts as a failure, or it would be opened again without pause.
    private static var watchTimeMin: Duration { .seconds(1) }
    /// The longest that a server's Retry-After is obeyed.
    private static var retryAfterMax: Duration { .seconds(300) }

    /// The version of the last complete list or of what the watch brought after it; nil before the first list.
    package private(set) var resourceVersion: String?
    /// When the server last told something: a page, an accepted watch, a line of it. A dead watch shows by it.
    package private(set) var lastContact: Instant?

    private var state: State
    private var cache: ObjectCache<Object>
    package private(set) var isSynced = false
    private var random: SeededRandom
    private var backoff = CalmingBackoff(
        Backoff(base: .milliseconds(800), max: .seconds(30), jitter: 1), calmTime: .seconds(120))
    /// What the next first page is asked at when nothing was listed before.
    private let versionMin: String
    /// Set when the server no longer has, or not yet, the version we would list at; until a list succeeds.
    private var isVersionUnavailable = false
    /// Set when a list at "0" came in pages: there is no watch cache to spare, so further lists are paged too.
    private var isPagedByServer = false
    /// 410s in a row on watches that never progressed: the second one waits, or list and watch would chase each other.
    private var fruitlessExpiries = 0
    private var block: (failure: Failure, during: Resume)?

    /// - Parameters:
    ///   - notOlderThan: a version known from an earlier run, so that a lagging server cannot take us back behind it.
    ///   - index: the index values of an object, for `objects(indexedBy:)`. Must depend on the object alone.
    package init(random: SeededRandom, notOlderThan: String? = nil, index: @escaping @Sendable (Object) -> [String]) {
        self.random = random
        versionMin = if let notOlderThan, !notOlderThan.isEmpty { notOlderThan } else { "0" }
        cache = ObjectCache(index: index)
        state = .waiting(until: Instant(nanoseconds: .min), then: .list)
    }

    /// All objects, sorted by key; nil until the first list is complete: nothing is decided on half of the world.
    package var snapshot: [Object]? { isSynced ? cache.all : nil }

    /// The index values that some object has, sorted.
    package var indexValues: [String] { cache.indexValues }

    /// The CRD is missing or we are not allowed to read: told from the failure on until the same request succeeds.
    /// The cache is kept meanwhile, but it is no ground to decide on.
    package var isBlocked: Failure? { block?.failure }

    package func object(_ key: String) -> Object? {
        cache.object(key)
    }

    /// The objects that have this index value, sorted by key.
    package func objects(indexedBy value: String) -> [Object] {
        cache.objects(indexedBy: value)
    }

    /// The one request to make now.
    package mutating func next(now: Instant) -> Request {
        switch state {
        case .waiting(let until, let resume):
            guard now >= until else { return .wait(until: until) }
            if resume == .list { startList() } else { startWatch() }
            return next(now: now)
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
            return receiveEvent(event, now: now)
        case .closed:
            endWatch(now: now)
            return []
        case .failed(let failure):
            switch state {
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

// MARK: - Listing

extension Informer {
    private mutating func startList() {
        let version = isVersionUnavailable ? "" : resourceVersion ?? versionMin
        // A limit on a list at a version makes old servers read etcd instead of their watch cache.
        let isPaged = isPagedByServer || version.isEmpty || version == "0"
        let request = ListRequest(resourceVersion: version, limit: isPaged ? Self.pageSize : nil)
        state = .listing(Listing(request: request, requested: version))
    }

    private mutating func receivePage(
        _ items: [Object], resourceVersion version: String, continueToken: String?, now: Instant
    ) -> [Affected] {
        guard case .listing(var listing) = state else { return [] }  // late
        noteContact(now: now)
        listing.pages.append(items)
        listing.version = listing.version ?? version
        if let token = continueToken, !token.isEmpty {
            guard token != listing.request.continueToken else {
                backOff(then: .list, now: now)  // the server goes in circles
                return []
            }
            listing.request = ListRequest(limit: Self.pageSize, continueToken: token)
            state = .listing(listing)
            return []
        }
        return completeList(listing)
    }

    private mutating func completeList(_ listing: Listing) -> [Affected] {
        resourceVersion = listing.version
        isSynced = true
        isVersionUnavailable = false
        isPagedByServer = isPagedByServer || (listing.requested == "0" && listing.pages.count > 1)
        unblock(.list)
        startWatch()
        return cache.replace(with: Array(listing.pages.joined()))
    }

    private mutating func failList(_ listing: Listing, _ failure: Failure, now: Instant) {
        switch failure {
        case .gone, .expired, .resourceVersionTooLarge:
            if listing.request.continueToken != nil {
                let request = ListRequest(resourceVersion: listing.requested)
                state = .listing(Listing(request: request, requested: listing.requested))
            } else if listing.requested.isEmpty {
                backOff(then: .list, now: now)
            } else {
                isVersionUnavailable = true
                startList()
            }
        case .notFound, .forbidden:
            block = (failure, .list)
            backOff(then: .list, now: now)
        case .tooManyRequests(let retryAfter):
            backOff(then: .list, atLeast: retryAfter, now: now)
        case .unreachable, .serverError, .unauthorized, .idle, .other:
            backOff(then: .list, now: now)
        }
    }
}

// MARK: - Watching

extension Informer {
    private mutating func startWatch() {
        state = .watching(Watching(timeoutSeconds: .random(in: Self.watchSeconds, using: &random)))
    }

    private mutating func noteOpened(now: Instant) {
        guard case .watching(var watching) = state else { return }  // late
        noteContact(now: now)
        unblock(.watch)
        watching.openedAt = watching.openedAt ?? now
        state = .watching(watching)
    }

    private mutating func receiveEvent(_ event: Event, now: Instant) -> [Affected] {
        guard case .watching = state else { return [] }  // late
        noteOpened(now: now)
        switch event {
        case .added(let object):
            // A watch from no version starts with all objects in any order: none of them is a place to go on from.
            if let resourceVersion, !resourceVersion.isEmpty, resourceVersion != "0" {
                advance(to: object.resourceVersion)
            }
            return cache.put(object)
        case .modified(let object):
            advance(to: object.resourceVersion)
            return cache.put(object)
        case .deleted(let object):
            advance(to: object.resourceVersion)
            return cache.remove(object)
        case .bookmark(let version):
            advance(to: version)
            return []
        case .unreadable:
            return []
        }
    }

    private mutating func advance(to version: String) {
        guard case .watching(var watching) = state, !version.isEmpty, version != resourceVersion else { return }
        resourceVersion = version
        fruitlessExpiries = 0
        watching.hasProgressed = true
        state = .watching(watching)
    }

    /// The stream is over without anything wrong: go on from the last version.
    private mutating func endWatch(now: Instant) {
        guard case .watching(let watching) = state else { return }  // late
        let isShort = watching.openedAt.map { now.since($0) < Self.watchTimeMin } ?? true
        if isShort && !watching.hasProgressed { backOff(then: .watch, now: now) } else { startWatch() }
    }

    private mutating func failWatch(_ failure: Failure, now: Instant) {
        switch failure {
        case .gone, .expired, .resourceVersionTooLarge:
            fruitlessExpiries += 1
            if fruitlessExpiries > 1 { backOff(then: .list, now: now) } else { startList() }
        case .notFound, .forbidden:
            block = (failure, .watch)
            backOff(then: .list, now: now)
        case .tooManyRequests(let retryAfter):
            backOff(then: .watch, atLeast: retryAfter, now: now)
        case .unreachable, .unauthorized:
            backOff(then: .watch, now: now)
        case .idle:
            endWatch(now: now)
        case .serverError, .other:
            backOff(then: .list, now: now)
        }
    }
}

// MARK: - Failing

extension Informer {
    private mutating func backOff(then resume: Resume, atLeast retryAfter: Duration? = nil, now: Instant) {
        let delay = max(backoff.failed(now: now, random: &random), min(retryAfter ?? .zero, Self.retryAfterMax))
        state = .waiting(until: now + delay, then: resume)
    }

    private mutating func noteContact(now: Instant) {
        lastContact = now
        backoff.succeeded(now: now)
    }

    private mutating func unblock(_ request: Resume) {
        if block?.during == request { block = nil }
    }
}
