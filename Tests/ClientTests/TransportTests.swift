import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportTests {
    let transport = CurlTransport(userAgent: "velokube-tests")

    // What a request says arrives as it was said, and nothing that libcurl would add by itself.
    @Test func aRequestArrivesAsItWasSaid() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil {
                connection.reply(
                    201, headers: ["X-Some: thing", "x-other:  two "], body: Array("done".utf8))
            }
        }
        let reply = try await transport.send(
            HTTPRequest(
                .post, url: server.url("/a/b%20c?d=e"),
                headers: [HTTPHeader("Authorization", "Bearer secret")],
                body: Array("payload".utf8)))
        #expect(reply.status == 201)
        #expect(reply.header("X-SOME") == "thing")
        #expect(reply.header("X-Other") == "two")
        #expect(try await reply.body.collect() == Array("done".utf8))
        let seen = try #require(server.log.requests.first)
        #expect(seen.method == "POST")
        #expect(seen.path == "/a/b%20c?d=e")
        #expect(seen.header("Authorization") == "Bearer secret")
        #expect(seen.header("Content-Length") == "7")
        #expect(seen.header("User-Agent") == "velokube-tests")
        #expect(seen.header("Expect") == nil)
        #expect(seen.header("Content-Type") == nil)
        #expect(seen.header("Transfer-Encoding") == nil)
        #expect(seen.body == Array("payload".utf8))
    }

    // Every method goes out under its name, with or without a body.
    @Test(arguments: [HTTPRequest.Method.get, .post, .put, .patch, .delete], [nil, "x"])
    func everyMethodGoesOut(_ method: HTTPRequest.Method, _ body: String?) async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply() }
        }
        let reply = try await transport.send(
            HTTPRequest(method, url: server.url(), body: body.map { Array($0.utf8) }))
        #expect(try await reply.body.collect().isEmpty)
        let seen = try #require(server.log.requests.first)
        #expect(seen.method == method.rawValue)
        #expect(seen.body == Array((body ?? "").utf8))
    }

    // Many requests at once each get their own reply, over few connections.
    @Test func manyRequestsAtOnceGetTheirOwnReplies() async throws {
        let server = TransportServer { connection in
            while let request = connection.request() {
                connection.reply(body: Array(request.path.utf8))
            }
        }
        let replies = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for number in 0..<500 {
                group.addTask {
                    let reply = try await transport.send(HTTPRequest(.get, url: server.url("/\(number)")))
                    return (number, try await reply.body.collect())
                }
            }
            return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        #expect(replies.count == 500)
        #expect(replies.allSatisfy { $0.value == Array("/\($0.key)".utf8) })
        #expect(server.log.connections <= 64)
    }

    // Requests one after the other share one connection.
    @Test func aConnectionIsKept() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(body: [1]) }
        }
        for _ in 0..<5 {
            _ = try await transport.send(HTTPRequest(.get, url: server.url())).body.collect()
        }
        #expect(server.log.requests.count == 5)
        #expect(server.log.connections == 1)
    }

    // A redirect is an answer, not an order.
    @Test func aRedirectIsNotFollowed() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(302, headers: ["Location: /elsewhere"]) }
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(reply.status == 302)
        _ = try await reply.body.collect()
        #expect(server.log.requests.count == 1)
    }

    // A body is handed over while it is still coming.
    @Test func aBodyStreams() async throws {
        let allowed = TransportBox(0)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in 1...3 {
                allowed.blockUntil { $0 >= number }
                connection.send("2\r\n\(number)\n\r\n")
            }
            allowed.blockUntil { $0 >= 4 }
            connection.send("0\r\n\r\n")
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        for number in 1...3 {
            allowed.change { $0 = number }
            #expect(try await reply.body.next() == Array("\(number)\n".utf8))
        }
        allowed.change { $0 = 4 }
        #expect(try await reply.body.next() == nil)
        #expect(try await reply.body.next() == nil)
    }

    // However bytes and readers meet, none of them is lost, and neither is the end.
    @Test func noByteAndNoEndIsLost() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for number in 0..<100 { connection.send("1\r\n\(number % 10)\r\n") }
                connection.send("0\r\n\r\n")
            }
        }
        let expected = (0..<100).map { UInt8(48 + $0 % 10) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                group.addTask {
                    let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
                    #expect(try await reply.body.collect() == expected)
                }
            }
            try await group.waitForAll()
        }
    }

    // Cancelling the task that waits for a head closes the connection at the server's end.
    @Test func cancellingBeforeTheHeadStopsTheTransfer() async throws {
        let isClosed = TransportBox(false)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.awaitClose()
            isClosed.change { $0 = true }
        }
        await withTaskGroup(of: TransportError?.self) { group in
            group.addTask {
                await transportError { _ = try await transport.send(HTTPRequest(.get, url: server.url())) }
            }
            await server.log.untilRequests(1)
            group.cancelAll()
            for await error in group { #expect(error == .cancelled) }
        }
        await isClosed.until { $0 }
    }

    // Cancelling the task that waits for more of a body closes the connection at the server's end.
    @Test func cancellingInsideTheBodyStopsTheTransfer() async throws {
        let isClosed = TransportBox(false)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12")
            connection.awaitClose()
            isClosed.change { $0 = true }
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(try await reply.body.next() == Array("12".utf8))
        await withTaskGroup(of: TransportError?.self) { group in
            group.addTask { await transportError { _ = try await reply.body.next() } }
            group.cancelAll()
            for await error in group { #expect(error == .cancelled) }
        }
        await isClosed.until { $0 }
    }

    // Dropping a body that still comes closes the connection at the server's end.
    @Test func droppingTheBodyStopsTheTransfer() async throws {
        let isClosed = TransportBox(false)
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12")
            connection.awaitClose()
            isClosed.change { $0 = true }
        }
        do {
            let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
            #expect(reply.status == 200)
        }
        await isClosed.until { $0 }
    }

    // A task that is cancelled before it sends sends nothing.
    @Test func aCancelledTaskSendsNothing() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply() }
        }
        await withTaskGroup(of: TransportError?.self) { group in
            group.cancelAll()
            group.addTask {
                await transportError { _ = try await transport.send(HTTPRequest(.get, url: server.url())) }
            }
            for await error in group { #expect(error == .cancelled) }
        }
        _ = try await transport.send(HTTPRequest(.get, url: server.url("/after"))).body.collect()
        #expect(server.log.requests.map(\.path) == ["/after"])
    }

    // Shutting down ends what runs, and refuses what comes after.
    @Test func shutDownEndsEverything() async throws {
        let transport = CurlTransport(userAgent: "velokube-tests")
        let server = TransportServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12")
            connection.awaitClose()
        }
        let reply = try await transport.send(HTTPRequest(.get, url: server.url()))
        #expect(try await reply.body.next() == Array("12".utf8))
        transport.shutDown()
        transport.shutDown()
        #expect(await transportError { _ = try await reply.body.next() } == .cancelled)
        let refusal = await transportError {
            _ = try await transport.send(HTTPRequest(.get, url: server.url()))
        }
        #expect(refusal?.isCertainlyUnsent == true)
    }

    // A reply that is still read keeps the transport alive.
    @Test func aReplyOutlivesTheTransportsLastOwner() async throws {
        let server = TransportServer { connection in
            while connection.request() != nil { connection.reply(body: [1, 2, 3]) }
        }
        func reply() async throws -> HTTPResponse {
            try await CurlTransport(userAgent: "velokube-tests").send(
                HTTPRequest(.get, url: server.url()))
        }
        #expect(try await reply().body.collect() == [1, 2, 3])
    }
}

/// The error that the body threw.
func transportError(_ body: () async throws -> Void) async -> TransportError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? TransportError
    }
}
