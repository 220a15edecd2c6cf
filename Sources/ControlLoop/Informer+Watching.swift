/// What changes after the list.
extension Informer {
    mutating func startWatch() {
        state = .watching(Watching(timeoutSeconds: .random(in: Self.watchSeconds, using: &random)))
    }

    mutating func noteOpened(now: Instant) {
        switch state {
        case .streaming(var streaming):
            noteContact(now: now)
            streaming.openedAt = streaming.openedAt ?? now
            state = .streaming(streaming)
        case .watching(var watching):
            noteContact(now: now)
            unblock(.watch)
            watching.openedAt = watching.openedAt ?? now
            state = .watching(watching)
        case .listing, .waiting: break  // late
        }
    }

    mutating func receiveEvent(_ event: Event, now: Instant) -> [Affected] {
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
        case .bookmark(let version, _):
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
    mutating func endWatch(now: Instant) {
        guard case .watching(let watching) = state else { return }  // late
        let isShort = watching.openedAt.map { now.since($0) < Self.watchTimeMin } ?? true
        if isShort && !watching.hasProgressed { backOff(then: .watch, now: now) } else { startWatch() }
    }

    mutating func failWatch(_ failure: Failure, now: Instant) {
        switch failure {
        case .gone, .expired, .resourceVersionTooLarge:
            fruitlessExpiries += 1
            if fruitlessExpiries > 1 { backOff(then: .list, now: now) } else { startSync() }
        case .notFound, .forbidden:
            block = (failure, .watch)
            backOff(then: .list, now: now)
        case .tooManyRequests(let retryAfter):
            backOff(then: .watch, atLeast: retryAfter, now: now)
        case .unreachable, .unauthorized:
            backOff(then: .watch, now: now)
        case .idle:
            endWatch(now: now)
        case .serverError, .invalid, .other:
            backOff(then: .list, now: now)
        }
    }
}
