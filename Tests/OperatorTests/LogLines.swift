import ControlLoop
import HTTPTransport
import Logging
import Operator

/// Collects what a controller logs, as lines of text.
final class LogLines: Sendable {
    private let lines = Locked<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    /// A logger for a run of `world`, whose waiting tests look again at each line.
    func logger(of world: World) -> Logger {
        Logger(label: "test") { [lines] _ in
            LineLogHandler(format: .text, level: LogLevel(.info), now: world.clock.time.wallMilliseconds) { line in
                lines.withLock { $0.append(line) }
                world.look()
            }
        }
    }
}
