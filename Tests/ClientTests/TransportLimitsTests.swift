import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportLimitsTests {
    let transport = CurlTransport(userAgent: "velokube-tests")

    /// Lets real time pass by waiting for a time-out, which is an event.
    private func pass(milliseconds: Int) async {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.awaitClose()
        }
        let timeouts = HTTPRequest.Timeouts(firstByte: .milliseconds(milliseconds))
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url(), timeouts: timeouts))
        }
        #expect(
            error
                == .timeout(
                    "127.0.0.1:\(server.port): no reply within \(Duration.milliseconds(milliseconds))"))
    }

    // A handshake that never ends is cut by the connect time-out, and nothing was sent.
    @Test func theConnectTimeoutCoversTheHandshake() async throws {
        let server = TransportServer { $0.awaitClose() }
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(
                    .get, url: "https://127.0.0.1:\(server.port)/",
                    timeouts: .init(connect: .milliseconds(100))))
        }
        #expect(error == .connect("no connection to 127.0.0.1:\(server.port) within 0.1 seconds"))
        #expect(error?.isCertainlyUnsent == true)
    }

    // A server that reads the request and says nothing is cut by the first-byte time-out, and sees the end.
    @Test func theFirstByteTimeoutEndsTheTransfer() async throws {
        let isClosed = TransportBox(false)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.awaitClose()
            isClosed.change { $0 = true }
        }
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(
                    .get, url: server.url(), timeouts: .init(firstByte: .milliseconds(100), idle: nil)))
        }
        #expect(error == .timeout("127.0.0.1:\(server.port): no reply within 0.1 seconds"))
        #expect(error?.isCertainlyUnsent == false)
        await isClosed.until { $0 }
    }

    // A large request body on its way does not count as a silent server: the first-byte time-out starts at its end.
    @Test func theFirstByteTimeoutStartsAfterTheBody() async throws {
        let mayRead = TransportBox(0)
        let body = [UInt8](repeating: 7, count: 32 << 20)
        let server = TransportServer { connection in
            mayRead.blockUntil { $0 >= body.count / 2 }
            connection.awaitBytes(body.count / 2)
            mayRead.blockUntil { $0 >= body.count }
            _ = connection.request()
            connection.reply(body: [1])
        }
        async let reply = transport.send(
            HTTPRequest(.post, url: server.url(), body: body, timeouts: .init(firstByte: .milliseconds(1500))))
        await pass(milliseconds: 900)
        mayRead.change { $0 = body.count / 2 }
        await pass(milliseconds: 900)
        mayRead.change { $0 = body.count }
        #expect(try await reply.body.collect() == [1])
        #expect(server.log.requests.first?.body.count == body.count)
    }

    // Silence inside a body is cut by the idle time-out, after the bytes before it were read.
    @Test func theIdleTimeoutEndsASilentBody() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            connection.awaitClose()
        }
        let reply = try await transport.send(
            HTTPRequest(.get, url: server.url(), timeouts: .init(idle: .milliseconds(100), whole: nil)))
        #expect(try await reply.body.next() == Array("ab".utf8))
        #expect(
            await transportError { _ = try await reply.body.next() }
                == .timeout("127.0.0.1:\(server.port): silent for 0.1 seconds inside the reply"))
    }

    // Half a head counts as silence inside the reply too.
    @Test func theIdleTimeoutEndsASilentHead() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nX-Some: thing\r\n")
            connection.awaitClose()
        }
        let error = await transportError {
            _ = try await transport.send(
                HTTPRequest(
                    .get, url: server.url(),
                    timeouts: .init(firstByte: nil, idle: .milliseconds(100), whole: nil)))
        }
        #expect(error == .timeout("127.0.0.1:\(server.port): silent for 0.1 seconds inside the reply"))
    }

    // While nobody asks for more, no silence counts: a slow reader does not lose its stream.
    @Test func theIdleTimeoutSparesASlowReader() async throws {
        let mayGoOn = TransportBox(false)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            mayGoOn.blockUntil { $0 }
            connection.send("2\r\ncd\r\n0\r\n\r\n")
            connection.awaitClose()
        }
        let reply = try await transport.send(
            HTTPRequest(.get, url: server.url(), timeouts: .init(idle: .milliseconds(600), whole: nil)))
        #expect(try await reply.body.next() == Array("ab".utf8))
        await pass(milliseconds: 1000)
        mayGoOn.change { $0 = true }
        #expect(try await reply.body.collect() == Array("cd".utf8))
    }

    // The whole time-out ends a transfer wherever it is.
    @Test func theWholeTimeoutEndsTheTransfer() async throws {
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            connection.awaitClose()
        }
        let timeouts = HTTPRequest.Timeouts(firstByte: nil, idle: nil, whole: .milliseconds(300))
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url(), timeouts: timeouts)).body.collect()
        }
        #expect(error == .timeout("127.0.0.1:\(server.port): not done within 0.3 seconds"))
    }

    // A body over the limit is cut, one at the limit is not.
    @Test(arguments: [(100, nil), (99, TransportError.bodyTooLarge(limit: 99))])
    func theBodyLimitHolds(_ limit: Int, _ expected: TransportError?) async throws {
        let server = TransportServer { connection in
            while connection.request() != nil {
                connection.reply(body: [UInt8](repeating: 1, count: 100))
            }
        }
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url(), bodyBytesMax: limit)).body
                .collect()
        }
        #expect(error == expected)
    }

    // A compressed body arrives as it was, and the limit counts what it grows to.
    @Test(.enabled(if: TransportChild.exists("gzip")))
    func theBodyLimitCountsAfterDecompression() async throws {
        let folder = TransportFolder()
        let plain = [UInt8](repeating: 0, count: 4 << 20) + Array("end".utf8)
        folder.write("body", plain)
        await TransportChild.run("gzip", folder.file("body"))
        let packed = folder.read("body.gz")
        #expect(!packed.isEmpty && packed.count < 100_000)
        let server = TransportServer { connection in
            while connection.request() != nil {
                connection.reply(headers: ["Content-Encoding: gzip"], body: packed)
            }
        }
        #expect(
            try await transport.send(HTTPRequest(.get, url: server.url())).body.collect() == plain)
        #expect(server.log.requests.first?.header("Accept-Encoding") == "gzip")
        let error = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url(), bodyBytesMax: 1 << 20)).body
                .collect()
        }
        #expect(error == .bodyTooLarge(limit: 1 << 20))
    }

    // A reader that does not read stops the server: what is on its way stays bounded, and nothing of it is lost.
    @Test func aSlowReaderStopsTheServer() async throws {
        let piece = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        var bytes: [UInt8] = []
        while bytes.count < 48 << 20 { bytes += piece }
        let (stalledAt, whole) = (TransportBox<Int?>(nil), bytes)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(whole.count)\r\n\r\n")
            connection.limitSendTime(milliseconds: 400)
            let sent = connection.sendSome(whole)
            stalledAt.change { $0 = sent }
            connection.limitSendTime(milliseconds: 0)
            connection.send(Array(whole[sent...]))
            connection.awaitClose()
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        await stalledAt.until { $0 != nil }
        // Both socket buffers may hold some megabytes besides our own 256 KiB.
        #expect(try #require(stalledAt.value) < 16 << 20)
        var largest = 0
        var received: [UInt8] = []
        while let chunk = try await reply.body.next() {
            largest = max(largest, chunk.count)
            received += chunk
        }
        #expect(largest <= CurlTransport.bufferBytesMax + (16 << 10))
        #expect(received == bytes)
    }

    // A paused stream does not hold up other requests.
    @Test func aPausedStreamDoesNotHoldUpOthers() async throws {
        let isStalled = TransportBox(false)
        let server = TransportServer { connection in
            while let request = connection.request() {
                guard request.path == "/large" else {
                    connection.reply(body: [1])
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(32 << 20)\r\n\r\n")
                connection.limitSendTime(milliseconds: 200)
                _ = connection.sendSome([UInt8](repeating: 0, count: 32 << 20))
                isStalled.change { $0 = true }
            }
        }
        let large = try await transport.send(HTTPRequest(.get, url: server.url("/large")))
        await isStalled.until { $0 }
        for _ in 0..<20 {
            #expect(try await transport.send(HTTPRequest(.get, url: server.url())).body.collect() == [1])
        }
        #expect(large.status == 200)
    }
}
