import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportProxyTests {
    /// Says what it was asked for, like a proxy would be.
    let proxy = TransportServer { connection in
        while let request = connection.request() {
            if request.method == "CONNECT" {
                connection.reply(403)
            } else {
                connection.reply(body: Array("proxied \(request.path)".utf8))
            }
        }
    }
    let origin = TransportServer { connection in
        while connection.request() != nil { connection.reply(body: Array("direct".utf8)) }
    }

    private func transport(_ variables: [String: String]) -> CurlTransport {
        CurlTransport(userAgent: "velokube-tests", proxies: ProxyVariables { variables[$0] })
    }

    private func body(_ url: String, proxyURL: String? = nil, _ variables: [String: String]) async throws -> String {
        let transport = transport(variables)
        let reply = try await transport.send(HTTPRequest(.get, url: url, security: .init(proxyURL: proxyURL)))
        return String(decoding: try await reply.body.collect(), as: UTF8.self)
    }

    // The variables decide, the request's own proxy overrules them, and loopback is direct in any case.
    @Test func requestsGoThroughTheProxyButNotToLoopback() async throws {
        let through = "http://127.0.0.1:\(proxy.port)"
        let nowhere = "http://127.0.0.1:\(TransportServer.freePort())"
        #expect(try await body("http://some.example/x", ["http_proxy": through]) == "proxied http://some.example/x")
        #expect(
            try await body("http://some.example/x", proxyURL: through, ["http_proxy": nowhere])
                == "proxied http://some.example/x")
        for host in ["127.0.0.1", "localhost", "127.1"] {
            let url = "http://\(host):\(origin.port)/"
            #expect(try await body(url, ["http_proxy": nowhere, "all_proxy": nowhere]) == "direct")
            #expect(try await body(url, proxyURL: nowhere, [:]) == "direct")
        }
    }

    // A proxy that refuses to connect leaves nothing sent; it is asked for the real host, whatever name TLS is to see.
    @Test(arguments: [nil, "named.example"])
    func aRefusingProxyIsAConnectFailure(_ serverName: String?) async throws {
        let transport = transport(["https_proxy": "http://user:secret@127.0.0.1:\(proxy.port)"])
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(.get, url: "https://10.1.2.3:6443/x?secret", security: .init(serverName: serverName)))
        }
        #expect(error?.isConnect == true, "\(error as Any)")
        #expect(!"\(error as Any)".contains("secret"))
        let seen = try #require(proxy.log.requests.first)
        #expect(seen.method == "CONNECT")
        #expect(seen.path == "10.1.2.3:6443")
        #expect(seen.header("Authorization") == nil)
    }

    // NO_PROXY matches names with all below them, addresses and networks, with or without a port.
    @Test(arguments: [
        ("*", "some.example", true), ("some.example", "some.example", true), ("some.example", "a.some.example", true),
        (".some.example", "some.example", true), ("*.some.example", "a.some.example", true),
        ("some.example", "awesome.example", false), ("other.example, some.example", "some.example", true),
        ("SOME.example", "some.EXAMPLE", true), ("some.example", "some.example.", true),
        ("some.example:443", "some.example", true), ("some.example:80", "some.example", false),
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3:443", "10.1.2.3", true), ("10.1.2.3", "10.1.2.30", false), ("0.0.0.0/0", "10.1.2.3", true),
        ("10.1.2.0/31", "10.1.2.1", true), ("10.1.2.0/31", "10.1.2.2", false), ("10.0.0.0/99", "10.0.0.0", false),
        ("fd00::/8", "[fd12::1]", true), ("fd00::/8", "[fe80::1]", false), ("fd12::1", "[fd12:0::1]", true),
        ("[fd12::1]:443", "[fd12::1]", true), ("", "some.example", false), (",", "some.example", false),
        ("10.0.0.0/8", "ten.example", false),
    ])
    func noProxyMatches(_ exceptions: String, _ host: String, _ isDirect: Bool) {
        let variables = ["https_proxy": "http://proxy.example", "no_proxy": exceptions]
        let proxy = ProxyVariables { variables[$0] }.proxy(scheme: "https", host: host, port: "443")
        #expect(proxy == (isDirect ? nil : "http://proxy.example"))
    }

    // Which variable counts: the one of the scheme, in lower case first; HTTP_PROXY not in a CGI program.
    @Test(
        arguments: [
            (["https_proxy": "a", "HTTPS_PROXY": "b", "all_proxy": "c"], "https", "a"),
            (["HTTPS_PROXY": "b", "all_proxy": "c"], "https", "b"),
            (["all_proxy": "c", "http_proxy": "d"], "https", "c"),
            (["ALL_PROXY": "c"], "http", "c"), (["HTTP_PROXY": "d"], "http", "d"), (["http_proxy": "d"], "https", nil),
            (["HTTP_PROXY": "d", "REQUEST_METHOD": "GET"], "http", nil), (["https_proxy": ""], "https", nil),
            (["http_proxy": "d", "REQUEST_METHOD": "GET"], "http", "d"), ([:], "https", nil),
        ] as [([String: String], String, String?)])
    func theRightVariableCounts(_ variables: [String: String], _ scheme: String, _ expected: String?) {
        let proxy = ProxyVariables { variables[$0] }.proxy(scheme: scheme, host: "some.example", port: "1")
        #expect(proxy == expected)
    }

    // Loopback is what it is, however it is written.
    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.3.4", true), ("[::1]", true), ("localhost", true), ("LOCALHOST.", true),
        ("a.localhost", true), ("128.0.0.1", false), ("[::2]", false), ("localhost.example", false),
        ("notlocalhost", false),
    ])
    func loopbackIsRecognised(_ host: String, _ isLoopback: Bool) {
        #expect(ProxyVariables.isLoopback(host) == isLoopback)
    }
}
