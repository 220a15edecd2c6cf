extension Informer {
    /// Why the last request did not succeed.
    package typealias Failure = InformerFailure

    /// The one thing to do now. Asking again before it is answered gives the same.
    package enum Request: Hashable, Sendable {
        /// Ask for one page of the list; answer with `page` or `failed`.
        case list(ListRequest)
        /// Open a watch; answer with `opened`, any number of `event` while the informer `wantsEvents`, and `closed` or
        /// `failed`.
        case watch(WatchRequest)
        /// Nothing before this time; then ask again.
        case wait(until: Instant)
    }

    /// One page of a list.
    package struct ListRequest: Hashable, Sendable {
        /// `""` asks for the newest state, `"0"` for any, a version for one that is at least as new. Nil on further
        /// pages.
        package var resourceVersion: String?
        /// Objects on a page; nil for all at once.
        package var limit: Int?
        /// Set on further pages: where the page before ended.
        package var continueToken: String?

        package init(resourceVersion: String? = nil, limit: Int? = nil, continueToken: String? = nil) {
            self.resourceVersion = resourceVersion
            self.limit = limit
            self.continueToken = continueToken
        }
    }

    /// One watch, always with bookmarks allowed.
    package struct WatchRequest: Hashable, Sendable {
        /// The version after which events are wanted, or of which the initial state must at least be; then `""` asks
        /// for the newest.
        package var from: String
        /// Whether the watch is to begin with the state of all objects, ended by a bookmark that says so.
        package var sendsInitialEvents: Bool
        /// When the server is to end the stream; drawn at random, so that many watches do not return together.
        package var timeoutSeconds: Int
        /// Silence that lasts longer than this means a dead connection: answer with `failed(.idle)`.
        package var idle: Duration

        package init(from: String, sendsInitialEvents: Bool = false, timeoutSeconds: Int, idle: Duration) {
            self.from = from
            self.sendsInitialEvents = sendsInitialEvents
            self.timeoutSeconds = timeoutSeconds
            self.idle = idle
        }
    }

    /// What came of a request.
    package enum Reply: Sendable {
        /// One page of a list. An empty token is no token.
        case page(items: [Object], resourceVersion: String, continueToken: String?)
        /// The watch was accepted; nothing has come of it yet.
        case opened
        /// One line of the watch.
        case event(Event)
        /// The watch has ended in good order.
        case closed
        /// The request has failed, or a watch has told so as its last event.
        case failed(Failure)
    }

    /// One line of a watch.
    package enum Event: Sendable {
        case added(Object)
        case modified(Object)
        case deleted(Object)
        /// Nothing changed up to this version. It may also say that the initial state is complete.
        case bookmark(resourceVersion: String, endsInitialEvents: Bool = false)
        /// A line that could not be read, or of a type that is not known; skipped. The words are for the caller's log.
        case unreadable(String)
    }

    /// One change of the cache: `old` is nil for what is new, `new` is nil for what is gone.
    package struct Affected: Sendable {
        /// The last that was known of it.
        package var old: Object?
        package var new: Object?

        package init(old: Object?, new: Object?) {
            self.old = old
            self.new = new
        }
    }
}

extension Informer.Affected: Equatable where Object: Equatable {}
extension Informer.Event: Equatable where Object: Equatable {}
extension Informer.Reply: Equatable where Object: Equatable {}
