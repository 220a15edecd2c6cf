import Glibc

/// A program started by a test, killed with the last reference to it.
///
/// `@unchecked Sendable` holds because everything but the boxes is set once, in `init`.
final class TransportChild: @unchecked Sendable {
    let id: pid_t
    /// Every line on standard output and error so far, and whether that was all.
    let output = TransportBox<(lines: [String], isOver: Bool)>(([], false))

    init(_ command: [String]) {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "a pipe can be made")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        // Else it would keep other tests' connections open.
        _ = closeFrom(&actions, 3)
        let arguments = command.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var id = pid_t()
        let code = posix_spawnp(&id, command[0], &actions, nil, arguments + [nil], environ)
        close(ends[1])
        self.id = code == 0 ? id : 0
        let (reader, output) = (ends[0], output)
        transportThread {
            var pending: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(reader, &piece, piece.count)
                guard count > 0 else { break }
                pending += piece[..<count]
                let pieces = pending.split(separator: 10, omittingEmptySubsequences: false)
                pending = Array(pieces.last ?? [])
                let lines = pieces.dropLast().map { String(decoding: $0, as: UTF8.self) }
                output.change { $0.lines += lines }
            }
            close(reader)
            output.change { $0.isOver = true }
        }
    }

    deinit {
        guard id > 0 else { return }
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// True once a line has the word; false when the program ended without one.
    func says(_ word: String) async -> Bool {
        await output.until { output in output.isOver || output.lines.contains { $0.contains(word) } }
        return output.value.lines.contains { $0.contains(word) }
    }

    /// Stops it where it is, and returns once it stands: the system goes on accepting for it, and nobody answers.
    func halt() {
        var status: Int32 = 0
        kill(id, SIGSTOP)
        waitpid(id, &status, WUNTRACED)
    }

    /// Waits for the end of a program that ends by itself.
    static func run(_ command: String...) async {
        let child = TransportChild(command)
        await child.output.until { $0.isOver }
    }

    /// True when the program is installed.
    static func exists(_ program: String) -> Bool {
        ["/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/bin/"].contains {
            access($0 + program, X_OK) == 0
        }
    }
}

/// A folder that goes with its last reference.
final class TransportFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/velokube-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "a folder can be made in /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink(file(name))
            }
            closedir(folder)
        }
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func read(_ name: String) -> [UInt8] {
        guard let handle = fopen(file(name), "rb") else { return [] }
        defer { fclose(handle) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, handle), count > 0 {
            bytes += piece[..<count]
        }
        return bytes
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        guard let handle = fopen(file(name), "wb") else { return }
        fwrite(bytes, 1, bytes.count, handle)
        fclose(handle)
    }
}

/// An authority made for one test, and certificates signed by it.
struct TransportAuthority: Sendable {
    let folder = TransportFolder()

    init() async {
        await TransportChild.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days",
            "2", "-subj", "/CN=test-authority", "-keyout", folder.file("ca.key"), "-out",
            folder.file("ca.pem"))
    }

    var pem: [UInt8] { folder.read("ca.pem") }

    /// Makes `<name>.pem` and `<name>.key`.
    func sign(_ name: String, alternatives: String = "IP:127.0.0.1", days: Int = 2) async {
        folder.write("\(name).ext", Array("subjectAltName=\(alternatives)\n".utf8))
        await TransportChild.run(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj",
            "/CN=\(name)", "-keyout", folder.file("\(name).key"), "-out", folder.file("\(name).csr"))
        await TransportChild.run(
            "openssl", "x509", "-req", "-in", folder.file("\(name).csr"), "-CA", folder.file("ca.pem"),
            "-CAkey",
            folder.file("ca.key"), "-set_serial",
            "\(name.utf8.reduce(7) { ($0 * 31 + Int($1)) % 1_000_003 })", "-days",
            "\(days)", "-extfile", folder.file("\(name).ext"), "-out", folder.file("\(name).pem"))
    }
}

/// nghttpx in front of a scripted server: speaks TLS, HTTP/2 and HTTP/1.1, and names each connection in `Forwarded`.
struct TransportFront: Sendable {
    static let isInstalled = TransportChild.exists("nghttpx") && TransportChild.exists("openssl")

    let port: UInt16
    let child: TransportChild
    let authority: TransportAuthority

    init(
        _ server: TransportServer, authority: TransportAuthority, certificate: String,
        options: [String] = []
    ) async throws {
        // It cannot pick a free port by itself, so another program may take ours first: then once more.
        for _ in 0..<5 {
            let port = TransportServer.freePort()
            let folder = authority.folder
            let child = TransportChild(
                [
                    "nghttpx", "--conf=/dev/null", "--single-process", "--no-ocsp", "-f127.0.0.1,\(port)",
                    "-b127.0.0.1,\(server.port)", "--add-forwarded=for", "--forwarded-for=obfuscated",
                ] + options + [folder.file("\(certificate).key"), folder.file("\(certificate).pem")])
            if await child.says("Listening on") {
                self.port = port
                self.child = child
                self.authority = authority
                return
            }
        }
        throw TransportFrontError.doesNotStart
    }

    enum TransportFrontError: Error { case doesNotStart }

    func url(_ path: String = "/", host: String = "127.0.0.1") -> String {
        "https://\(host):\(port)\(path)"
    }
}

/// glibc has it, but shows it only to C that asks for GNU's extensions.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func closeFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32)
    -> Int32
