import Logging

/// The keys of what a log line tells besides its sentence. One list, so that a search finds every use of a thing.
package enum LogKey: String, CaseIterable, Sendable {
    // Whose
    case resource
    case namespace
    case uid
    case generation
    case profile
    case profileID = "profile_id"
    case segment
    case rule
    case module
    case version
    // What
    case kind
    case condition
    case reason
    case message
    case change
    case changes
    case difference
    case refusals
    case finalizers
    case statuses
    case error
    case flag
    case holder
    case resources
    case rules
    case deletions
    case allowed
    // Where
    case address
    case server
    case orchestrator
    case path
    case method
    case result
    case status
    // When
    case attempt
    case wait
    case duration
    case interval
    case signal
}

extension Logger {
    /// Logs a constant sentence, with what varies as metadata under known keys.
    package func event(
        _ level: Logger.Level, _ sentence: StaticString, _ details: [LogKey: Logger.MetadataValue] = [:]
    ) {
        guard logLevel <= level else { return }
        var metadata: Logger.Metadata = [:]
        for (key, value) in details { metadata[key.rawValue] = value }
        log(level: level, "\(sentence)", metadata: metadata)
    }
}
