import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)), .enabled(if: TransportFront.isInstalled))
struct TransportSharedConnectionTests {
    let transport = CurlTransport(userAgent: "velokube-tests", proxies: ProxyVariables { _ in nil })
    let server = TransportServer { connection in
        while let request = connection.request() { connection.reply(body: Array(request.path.utf8)) }
    }

    // Many requests at once share few HTTP/2 connections.
    @Test func manyRequestsShareFewConnections() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let security = HTTPRequest.Security(authorities: authority.pem)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                if number >= 64 { try await group.next() }
                group.addTask {
                    let reply = try await transport.send(
                        HTTPRequest(.get, url: front.url("/\(number)"), security: security))
                    #expect(try await reply.body.collect() == Array("/\(number)".utf8))
                }
            }
            try await group.waitForAll()
        }
        #expect(server.log.requests.count == 300)
        #expect(server.log.requests.allSatisfy { $0.header("Via")?.hasPrefix("2") == true })
        #expect(Set(server.log.requests.compactMap { $0.header("Forwarded") }).count == 1)
    }

    /// Sends a first line for `/endless`, and one more for each that is allowed; notes when such a reply is given up.
    private func endless(_ lines: TransportBox<Int>, _ closed: TransportBox<[String]>)
        -> TransportServer
    {
        TransportServer { connection in
            while let request = connection.request() {
                guard request.path.hasPrefix("/endless") else {
                    connection.reply(body: [1])
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
                if request.path == "/endless/b" {
                    lines.blockUntil { $0 > 0 }
                    connection.send("2\r\ncd\r\n")
                }
                connection.awaitClose()
                closed.change { $0.append(request.path) }
            }
        }
    }

    // A dropped stream that was alone on its connection ends with it, though nothing else is said.
    @Test func droppingTheOnlyStreamEndsIt() async throws {
        let closed = TransportBox<[String]>([])
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(
            endless(TransportBox(0), closed), authority: authority, certificate: "leaf")
        do {
            let reply = try await transport.send(
                HTTPRequest(.get, url: front.url("/endless/a"), security: .init(authorities: authority.pem))
            )
            #expect(try await reply.body.next() == Array("ab".utf8))
        }
        await closed.until { $0 == ["/endless/a"] }
        withExtendedLifetime(front) {}
    }

    // A stream dropped on a shared connection ends alone, at the latest with the connection's next traffic.
    @Test func droppingOneStreamLeavesTheOthers() async throws {
        let (lines, closed) = (TransportBox(0), TransportBox<[String]>([]))
        let server = endless(lines, closed)
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let security = HTTPRequest.Security(authorities: authority.pem)
        let kept = try await transport.send(
            HTTPRequest(.get, url: front.url("/endless/b"), security: security))
        #expect(try await kept.body.next() == Array("ab".utf8))
        do {
            let dropped = try await transport.send(
                HTTPRequest(.get, url: front.url("/endless/a"), security: security))
            #expect(try await dropped.body.next() == Array("ab".utf8))
        }
        let other = try await transport.send(
            HTTPRequest(.get, url: front.url("/other"), security: security))
        #expect(try await other.body.collect() == [1])
        await closed.until { $0 == ["/endless/a"] }
        lines.change { $0 = 1 }
        #expect(try await kept.body.next() == Array("cd".utf8))
        withExtendedLifetime(front) {}
        #expect(Set(server.log.requests.compactMap { $0.header("Forwarded") }).count == 1)
    }

    // An HTTP/2 connection whose peer went silent is given up with the request that noticed: the next one opens its
    // own.
    @Test func aDeadSharedConnectionIsGivenUp() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let security = HTTPRequest.Security(authorities: authority.pem)
        let request = HTTPRequest(
            .get, url: front.url(),
            timeouts: .init(connect: .milliseconds(300), firstByte: .milliseconds(300)),
            security: security)
        _ = try await transport.send(HTTPRequest(.get, url: front.url(), security: security)).body
            .collect()
        front.child.halt()
        let first = await transportError { _ = try await transport.send(request) }
        #expect(first == .timeout("127.0.0.1:\(front.port): no reply within 0.3 seconds"))
        // The system still accepts for the stopped server, so a new connection gets as far as the handshake.
        let second = await transportError { _ = try await transport.send(request) }
        #expect(second == .connect("no connection to 127.0.0.1:\(front.port) within 0.3 seconds"))
    }
}
