import Glibc
import HTTPTransport
import Logging
import Orchestrator

/// How much the program logs, changed for all its loggers at once.
package final class LogLevel: Sendable {
    private let state: Locked<Logger.Level>

    package init(_ level: Logger.Level) {
        state = Locked(level)
    }

    package var value: Logger.Level { state.withLock { $0 } }

    /// Returns whether it was another before.
    package func change(to level: Logger.Level) -> Bool {
        state.withLock { state in
            defer { state = level }
            return state != level
        }
    }
}

/// Writes one line for each event to a sink.
package struct LineLogHandler: LogHandler {
    /// That of this logger alone where it was set; else the program's, which may change while it runs.
    package var logLevel: Logger.Level {
        get { ownLevel ?? level.value }
        set { ownLevel = newValue }
    }
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private var ownLevel: Logger.Level?
    private let level: LogLevel
    private let format: LogFormat
    private let now: @Sendable () -> Int64
    private let sink: @Sendable (_ line: String) -> Void

    /// `now` gives wall-clock milliseconds; the sink gets the line without its end.
    package init(
        format: LogFormat, level: LogLevel, now: @escaping @Sendable () -> Int64,
        sink: @escaping @Sendable (_ line: String) -> Void
    ) {
        self.format = format
        self.level = level
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
