import Glibc
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// The program as a user has it: a process, a port, a socket.
@Suite(.serialized) struct ProgramTests {
    private static let update = "configuration/updateConfigurationModule"

    /// It prints where it listens, serves calls and control, drops connections before and after the work, and ends on
    /// SIGTERM.
    @Test func servesAndDrops() throws {
        let program = try Program("vco", "--listen", "127.0.0.1:0", "--mode", "no-data=null")
        let port = try program.port()
        let version = try HTTPExchange(port, "POST", "/portal/rest/system/getVersionInfo", "{}")
        #expect(version.status == 200 && version.json["version"]?.string == "5.2.0.0")
        let modules = "{\"configurationId\":101,\"modules\":\"QOS\",\"noData\":true}"
        let read = try HTTPExchange(port, "POST", "/portal/rest/configuration/getConfigurationModules", modules)
        #expect(read.json[0]?["data"] == .null)

        let write = "{\"id\":503,\"_update\":{\"data\":\(Portal.document(Portal.rule("seen", port: 80)))}}"
        for (fault, rules) in [("drop-before", 5), ("drop-after", 2)] {
            let set = try HTTPExchange(
                port, "POST", "/sim/faults", "{\"fault\":\"\(fault)\",\"method\":\"\(Self.update)\"}")
            #expect(set.status == 200)
            let dropped = try HTTPExchange(port, "POST", "/portal/rest/\(Self.update)", write)
            #expect(dropped.bytes.isEmpty && dropped.status == nil)
            #expect(try HTTPExchange(port, "GET", "/sim/rules", "").json.array?.count == rules)
        }
        #expect(try HTTPExchange(port, "GET", "/sim/rules?profile=101", "").json[0]?["dport_low"]?.int == 80)
        let calls = try HTTPExchange(port, "GET", "/sim/calls", "").json
        #expect(calls["counts"]?[Self.update]?.int == 2 && calls["effects"]?[Self.update]?.int == 1)
        #expect(try HTTPExchange(port, "GET", "/", "").text.contains("A simulated VeloCloud Orchestrator"))
        #expect(try HTTPExchange(port, "GET", "/portal/rest/system/getVersionInfo", "").status == 405)
        #expect(program.end(SIGTERM) == 0)
    }

    /// A document of many megabytes is taken, and comes back as it was.
    @Test func takesLargeDocuments() throws {
        let program = try Program("vco", "--token", "secret")
        let port = try program.port()
        let rules = (0..<3000).map { Portal.rule("rule-\($0)-" + String(repeating: "x", count: 1000), id: "i\($0)") }
        let document = "{\"segments\":[{\"segment\":{},\"rules\":[\(rules.joined(separator: ","))]}]}"
        let body = "{\"id\":503,\"_update\":{\"data\":\(document)}}"
        #expect(try HTTPExchange(port, "POST", "/portal/rest/\(Self.update)", body).status == 401)
        let reply = try HTTPExchange(port, "POST", "/portal/rest/\(Self.update)", body, token: "secret")
        #expect(reply.text.hasSuffix("{\"rows\":1}"))
        let query = "{\"configurationId\":101,\"modules\":[\"QOS\"]}"
        let path = "/portal/rest/configuration/getConfigurationModules"
        let read = try HTTPExchange(port, "POST", path, query, token: "secret")
        #expect(read.text.contains("\"data\":\(document)"))
        #expect(program.end(SIGTERM) == 0)
    }

