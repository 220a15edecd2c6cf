import ControlLoop
import Dispatch
import Glibc
import HTTPTransport
import Operator
import Testing

/// One of our programs as a process of its own, killed with the last reference to it.
///
/// `@unchecked Sendable` holds because everything but the boxes is set once, in `init`.
final class ChildProgram: @unchecked Sendable {
    private struct Output {
        var lines: [String] = []
        var isOver = false
    }

    private let id: pid_t
    private let name: String
    private let output: Locked<Output>
    /// Rung for each line, and at the end.
    private let said: Bell

    struct NotStarted: Error {
        var program: String
        var code: Int32
    }

    struct NeverSaid: Error {
        var words: String
        var lines: [String]
    }

    /// Starts a program that lies beside the tests' own; `variables` come on top of our environment.
    init(_ program: String, _ arguments: [String], variables: [String: String] = [:]) throws {
        let path = try Self.path(of: program)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw NotStarted(program: program, code: errno) }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let texts = ([path] + arguments).map { strdup($0) }
        let environment = variables.map { strdup("\($0.key)=\($0.value)") } + Self.inherited(without: variables)
        defer { for text in texts + environment { free(text) } }
        var id = pid_t()
        let code = posix_spawn(&id, path, &actions, nil, texts + [nil], environment + [nil])
        close(ends[1])
        guard code == 0 else { throw NotStarted(program: program, code: code) }
        let (output, said) = (Locked(Output()), Bell())
        (self.id, name, self.output, self.said) = (id, program, output, said)
        DispatchQueue(label: program).async { [reader = ends[0]] in Self.read(reader, output, said) }
    }

    deinit {
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    func signal(_ signal: Int32) { kill(id, signal) }

    /// The first line that holds the words, or the one in which they are said for so many times, once there is one.
    @discardableResult
    func says(_ words: String, times: Int = 1, within limit: Duration = .seconds(60)) async throws -> String {
        try await line(within: limit, words) { $0.lines.filter { $0.contains(words) }.dropFirst(times - 1).first }
    }

    /// All that it has said so far.
    var lines: [String] { output.withLock { $0.lines } }

    /// Waits for the program's end: its exit code, or minus the signal that ended it.
    func ends(within limit: Duration = .seconds(60)) async throws -> Int32 {
        _ = try await line(within: limit, "its end") { $0.isOver ? "" : nil }
        var status: Int32 = 0
        // Left to be reaped by `deinit`, so that the id stays ours.
        var information = siginfo_t()
        waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT)
        status = information._sifields._sigchld.si_status
        return information.si_code == Int32(CLD_EXITED) ? status : -status
    }

    private func line(
        within limit: Duration, _ words: String, _ find: @Sendable (Output) -> String?
    ) async throws -> String {
        let deadline = Time.live.now() + limit
        while true {
            let heard = said.count
            let (found, isOver) = output.withLock { (find($0), $0.isOver) }
            if let found { return found }
            guard !isOver, Time.live.now() < deadline else {
                throw NeverSaid(words: "\(name): \(words)", lines: output.withLock { $0.lines })
            }
            await said.wait(since: heard, until: deadline, time: .live)
        }
    }

    private static func read(_ file: Int32, _ output: Locked<Output>, _ said: Bell) {
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Glibc.read(file, &piece, piece.count), count > 0 {
            rest += piece[..<count]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeFirst(end + 1)
                output.withLock { $0.lines.append(line) }
            }
            said.ring()
        }
        close(file)
        output.withLock { $0.isOver = true }
        said.ring()
    }

    private static func inherited(without variables: [String: String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies: [UnsafeMutablePointer<CChar>?] = []
        var entry = environ
        while let text = entry.pointee {
            let name = String(cString: text).prefix { $0 != "=" }
            if variables[String(name)] == nil { copies.append(strdup(text)) }
            entry += 1
        }
        return copies
    }

    private static func path(of program: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        var folder = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
        }
        throw NotStarted(program: program, code: ENOENT)
    }
}
