import BusinessPolicy
import Glibc
import HTTPTransport
import Logging
import Operator
import Testing

/// What changes under a running velokube and needs no restart, and the word that a token is about to run out.
@Suite struct RotationTests {
    // Made with `exp` as the name says; the signature is nobody's.
    private static let header = "eyJhbGciOiJIUzI1NiJ9"

    private static func token(_ payload: String) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var (text, bits, count): ([UInt8], UInt32, UInt32) = ([], 0, 0)
        for byte in payload.utf8 {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 6 {
                count -= 6
                text.append(digits[Int(bits >> count & 63)])
            }
        }
        if count > 0 { text.append(digits[Int(bits << (6 - count) & 63)]) }
        return "\(header).\(String(decoding: text, as: UTF8.self)).c2lnbmF0dXJl"
    }

    @Test(
        arguments: [
            (#"{"tokenUuid":"x","exp":1767225600000,"iat":1735689600000}"#, 1_767_225_600),
            (#"{"sub":"a?b>c","exp":1767225600}"#, 1_767_225_600), (#"{"exp":1767225600.5}"#, 1_767_225_600),
            (#"{"exp":"1767225600"}"#, nil), (#"{"iat":1}"#, nil), (#"{"exp":-5}"#, nil), (#"{"exp":1e300}"#, nil),
            ("[1]", nil), ("not JSON", nil), ("", nil),
        ] as [(String, Int64?)])
    func expiry(payload: String, expected: Int64?) {
        #expect(TokenExpiry.seconds(of: Self.token(payload)) == expected)
    }

    @Test(arguments: ["", "opaque", "a.b", "a.b.c", "a.!!!!.c", "..", "a.b.c.d"])
    func opaqueTokens(token: String) {
        #expect(TokenExpiry.seconds(of: token) == nil)
    }

    /// Once for each token; then daily from 30 days before, and louder from three.
    @Test func whenItIsSaid() {
        let day: Int64 = 86_400
        let end = 1000 * day
        var expiry = TokenExpiry()
        #expect(expiry.notice(expiry: end, now: end - 100 * day) == .info)
        #expect(expiry.notice(expiry: end, now: end - 99 * day) == nil)
        #expect(expiry.notice(expiry: end, now: end - 30 * day + 1) == .warning)
        #expect(expiry.notice(expiry: end, now: end - 30 * day + 5) == nil)
        #expect(expiry.notice(expiry: end, now: end - 29 * day + 5) == .warning)
        #expect(expiry.notice(expiry: end, now: end - 3 * day + 1) == .error)
        #expect(expiry.notice(expiry: end, now: end + day) == .error)
        #expect(expiry.notice(expiry: end + 400 * day, now: end + day) == .info)
    }

    /// The built program: a kubeconfig without rights is replaced, the log level follows its file, a new VCO token is
    /// told, and nothing of any token is.
    @Test func programFollowsItsFiles() async throws {
        let cluster = try await RealCluster(namespace: "rotation")
        let vco = try ChildProgram("velokube-sim", ["vco"])
        let url = try #require(try await vco.says("listening on").split(separator: " ").last.map(String.init))
        let folder = try Folder([
            "kubeconfig", "token", "level", "ledger.db", "ledger.db-wal", "ledger.db-shm",
            "ledger.db.lock",
        ])
        try await cluster.kubectl("create serviceaccount nobody -n \(cluster.namespace)")
        let powerless = try await cluster.kubectl("create token nobody -n \(cluster.namespace)").filter {
            !$0.isNewline
        }
        let admin = try await cluster.kubectl("config view --raw --minify --flatten -o json")
        let mine = try #require(
            try JSON.parse(Array(admin.utf8))["users"]?.array?.first?["user"]?["token"]?.string)
        try folder.write(admin.replacing(mine, with: powerless), to: "kubeconfig")
        try folder.write(Self.token(#"{"exp":4102444800000}"#), to: "token")
        let velokube = try ChildProgram(
            "velokube",
            [
                "run", "--kubeconfig", folder.path("kubeconfig"), "--namespace", cluster.namespace, "--vco-url", url,
                "--vco-token-file", folder.path("token"), "--state", folder.path("ledger.db"), "--listen",
                "127.0.0.1:0", "--log-level-file", folder.path("level"),
            ])
        let address = try await velokube.says("listening address=").split(separator: "=").last.map(String.init)
        try await velokube.says("The VCO's token runs out expires=2100-01-01T00:00:00Z")
        try await velokube.says("403 Forbidden")
        try await cluster.kubectl("create -f -", input: cluster.manifest(["web"]))

        try folder.write(admin, to: "kubeconfig")
        try folder.write("debug\n", to: "level")
        try folder.write(Self.token(#"{"exp":4133980800}"#), to: "token")
        velokube.signal(SIGHUP)
        try await velokube.says("SIGHUP: ")
        try await velokube.says("The kubeconfig has changed, and is followed")
        try await velokube.says("The log level is changed message=debug")
        try await velokube.says("The VCO's token runs out expires=2101-01-01T00:00:00Z")
        try await cluster.kubectl("wait -n \(cluster.namespace) --for=condition=Ready velo/web --timeout=60s")
        let curl = CurlTransport(userAgent: "velokube-tests")
        defer { curl.shutDown() }
        let response = try await curl.send(HTTPRequest(.get, url: "http://\(try #require(address))/metrics"))
        let metrics = String(decoding: try await response.body.collect(), as: UTF8.self)
        let line = "\nvelokube_credential_expiry_timestamp_seconds{credential=\"vco\"} 4133980800\n"
        #expect(metrics.contains(line))

        let open = try JSON.parse(Array(admin.utf8))["clusters"]?.array?.first?["cluster"]
        let authority = try #require(open?["certificate-authority-data"]?.string)
        try folder.write(
            admin.replacing(
                #""certificate-authority-data": "\#(authority)""#, with: #""insecure-skip-tls-verify": true"#),
            to: "kubeconfig")
        try await velokube.says("has insecure-skip-tls-verify")

        try folder.write("loud", to: "level")
        try folder.write("no: [kubeconfig", to: "kubeconfig")
        velokube.signal(SIGHUP)
        try await velokube.says("The file of --log-level-file holds no level")
        let complaint = try await velokube.says("The kubeconfig cannot be read; what it said before counts")
        #expect(complaint.contains(folder.path("kubeconfig")))
        velokube.signal(SIGHUP)
        try await velokube.says("SIGHUP: ", times: 3)
        unlink(folder.path("level"))
        try #require(mkdir(folder.path("level"), 0o700) == 0)
        velokube.signal(SIGHUP)
        try await velokube.says("holds no level, and nothing is changed message=\"cannot read")
        rmdir(folder.path("level"))
        try folder.write(admin.replacing("127.0.0.1", with: "127.0.0.2"), to: "kubeconfig")
        velokube.signal(SIGHUP)
        try await velokube.says("The log level is changed message=info")
        try await velokube.says("The kubeconfig names another server, which is taken up with a restart only")
        velokube.signal(SIGTERM)
        #expect(try await velokube.ends() == 0)
        let said = velokube.lines
        for words in ["changed message=\(folder.path("level"))", "cannot be read; what it said"] {
            #expect(said.count { $0.contains(words) } == 1, "the same again is no news")
        }
        for secret in [mine, powerless, Self.header, "c2lnbmF0dXJl"] { #expect(!said.contains { $0.contains(secret) }) }
    }
}

/// A folder of files that go with it.
private final class Folder {
    private let folder: String
    private let names: [String]

    init(_ names: [String]) throws {
        var template = Array("/tmp/velokube-rotation.XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        self.names = names
    }

    deinit {
        for name in names { unlink(path(name)) }
        rmdir(folder)
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Whole or not at all, as a mounted Secret changes.
    func write(_ text: String, to name: String) throws {
        let file = try #require(fopen(path(name) + ".new", "w"))
        fputs(text, file)
        fclose(file)
        try #require(rename(path(name) + ".new", path(name)) == 0)
    }
}