    /// Wrong usage ends with 2 and says what is right; help ends with 0 and names the control endpoint.
    @Test(arguments: [
        (["vco", "--mode", "odd=1"], 2, "no mode odd"), (["vco", "--mode", "odd"], 2, "name=value"),
        (["vco", "--fault", "{\"fault\":\"odd\"}"], 2, "drop-after"),
        (["vco", "--listen", "nowhere"], 2, "address:port"),
        (["kube", "--listen", "0.0.0.0:0"], 2, "this machine alone"), (["kube", "--help"], 0, "/sim/kube/compact"),
        (["kube", "--kubeconfig-out", "/nowhere/file"], 1, "cannot write /nowhere/file"),
        (["cook"], 2, "Usage"), (["vco", "--help"], 0, "POST   /sim/edit"), (["--help"], 0, "vco"),
    ])
    func usage(arguments: [String], code: Int32, words: String) throws {
        let program = try Program(arguments)
        let text = program.output()
        #expect(program.end(nil) == code)
        #expect(text.contains(words), "\(text)")
    }

    /// A port that somebody else has ends it with 1, and the message names the address.
    @Test func occupiedPorts() throws {
        let first = try Program("vco")
        let address = "127.0.0.1:\(try first.port())"
        let second = try Program("vco", "--listen", address)
        let text = second.output()
        #expect(second.end(nil) == 1)
        #expect(text.contains("cannot listen on \(address)"), "\(text)")
    }
}

/// A started `velokube-sim`; it is killed when it is dropped.
final class Program {
    private var pid: pid_t = 0
    private let pipe: Int32

    struct NotBuilt: Error, CustomStringConvertible {
        var description: String { "velokube-sim stands in no folder above the tests; run `swift build` first" }
    }

    struct NotStarted: Error { var code: Int32 }

    convenience init(_ arguments: String...) throws {
        try self.init(arguments)
    }

    convenience init(_ arguments: [String]) throws {
        try self.init(path: Self.path(), arguments)
    }

    init(path: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw NotStarted(code: errno) }
        pipe = ends[0]
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let texts = ([path] + arguments).map { strdup($0) }
        defer { for text in texts { free(text) } }
        let code = posix_spawn(&pid, path, &actions, nil, texts + [nil], environ)
        close(ends[1])
        guard code == 0 else { throw NotStarted(code: code) }
    }

    deinit {
        _ = end(SIGKILL)
        close(pipe)
    }

    /// The next line that it prints.
    func line() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(pipe, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    /// The port in its first line.
    func port() throws -> UInt16 {
        let text = line()
        let port = text.split(separator: ":").last.flatMap { UInt16($0) }
        return try #require(text.hasPrefix("listening on http://127.0.0.1:") ? port : nil, "\(text)")
    }

    /// Everything that it prints until it ends.
    func output() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(pipe, &chunk, chunk.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// Sends a signal, waits for the end, and returns the exit code; minus the signal if that ended it.
    func end(_ signal: Int32?) -> Int32 {
        guard pid > 0 else { return 0 }
        if let signal { kill(pid, signal) }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        pid = 0
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
    }

    /// The program lies beside the tests' own.
    private static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        var folder = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if access(folder + "/velokube-sim", X_OK) == 0 { return folder + "/velokube-sim" }
        }
        throw NotBuilt()
    }
}

/// One request over a connection of its own, and every byte that came back.
struct HTTPExchange {
    var bytes: [UInt8]

    struct Failed: Error {
        var step: String
        var code: Int32
    }

    init(_ port: UInt16, _ method: String, _ target: String, _ body: String, token: String = "t") throws {
        try self.init(port, method, target, body, authorization: "Token \(token)")
    }

    init(_ port: UInt16, _ method: String, _ target: String, _ body: String, authorization: String?) throws {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { throw Failed(step: "socket", code: errno) }
        defer { close(file) }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failed(step: "connect", code: errno) }
        let head =
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
            + (authorization.map { "Authorization: \($0)\r\n" } ?? "")
            + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        var rest = Array((head + body).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failed(step: "send", code: errno) }
            rest = rest.dropFirst(count)
        }
        bytes = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(file, &chunk, chunk.count, 0)
            if count < 0 { throw Failed(step: "recv", code: errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var status: Int? { text.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
    var json: JSON {
        let separator = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else { return .null }
        return (try? JSON.parse(Array(bytes[(end + 4)...]))) ?? .string("not JSON: \(text)")
    }
}
