import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)), .enabled(if: TransportFront.isInstalled))
struct TransportSecurityTests {
    let transport = CurlTransport(userAgent: "velokube-tests", proxies: ProxyVariables { _ in nil })
    let server = TransportServer { connection in
        while let request = connection.request() { connection.reply(body: Array(request.path.utf8)) }
    }

    // A private authority given from memory is trusted, with and without HTTP/2.
    @Test(arguments: [false, true])
    func aPrivateAuthorityIsTrusted(_ usesFreshConnection: Bool) async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let reply = try await transport.send(
            HTTPRequest(
                .post, url: front.url("/x"), body: [1], security: .init(authorities: authority.pem),
                usesFreshConnection: usesFreshConnection))
        #expect(try await reply.body.collect() == Array("/x".utf8))
        #expect(
            server.log.requests.first?.header("Via")?.hasPrefix(usesFreshConnection ? "1.1" : "2") == true
        )
    }

    // Without it, or with another one in its place, the server is refused before anything is sent.
    @Test func anotherAuthorityIsNotTrusted() async throws {
        let (authority, other) = (await TransportAuthority(), await TransportAuthority())
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        for authorities in [nil, other.pem] {
            let error = await transportError {
                _ = try await transport.send(
                    HTTPRequest(.get, url: front.url(), security: .init(authorities: authorities)))
            }
            let words = "signed by an authority that is not trusted"
            #expect(error?.isSecurity == true)
            #expect("\(error as Any)".contains(words), "\(error as Any)")
        }
        #expect(server.log.requests.isEmpty)
    }

    // An expired certificate is refused, in words that say so.
    @Test func anExpiredCertificateIsRefused() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf", days: -1)
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(.get, url: front.url(), security: .init(authorities: authority.pem)))
        }
        let words = "the server's certificate has expired: renew it, or set this machine's clock"
        #expect(error == .security("127.0.0.1:\(front.port): \(words)"))
        #expect(server.log.requests.isEmpty)
    }

    // A certificate for another name is refused; asked for by that name it is accepted, and the Host stays the URL's.
    @Test func theServerNameIsCheckedInsteadOfTheHost() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf", alternatives: "DNS:named.example")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(.get, url: front.url(), security: .init(authorities: authority.pem)))
        }
        #expect(error?.isSecurity == true)
        #expect("\(error as Any)".contains("for another name"), "\(error as Any)")
        let wrong = await transportError {
            _ = try await transport.send(
                HTTPRequest(
                    .get, url: front.url(),
                    security: .init(authorities: authority.pem, serverName: "other.example")))
        }
        #expect(wrong?.isSecurity == true)
        #expect(server.log.requests.isEmpty)
        let reply = try await transport.send(
            HTTPRequest(
                .get, url: front.url("/y?z"),
                security: .init(authorities: authority.pem, serverName: "named.example")))
        #expect(try await reply.body.collect() == Array("/y?z".utf8))
        #expect(server.log.requests.first?.header("Host") == "127.0.0.1:\(front.port)")
    }

    // With verification off anything goes, and a verified request does not ride on that connection.
    @Test func verificationCanBeSwitchedOff() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf", alternatives: "DNS:named.example", days: -1)
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let reply = try await transport.send(
            HTTPRequest(.get, url: front.url("/x"), security: .init(isVerificationOff: true)))
        #expect(try await reply.body.collect() == Array("/x".utf8))
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(.get, url: front.url(), security: .init(authorities: authority.pem)))
        }
        #expect(error?.isSecurity == true)
        #expect(server.log.requests.count == 1)
    }

    // A client certificate from memory opens the door; without it nothing gets through. The server's word on that comes
    // after our side of the handshake, and can be lost when it closes right behind it.
    @Test(arguments: [false, true])
    func aClientCertificateOpensTheDoor(_ usesFreshConnection: Bool) async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        await authority.sign("client")
        let front = try await TransportFront(
            server, authority: authority, certificate: "leaf",
            options: ["--verify-client", "--verify-client-cacert=\(authority.folder.file("ca.pem"))"])
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(
                    .post, url: front.url(), security: .init(authorities: authority.pem),
                    usesFreshConnection: usesFreshConnection))
        }
        let saysWhy = error?.isSecurity == true && "\(error as Any)".contains("it wants a client certificate")
        #expect(saysWhy || error?.isBroken == true || error?.isConnect == true, "\(error as Any)")
        #expect(server.log.requests.isEmpty)
        let security = HTTPRequest.Security(
            authorities: authority.pem, clientCertificate: authority.folder.read("client.pem"),
            clientKey: authority.folder.read("client.key"))
        let reply = try await transport.send(
            HTTPRequest(
                .post, url: front.url("/x"), security: security, usesFreshConnection: usesFreshConnection))
        #expect(try await reply.body.collect() == Array("/x".utf8))
    }

    // What is no certificate is refused as such.
    @Test func whatIsNoCertificateIsRefused() async throws {
        let authority = await TransportAuthority()
        await authority.sign("leaf")
        let front = try await TransportFront(server, authority: authority, certificate: "leaf")
        let junk = Array("junk".utf8)
        let all = [
            HTTPRequest.Security(authorities: junk),
            HTTPRequest.Security(authorities: authority.pem, clientCertificate: junk, clientKey: junk),
            HTTPRequest.Security(
                authorities: authority.pem, clientCertificate: authority.folder.read("leaf.pem"),
                clientKey: authority.folder.read("ca.key")),
        ]
        for security in all {
            let error = await transportError {
                _ = try await transport.send(HTTPRequest(.get, url: front.url(), security: security))
            }
            #expect(error?.isSecurity == true, "\(error as Any)")
        }
        #expect(server.log.requests.isEmpty)
    }

    // A server that speaks no TLS is told from one that is not trusted.
    @Test func aServerWithoutTLSIsToldApart() async throws {
        let plain = TransportServer { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.awaitClose()
        }
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: "https://127.0.0.1:\(plain.port)/"))
        }
        #expect(error?.isSecurity == true)
        #expect("\(error as Any)".contains("does not speak TLS"), "\(error as Any)")
    }

    // A connection cut inside the handshake is no question of trust.
    @Test(arguments: [false, true])
    func aHandshakeCutShortIsAConnectFailure(_ resets: Bool) async throws {
        let plain = TransportServer { connection in
            connection.awaitBytes()
            if resets { connection.reset() }
        }
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: "https://127.0.0.1:\(plain.port)/"))
        }
        #expect(error?.isConnect == true, "\(error as Any)")
    }
}
