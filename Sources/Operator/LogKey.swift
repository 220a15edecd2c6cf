import Logging

/// The keys of what a log line tells besides its sentence. One list, so that a search finds every use of a thing.
package enum LogKey: String, CaseIterable, Sendable {
    // Whose
    case resource
    case kind
    case namespace
    case profile
    case rule
    case version
    /// The number of the pass that the line belongs to, in the order of their beginning.
    case reconcile
    // What
    case reason
    case message
    case expires
    case change
    case error
    case flag
    case resources
    case duration
    // Where
    case address
    case server
    case orchestrator
    case path
    case lease
    case holder
    case method
    case status
}

extension Logger {
    /// Logs a constant sentence, with what varies as metadata under known keys.
    package func event(
        _ level: Logger.Level, _ sentence: StaticString, _ details: [LogKey: Logger.MetadataValue] = [:]
    ) {
        guard logLevel <= level else { return }
        var metadata: Logger.Metadata = [:]
        if let pass = PassScope.current { metadata[LogKey.reconcile.rawValue] = "\(pass.number)" }
        for (key, value) in details { metadata[key.rawValue] = value }
        log(level: level, "\(sentence)", metadata: metadata)
    }
}
