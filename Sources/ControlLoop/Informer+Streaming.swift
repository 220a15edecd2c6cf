/// The list as the beginning of a watch: one request instead of pages and a watch, and no large reply on either side.
///
/// Servers from 1.27 on may know it (`sendInitialEvents`), from 1.32 or 1.34 on they do. One of 1.19 to 1.26 refuses
/// the request as invalid. An older one opens an ordinary watch, which shows within about a minute by a bookmark that
/// does not end the list (where it is known, it is the first bookmark that does), or by silence. A list in pages is
/// always right instead, so in doubt that is made.
extension Informer {
    /// Whether the server is asked for the list as the beginning of a watch.
    enum StreamingUse {
        /// It is: leads to one of the others when the server does not do it.
        case asked
        /// It failed for a reason that may pass. Leads to `asked` when a list in pages has succeeded.
        case thisTimeNot
        /// The server does not know it.
        case never
    }

    /// For how long a list in pages is made instead.
    enum FallBack { case thisTime, good }

    mutating func startStreaming() {
        let request = WatchRequest(
            from: versionToList ?? "", sendsInitialEvents: true,
            timeoutSeconds: .random(in: Self.watchSeconds, using: &random), idle: Self.idleMax)
        streamed = [:]
        state = .streaming(Streaming(request: request))
    }

    mutating func receiveStreamed(_ event: Event, now: Instant) -> [Affected] {
        noteOpened(now: now)
        switch event {
        case .added(let object), .modified(let object):
            streamed[object.key] = object
        case .deleted(let object):
            streamed[object.key] = nil
        case .bookmark(let version, let endsInitialEvents):
            guard endsInitialEvents else {
                fallBack(for: .good)
                return []
            }
            return completeStreaming(version: version)
        case .unreadable:
            break
        }
        return []
    }

    private mutating func completeStreaming(version: String) -> [Affected] {
        guard case .streaming(let streaming) = state else { return [] }
        let items = Array(streamed.values)
        streamed = [:]
        block = nil
        state = .watching(
            Watching(
                timeoutSeconds: streaming.request.timeoutSeconds, openedAt: streaming.openedAt, hasProgressed: true))
        return complete(items, version: version)
    }

    mutating func fallBack(for time: FallBack) {
        switch time {
        case .thisTime: streamingUse = .thisTimeNot
        case .good: streamingUse = .never
        }
        streamed = [:]
        startList()
    }

    mutating func failStreaming(_ streaming: Streaming, _ failure: Failure, now: Instant) {
        streamed = [:]
        switch failure {
        case .gone, .expired, .resourceVersionTooLarge:
            if streaming.request.from.isEmpty {
                backOff(then: .list, now: now)
            } else {
                isVersionUnavailable = true
                startStreaming()
            }
        case .tooManyRequests(let retryAfter):
            backOff(then: .list, atLeast: retryAfter, now: now)
        case .unreachable:
            backOff(then: .list, now: now)
        case .invalid:
            fallBack(for: .good)
        case .idle:
            fallBack(for: streaming.openedAt == nil ? .thisTime : .good)
        case .notFound, .forbidden, .unauthorized, .serverError, .other:
            fallBack(for: .thisTime)
        }
    }
}
