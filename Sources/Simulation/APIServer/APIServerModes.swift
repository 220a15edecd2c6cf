/// How the simulated API server behaves where servers differ, and how it can be made to misbehave.
package struct APIServerModes: Hashable, Sendable {
    /// Whether the CRD of VelocloudBP is there, and if not, how its absence is answered.
    package var crd: CRD = .installed
    /// The same of VelocloudLimit.
    package var limitCRD: CRD = .installed
    /// How a watch from a version that is compacted away is refused.
    package var goneWatch: GoneWatch = .event
    /// Watches can begin with the state of all objects, as on new servers; else that is refused, as on old ones.
    package var servesWatchList = false
    /// A watch hands out what there is and ends, instead of staying open: for runs that go step by step.
    package var endsWatchesAtOnce = false
    /// Watches stay open and bring nothing any more, as over a dead connection.
    package var stallsWatches = false
    /// The largest piece of a watch handed out at once; small ones cut lines in pieces.
    package var watchChunkBytesMax = 64 << 10
    /// Lists at version "0" come from a cache that stands at this version; nil for one that is up to date.
    package var cacheVersion: Int?
    /// The one bearer token that is right; nil takes any request.
    package var token: String?
    /// Calls that are forbidden, by the name under which they are counted, such as `patch velocloudbps/status`.
    package var forbidden: Set<String> = []
    /// Namespaces that are going away: nothing can be made in them.
    package var terminatingNamespaces: Set<String> = []

    package init() {}

    func presence(of kind: SimulatedKind) -> CRD {
        switch kind {
        case .velocloudBP: crd
        case .velocloudLimit: limitCRD
        default: .installed
        }
    }

    /// Whether a CRD is there, and if not, how its absence is answered.
    package enum CRD: String, CaseIterable, Sendable {
        case installed
        /// 404 with the text of Go's HTTP server, as real servers answer for a group they do not know.
        case missing
        /// 404 with a `Status` without details.
        case missingAsStatus = "missing-as-status"
    }

    /// How a watch from a version that is compacted away is refused.
    package enum GoneWatch: String, CaseIterable, Sendable {
        /// 200, and an `ERROR` event with the `Status` in the stream.
        case event
        /// 410 as HTTP status.
        case status
    }
}

/// A fault of the API server, and the calls that it befalls.
package struct APIFault: Hashable, Sendable {
    package var failure: APIFailure
    /// The name under which calls are counted, such as `list velocloudbps`; nil for every call.
    package var call: String?
    /// How many calls it befalls; nil for as many as come.
    package var calls: Int?
    /// Matching calls that pass unharmed first.
    package var skipped: Int

    package init(_ failure: APIFailure, call: String? = nil, calls: Int? = 1, skipping skipped: Int = 0) {
        self.failure = failure
        self.call = call
        self.calls = calls
        self.skipped = skipped
    }
}
