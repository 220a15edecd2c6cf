import BusinessPolicy
import ControlLoop
import HTTPTransport
import Logging
import Orchestrator
import Testing

@testable import Operator

@Suite struct LogTests {
    /// 2026-11-22T20:59:36.123Z
    static let time: Int64 = 1_795_381_176_123

    private struct Refusal: Error, CustomStringConvertible {
        var description: String { "no\nway" }
    }

    private func lines(
        _ format: LogFormat, level: Logger.Level = .info, _ body: (inout Logger) -> Void
    ) -> [String] {
        let sink = Locked<[String]>([])
        var logger = Logger(label: "test") { _ in
            LineLogHandler(format: format, level: LogLevel(level), now: { Self.time }) { line in
                sink.withLock { $0.append(line) }
            }
        }
        body(&logger)
        return sink.withLock { $0 }
    }

    // A text line is time, level, sentence, then the keys in order; values stand in quotes only where they must.
    @Test func textLines() {
        let lines = lines(.text) { logger in
            logger.event(.info, "rule written", [.rule: "shop.web", .profile: "Quick Start Profile", .change: "2"])
            logger.event(.warning, "no details")
            logger.event(.error, "odd", [.error: "", .reason: "a=b", .path: #"c:\d"#, .message: "say \"hi\""])
        }
        #expect(
            lines == [
                #"2026-11-22T20:59:36.123Z info rule written change=2 profile="Quick Start Profile" rule=shop.web"#,
                "2026-11-22T20:59:36.123Z warning no details",
                #"2026-11-22T20:59:36.123Z error odd error="" message="say \"hi\"" path="c:\\d" reason="a=b""#,
            ])
    }

    // Every line of a pass bears its number, so that passes side by side can be told apart; other lines bear none.
    @Test func linesOfAPassBearItsNumber() {
        let lines = lines(.text) { logger in
            let pass = PassScope(number: 17, startedAt: .init(nanoseconds: 0))
            PassScope.$current.withValue(pass) { logger.event(.info, "in it", [.profile: "p"]) }
            logger.event(.info, "after it")
        }
        #expect(
            lines == [
                "2026-11-22T20:59:36.123Z info in it profile=p reconcile=17",
                "2026-11-22T20:59:36.123Z info after it",
            ])
    }

    // One event is one line, whatever a name or message holds: nobody can forge a second one.
    @Test(arguments: LogFormat.allCases)
    func oneEventIsOneLine(format: LogFormat) throws {
        let nasty = "a\nb\rc\td\u{1B}[31m\u{85}\u{2028}\u{2029}\u{0}"
        let lines = lines(format) { logger in
            logger.info("\(nasty)", metadata: [nasty: .string(nasty), "list": [.string(nasty)]])
        }
        #expect(lines.count == 1)
        let controls = lines[0].unicodeScalars.filter {
            [.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }
        switch format {
        case .text: #expect(controls.isEmpty)
        // JSON must escape what is below a space; line separators above are plain characters in it.
        case .json: #expect(controls.allSatisfy { $0.value > 0x7F })
        }
    }

    // A JSON line is one object; numbers and truth values keep their type, and nothing shadows time, level, message.
    @Test func jsonLines() throws {
        let lines = lines(.json) { logger in
            logger.event(
                .info, "rule written",
                [.rule: "shop.web", .change: .stringConvertible(2), .reason: .array(["x", "y\"z"])])
            logger.info(
                "plain", metadata: ["message": "mine", "ok": .stringConvertible(true), "in": ["b": "1", "a": "2"]])
        }
        #expect(
            lines == [
                #"{"time":"2026-11-22T20:59:36.123Z","level":"info","message":"rule written","#
                    + #""change":2,"reason":["x","y\"z"],"rule":"shop.web"}"#,
                #"{"time":"2026-11-22T20:59:36.123Z","level":"info","message":"plain","#
                    + #""in":{"a":"2","b":"1"},"message_":"mine","ok":true}"#,
            ])
        for line in lines { #expect(throws: Never.self) { try JSON.parse(Array(line.utf8)) } }
    }

    // Levels below the one asked for are silent, and a logger's own metadata is overruled by the event's.
    @Test func levelsAndMetadata() {
        let lines = lines(.text, level: .notice) { logger in
            logger[metadataKey: "profile"] = "a"
            logger[metadataKey: "key"] = "k"
            logger.event(.info, "silent")
            logger.event(.notice, "heard", [.profile: "b"])
            logger.logLevel = .debug
            logger.event(.debug, "heard too")
            logger.error("failed", error: Refusal())
        }
        #expect(
            lines.map { $0.split(separator: "Z ")[1] } == [
                "notice heard key=k profile=b", "debug heard too key=k profile=a",
                #"error failed error="no\nway" key=k profile=a"#,
            ])
    }

    // Every key has a name of its own that needs no quotes.
    @Test func keysAreDistinct() {
        #expect(Set(LogKey.allCases.map(\.rawValue)).count == LogKey.allCases.count)
        #expect(LogKey.allCases.allSatisfy { key in key.rawValue.allSatisfy { $0.isLowercase || $0 == "_" } })
    }
}
