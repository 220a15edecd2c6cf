import Glibc
import HTTPTransport
import Logging
import Orchestrator

/// Writes one line for each event to a sink.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let format: LogFormat
    private let now: @Sendable () -> Int64
    private let sink: @Sendable (_ line: String) -> Void

    /// `now` gives wall-clock milliseconds; the sink gets the line without its end.
    package init(
        format: LogFormat, level: Logger.Level, now: @escaping @Sendable () -> Int64,
        sink: @escaping @Sendable (_ line: String) -> Void
    ) {
        self.format = format
        self.logLevel = level
        self.now = now
        self.sink = sink
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the event; swift-log has already compared its level.
    package func log(event: LogEvent) {
        // The nearer to the event, the stronger.
        var details = metadataProvider?.get() ?? [:]
        details.merge(metadata) { $1 }
        if let error = event.error { details[LogKey.error.rawValue] = "\(error)" }
        details.merge(event.metadata ?? [:]) { $1 }
        sink(
            format.line(
                wallMilliseconds: now(), level: event.level, message: event.message.description, details: details))
    }
}

extension LineLogHandler {
    /// A sink that writes whole lines to standard error.
    ///
    /// Lines longer than a pipe's atomic size would mix if two threads wrote at once, hence the lock. What cannot be
    /// written is dropped: a log that nobody reads must not stop the work.
    package static func standardError() -> @Sendable (_ line: String) -> Void {
        let lock = Locked(())
        return { line in
            let bytes = Array((line + "\n").utf8)
            lock.withLock { _ in
                var start = 0
                while start < bytes.count {
                    let written = bytes[start...].withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
                    if written < 0 && errno == EINTR { continue }
                    guard written > 0 else { return }
                    start += written
                }
            }
        }
    }
}
