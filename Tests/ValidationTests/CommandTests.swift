import BusinessPolicy
import Glibc
import Testing

/// `velokube validate` as a program.
@Suite struct CommandTests {
    /// What a run of the program left behind.
    struct Ending {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Nothing found: 0 and one line of counts, nothing else.
    @Test func nothingFound() throws {
        let folder = try Folder()
        try folder.write("in/a.yaml", resource("web"))
        try folder.write("limits/l.yaml", limit("l", "dports: [443]"))
        let ending = try run(["-f", "\(folder.path)/in", "--limits", "\(folder.path)/limits"])
        #expect(ending.code == 0)
        #expect(ending.output == "1 VelocloudBP and 1 VelocloudLimit checked: no findings\n")
        #expect(ending.errors.isEmpty)
    }

    /// Findings: 1, a line each on standard output, as editors and CI read them.
    @Test func findings() throws {
        let folder = try Folder()
        let first = try folder.write("a.yaml", "# one\n" + resource("web", "profile: P, fqdn: a.b, dport: 0"))
        let second = try folder.write("b.json", "{\"a\": ")
        let ending = try run(["--filename", first, "--filename", second])
        #expect(ending.code == 1)
        #expect(
            ending.output == """
                \(first):2: shop/web: InvalidSpec: spec.dport 0 is below 1; allowed is a whole number from 1 to 65535
                \(second):1: InvalidYAML: did not find expected node content
                1 VelocloudBP and 0 VelocloudLimit checked: 2 findings

                """)
        #expect(ending.errors.isEmpty)
    }

    /// Limits that are not there would let everything pass: 2. Nothing to check is said, and no failure.
    @Test func nothingToCheck() throws {
        let folder = try Folder()
        try folder.write("limits/other.yaml", "kind: ConfigMap")
        let ending = try run(["-f", "-", "--limits", "\(folder.path)/limits"], input: resource("web"))
        #expect(ending.code == 2 && ending.output.isEmpty)
        #expect(ending.errors == "velokube: there is no VelocloudLimit in \(folder.path)/limits\n")
        let empty = try run(["-f", "-"], input: "")
        #expect(empty.code == 0)
        #expect(empty.errors == "velokube: no VelocloudBP and no VelocloudLimit is in -\n")
    }

    /// Warnings are shown, and are no reason to fail.
    @Test func warnings() throws {
        let spec = "profile: P, fqdn: a.b, dport: 1, service-group: PUBLIC_WIRED"
        let ending = try run(["-f", "-"], input: resource("web", spec))
        #expect(ending.code == 0)
        #expect(ending.output.hasPrefix("-:1: shop/web: Warning: spec.service-group PUBLIC_WIRED has no effect while "))
    }

    /// `-o json`: JSON alone on standard output, with the same exit code.
    @Test func json() throws {
        for (port, code) in [(443, 0), (0, 1)] as [(Int, Int32)] {
            let ending = try run(
                ["-f", "-", "-o", "json", "-n", "shop"],
                input: resource("web", "profile: P, fqdn: a.b, dport: \(port)").replacing(", namespace: shop", with: "")
            )
            #expect(ending.code == code)
            let json = try JSON.parse(Array(ending.output.utf8))
            #expect(json["findings"]?.array?.count == Int(code))
            #expect(code == 0 || json["findings"]?[0]?["namespace"] == "shop")
        }
    }

    /// A file that is too large is a finding, and does not keep the others from being looked at.
    @Test func tooLarge() throws {
        let folder = try Folder()
        try folder.write("a.yaml", String(repeating: "#", count: 16 << 20 | 1))
        try folder.write("b.yaml", resource("web"))
        let ending = try run(["-f", folder.path])
        #expect(ending.code == 1)
        #expect(
            ending.output.hasPrefix(
                "\(folder.path)/a.yaml:1: FileTooLarge: the file is larger than 16 MiB and was not read; split it\n"
            ))
    }

    /// Bad usage: 2, words on standard error and nothing on standard output.
    @Test(arguments: [
        ([], "Missing expected argument '--filename"), (["-f", "/nowhere/at/all"], "/nowhere/at/all: No such file"),
        (["-f", "-", "--limits", "/nowhere/at/all"], "/nowhere/at/all: No such file"),
        (["-f", "-", "-n", "No Such"], "\"No Such\" cannot be the name of a namespace"),
        (["-f", "-", "-o", "yaml"], "'yaml' is invalid"), (["-f", "-", "extra"], "extra"),
    ])
    func badUsage(arguments: [String], words: String) throws {
        let ending = try run(arguments)
        #expect(ending.code == 2)
        #expect(ending.output.isEmpty)
        #expect(ending.errors.contains(words), "\(ending.errors)")
    }

    /// Help tells the exit codes.
    @Test func help() throws {
        let ending = try run(["--help"])
        #expect(ending.code == 0)
        #expect(ending.output.contains("0 no findings but warnings, 1 findings, 2 bad usage or an unreadable path."))
    }

    // MARK: Running it

    private func run(_ arguments: [String], input: String = "") throws -> Ending {
        let folder = try Folder()
        let places = [try folder.write("input", input), folder.path + "/output", folder.path + "/errors"]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, place) in places.enumerated() {
            let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT
            posix_spawn_file_actions_addopen(&actions, Int32(descriptor), place, flags, 0o600)
        }
        let path = try program()
        let texts = ([path, "validate"] + arguments).map { strdup($0) }
        defer { for text in texts { free(text) } }
        var id = pid_t()
        guard posix_spawn(&id, path, &actions, nil, texts + [nil], environ) == 0 else { throw Folder.Failure() }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        return Ending(code: code, output: try folder.read("output"), errors: try folder.read("errors"))
    }

    /// The program lies beside the tests' own, or above it.
    private func program() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        var folder = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if access("\(folder)/velokube", X_OK) == 0 { return "\(folder)/velokube" }
        }
        throw Folder.Failure(code: ENOENT)
    }
}
