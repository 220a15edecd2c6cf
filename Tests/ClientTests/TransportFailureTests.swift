import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportFailureTests {
    let transport = CurlTransport(userAgent: "velokube-tests")

    /// Answers everything, but hangs up on a POST that comes on a connection which has served a request before.
    private func hangsUpOnReuse() -> TransportServer {
        TransportServer { connection in
            var served = 0
            while let request = connection.request() {
                if request.method == "POST", served > 0 { return }
                connection.reply(body: [1])
                served += 1
            }
        }
    }

    /// Answers everything but POSTs, on which it hangs up.
    private func hangsUpOnPosts() -> TransportServer {
        TransportServer { connection in
            while let request = connection.request(), request.method != "POST" {
                connection.reply(body: [1])
            }
        }
    }

    private func warmUp(_ server: TransportServer) async throws {
        _ = try await transport.send(HTTPRequest(.get, url: server.url())).body.collect()
    }

    private func posts(_ server: TransportServer) -> Int {
        server.log.requests.count { $0.method == "POST" }
    }

    // Why writes ask for a fresh connection: on a kept one that dies, libcurl sends the request a second time.
    @Test func aRequestOnAKeptConnectionThatDiesIsSentAgain() async throws {
        let server = hangsUpOnReuse()
        try await warmUp(server)
        let reply = try await transport.send(HTTPRequest(.post, url: server.url(), body: [2]))
        #expect(try await reply.body.collect() == [1])
        #expect(posts(server) == 2)
    }

    // On a fresh connection the request goes out once, and the kept one is left alone.
    @Test func aFreshConnectionAvoidsTheKeptOne() async throws {
        let server = hangsUpOnReuse()
        try await warmUp(server)
        let reply = try await transport.send(
            HTTPRequest(.post, url: server.url(), body: [2], usesFreshConnection: true))
        #expect(try await reply.body.collect() == [1])
        #expect(posts(server) == 1)
        #expect(server.log.connections == 2)
    }

    // A fresh connection that dies before the reply is an error, never a second try.
    @Test func aRequestOnAFreshConnectionIsNeverSentAgain() async throws {
        let server = hangsUpOnPosts()
        try await warmUp(server)
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(.post, url: server.url(), body: [2], usesFreshConnection: true))
        }
        #expect(error?.isBroken == true)
        #expect(error?.isCertainlyUnsent == false)
        try await warmUp(server)
        #expect(posts(server) == 1)
    }

    // Nobody uses a fresh connection after the request it was made for.
    @Test func aFreshConnectionIsNotUsedAgain() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(body: [1]) }
        }
        for _ in 0..<3 {
            let request = HTTPRequest(.post, url: server.url(), body: [2], usesFreshConnection: true)
            _ = try await transport.send(request).body.collect()
        }
        try await warmUp(server)
        #expect(server.log.connections == 4)
    }

    // Nobody listens: certainly nothing was sent, and the words stay the same from one attempt to the next.
    @Test func aRefusedConnectionIsCertainlyUnsent() async throws {
        let port = TransportServer.freePort()
        for _ in 0..<2 {
            let error = await transportError {
                _ = try await transport.send(HTTPRequest(.get, url: "http://127.0.0.1:\(port)/"))
            }
            #expect(error == .connect("no connection to 127.0.0.1:\(port): Connection refused"))
            #expect(error?.isCertainlyUnsent == true)
        }
    }

    // A kept connection that dies, and then nobody listens: the first try may have had its effect.
    @Test func aSecondTryThatCannotConnectIsNotCertainlyUnsent() async throws {
        let kept = TransportBox<TransportServer?>(nil)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.reply()
            _ = connection.request()
            kept.value?.stopListening()
        }
        kept.change { $0 = server }
        try await warmUp(server)
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.post, url: server.url(), body: [2]))
        }
        #expect(error?.isBroken == true)
        kept.change { $0 = nil }
    }

    // A body that ends too early is broken, after what came of it was read.
    @Test(arguments: ["Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "Content-Length: 3\r\n\r\nab"])
    func aBodyCutShortIsBroken(_ rest: String) async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\n" + rest)
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(try await reply.body.next() == Array("ab".utf8))
        #expect(await transportError { _ = try await reply.body.next() }?.isBroken == true)
    }

    // What is no HTTP reply is broken, and so is a connection that is reset or closed before one.
    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "", "reset"])
    func noReplyIsBroken(_ text: String) async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            if text == "reset" { connection.reset() } else { connection.send(text) }
        }
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url()))
        }
        #expect(error?.isBroken == true)
    }

    // Interim replies are passed over; the first final one counts.
    @Test func interimRepliesArePassedOver() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send(
                "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
            )
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(reply.status == 404)
        #expect(reply.header("Link") == nil)
        #expect(try await reply.body.collect().isEmpty)
    }

    // Trailers after a chunked body end it, and change nothing.
    @Test func trailersArePassedOver() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n")
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(try await reply.body.collect() == Array("ab".utf8))
    }

    // A head without end is cut.
    @Test func anEndlessHeadIsBroken() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X-Some: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url()))
        }
        #expect(error?.isBroken == true)
    }

    // What cannot be a request is refused before anything is sent, and a secret in it is not repeated.
    @Test(arguments: [
        HTTPRequest(.get, url: "ftp://127.0.0.1/?secret"),
        HTTPRequest(.get, url: "file:///etc/passwd?secret"),
        HTTPRequest(.get, url: "nonsense?secret"),
        HTTPRequest(.get, url: "http://user:secret@[nonsense/"),
        HTTPRequest(
            .get, url: "http://127.0.0.1:1/",
            headers: [HTTPHeader("Authorization", "Bearer secret\nX: y")]),
        HTTPRequest(.get, url: "http://127.0.0.1:1/", headers: [HTTPHeader("X Y", "secret")]),
        HTTPRequest(.get, url: "http://127.0.0.1:1/", headers: [HTTPHeader("", "secret")]),
    ])
    func whatIsNoRequestIsRefused(_ request: HTTPRequest) async throws {
        let error = await transportError { _ = try await transport.send(request) }
        #expect(error?.isRequest == true)
        #expect("\(error as Any)".contains("secret") == false)
    }

    // No error repeats a header, a query or a password.
    @Test(arguments: ["", "SSH-2.0-secret\r\n", "HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\nx"])
    func noErrorTellsASecret(_ text: String) async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send(text)
        }
        let error = await transportError {
            let reply = try await transport.send(
                HTTPRequest(
                    .get, url: "http://user:secret@127.0.0.1:\(server.port)/?token=secret",
                    headers: [HTTPHeader("X-Token", "secret")]))
            _ = try await reply.body.collect()
        }
        #expect(error != nil)
        #expect("\(error as Any)".contains("secret") == false)
    }

    // A header with nothing in it is sent, not left out.
    @Test func anEmptyHeaderIsSent() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply() }
        }
        _ = try await transport.send(
            HTTPRequest(.get, url: server.url(), headers: [HTTPHeader("X-Some", "")]))
        #expect(server.log.requests.first?.header("X-Some") == "")
    }
}

extension TransportError {
    var isBroken: Bool { if case .broken = self { true } else { false } }
    var isSecurity: Bool { if case .security = self { true } else { false } }
    var isRequest: Bool { if case .request = self { true } else { false } }
    var isConnect: Bool { if case .connect = self { true } else { false } }
}
