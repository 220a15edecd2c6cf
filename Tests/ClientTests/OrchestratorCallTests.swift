import BusinessPolicy
import HTTPTransport
import Testing

@testable import Orchestrator

@Suite struct OrchestratorCallTests {
    static let list = #"[{"id":1,"name":"a"}]"#

    // Where the documented list is unknown or refused the portal's own is used, and remembered from then on.
    @Test(arguments: [
        (200, #"{"error":{"code":-32603,"message":"methodError"}}"#), (404, "<html></html>"), (404, "{}"),
        (400, #"{"error":{"code":-32600,"message":"unknown method"}}"#), (500, #"{"error":{"message":"methodError"}}"#),
        (403, ""), (400, #"{"error":{"message":"missing privilege READ X"}}"#), (200, "null"),
    ])
    func theListFallsBack(status: Int, body: String) async throws {
        let transport = ScriptedTransport(.reply(status, body), .reply(200, Self.list), .reply(200, "[]"))
        let client = try client(transport, enterpriseID: "12")
        #expect(try await client.profiles().map(\.id) == [1])
        #expect(try await client.profiles() == [])
        let policies = "https://vco.example.net/portal/rest/enterprise/getEnterpriseConfigurationsPolicies"
        #expect(transport.requests.dropFirst().map(\.url) == [policies, policies])
        #expect(transport.requests.allSatisfy { $0.body == Array(#"{"enterpriseId":12}"#.utf8) })
    }

    // Should the remembered one vanish in an upgrade, the other is found again.
    @Test func theListFallsForwardAgain() async throws {
        let transport = ScriptedTransport(
            .reply(404, ""), .reply(200, Self.list), .reply(404, ""), .reply(200, Self.list), .reply(200, Self.list))
        let client = try client(transport)
        for _ in 0..<3 { #expect(try await client.profiles().count == 1) }
        #expect(
            transport.requests.map { $0.url.hasSuffix("Policies") } == [false, true, true, false, false])
    }

    // Trouble that another method would share does not lead to a second call.
    @Test(arguments: [(503, "<html></html>"), (429, ""), (401, ""), (302, ""), (200, "<html></html>")])
    func sharedTroubleDoesNotFallBack(status: Int, body: String) async throws {
        let transport = ScriptedTransport(.reply(status, body))
        await #expect(throws: OrchestratorError.self) { try await client(transport).profiles() }
        #expect(transport.requests.count == 1)
    }

    // When both are refused, the first refusal is told; when the second fails otherwise, that is.
    @Test func bothListsRefused() async throws {
        let both = try client(ScriptedTransport(.reply(403, ""), .reply(404, "")))
        await #expect {
            try await both.profiles()
        } throws: {
            CallResult($0 as? OrchestratorError ?? .failed("")) == .permission
        }
        let later = try client(ScriptedTransport(.reply(403, ""), .reply(503, "")))
        await #expect {
            try await later.profiles()
        } throws: {
            CallResult($0 as? OrchestratorError ?? .failed("")) == .unreachable
        }
    }

    // A profile that cannot be read must not look like one that is gone: the whole list is refused.
    @Test(arguments: [#"[{"id":1,"name":"a"},{"id":2}]"#, #"[{"id":"1","name":"a"}]"#, "[null]", "{}", "null", "7"])
    func halfReadableListsAreRefused(body: String) async throws {
        let client = try client(ScriptedTransport(.reply(200, body), .reply(200, body)))
        await #expect(throws: OrchestratorError.self) { try await client.profiles() }
    }

    // After a 429 no call of any kind goes out for 5 s, or for as long as a longer Retry-After says.
    @Test(arguments: [(nil, 5), ("2", 5), ("30", 30), ("100000", 300), ("soon", 5), ("-4", 5)] as [(String?, Int64)])
    func rateLimitPausesEveryCall(retryAfter: String?, seconds: Int64) async throws {
        let clock = Locked<Int64>(1_000)
        let headers = retryAfter.map { [HTTPHeader("retry-after", $0)] } ?? []
        let transport = ScriptedTransport(.reply(429, "", headers: headers), .reply(200, "[]"))
        let client = try client(transport, now: { clock.withLock { $0 } })
        await #expect(throws: OrchestratorError.self) { try await client.module(profileID: 1) }
        clock.withLock { $0 = 1_000 + seconds * 1_000_000_000 - 1 }
        await #expect(throws: OrchestratorError.rateLimited(retryAfter: .nanoseconds(1))) {
            try await client.update(moduleID: 1, data: [])
        }
        #expect(transport.requests.count == 1)
        clock.withLock { $0 += 1 }
        _ = try await client.profiles()
        #expect(transport.requests.count == 2)
    }

    // At most four calls are with the VCO at once; the others go as slots come free, and none is lost.
    @Test func fourCallsInFlight() async throws {
        let flight = Locked((now: 0, most: 0))
        let gate = Locked<[CheckedContinuation<Void, Never>]>([])
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let transport = ScriptedTransport { (_) async throws(TransportError) in
            await withCheckedContinuation { continuation in
                gate.withLock { $0.append(continuation) }
                flight.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                arrival.yield()
            }
            return try Step.reply(200, "[]").response()
        }
        let client = try client(transport)
        let count = 20
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { _ = try await client.profiles() } }
            var seen = 0
            for await _ in arrivals {
                seen += 1
                if seen < OrchestratorClient.callsInFlightMax { continue }
                // All slots are taken: let one call finish, so that exactly one more may arrive.
                flight.withLock { $0.now -= 1 }
                gate.withLock { $0.removeFirst() }.resume()
                if seen == count { break }
            }
            for waiter in gate.withLock({ $0 }) { waiter.resume() }
            try await group.waitForAll()
        }
        #expect(flight.withLock { $0.most } == 4)
        #expect(transport.requests.count == count)
    }

    // A call cancelled while it waits for its slot never goes out, and takes no slot with it.
    @Test func cancelledWhileWaiting() async throws {
        let limiter = CallLimiter(callsMax: 1)
        #expect(await limiter.acquire())
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await limiter.acquire() }
            group.cancelAll()
            #expect(await group.next() == false)
        }
        #expect(limiter.waiting == 0)
        limiter.release()
        #expect(await limiter.acquire())
    }

    // The observer sees every call with its method, class and duration, and none that a pause held back.
    @Test func callsAreObserved() async throws {
        let seen = Locked<[String]>([])
        let clock = Locked<Int64>(0)
        let client = try client(
            ScriptedTransport(.reply(200, "[]"), .failure(.broken("x")), .reply(429, "")),
            now: {
                clock.withLock { time in
                    time += 3
                    return time
                }
            },
            onCall: { method, result, duration in
                seen.withLock { $0.append("\(method) \(result) \(duration > 0)") }
            })
        _ = try await client.profiles()
        for _ in 0..<3 { try? await client.update(moduleID: 1, data: Array("{}".utf8)) }
        #expect(
            seen.withLock { $0 } == [
                "enterprise/getEnterpriseConfigurations ok true",
                "configuration/updateConfigurationModule outcome_unknown true",
                "configuration/updateConfigurationModule rate_limited true",
            ])
    }

    // Told to look, it does so before the next look by the clock.
    @Test func theTokenFileIsLookedAtWhenTold() async throws {
        let file = try TemporaryFile("first-token\n")
        let configuration = try OrchestratorConfiguration.resolve(
            url: "https://vco.example.net", tokenFile: file.path, token: nil, caFile: nil, enterpriseID: nil,
            allowsInsecureHTTP: false)
        let transport = ScriptedTransport(.reply(200, "[]"))
        let client = OrchestratorClient(configuration: configuration, transport: transport, now: { 0 })
        _ = try await client.profiles()
        let start = client.credentialGeneration()
        try file.write("second-token\n")
        #expect(client.credentialGeneration() == start)
        client.invalidateCredentials()
        #expect(client.credentialGeneration() == start + 1)
    }

    // A replaced token file changes the generation and is used by the next call; one that is lost when it is needed is
    // an authentication error that names it, and its return counts as a change.
    @Test func theTokenFileIsFollowed() async throws {
        let file = try TemporaryFile("first-token\n")
        let clock = Locked<Int64>(0)
        let good = Step.reply(200, "[]")
        let bad = Step.reply(401, "")
        let transport = ScriptedTransport(good, bad, good, good, bad, good)
        let configuration = try OrchestratorConfiguration.resolve(
            url: "https://vco.example.net", tokenFile: file.path, token: "unused", caFile: nil, enterpriseID: nil,
            allowsInsecureHTTP: false)
        let results = Locked<[String]>([])
        let client = OrchestratorClient(
            configuration: configuration, transport: transport, now: { clock.withLock { $0 } },
            onCall: { _, result, _ in results.withLock { $0.append(result) } })
        let start = client.credentialGeneration()
        _ = try await client.profiles()
        #expect(client.credentialGeneration() == start)

        // Refused, then replaced: seen at once, without waiting for the next look by the clock.
        await #expect(throws: OrchestratorError.self) { try await client.profiles() }
        try file.write("second-token\n")
        #expect(client.credentialGeneration() == start + 1)
        _ = try await client.profiles()

        // Lost, it is of no matter until the VCO refuses what it held; then the error names the file.
        file.remove()
        clock.withLock { $0 += 6_000_000_000 }
        _ = try await client.profiles()
        #expect(client.credentialGeneration() == start + 1)
        await #expect(throws: OrchestratorError.self) { try await client.profiles() }
        #expect(client.credentialGeneration() == start + 2)
        await #expect {
            try await client.profiles()
        } throws: { error in
            guard case .authentication(let words) = error as? OrchestratorError else { return false }
            return words.contains("cannot read \(file.path)")
        }
        // It is not sent, and counted all the same: an alert must not end because nothing can be sent any more.
        #expect(results.withLock { $0.suffix(2) } == ["authentication", "no_credential"])
        try file.write("second-token\n")
        #expect(client.credentialGeneration() == start + 3)
        _ = try await client.profiles()
        let tokens = transport.requests.map { $0.headers[0].value.split(separator: " ")[1].prefix(6) }
        #expect(tokens == ["first-", "first-", "second", "second", "second", "second"])
    }

    // Authorities come from the file of --vco-ca, byte for byte, with every call.
    @Test func authoritiesAreSent() async throws {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let file = try TemporaryFile(pem)
        let configuration = try OrchestratorConfiguration.resolve(
            url: "https://vco.example.net", tokenFile: nil, token: testToken, caFile: file.path, enterpriseID: nil,
            allowsInsecureHTTP: false)
        let transport = ScriptedTransport(.reply(200, "[]"))
        _ = try await OrchestratorClient(configuration: configuration, transport: transport, now: { 0 }).profiles()
        #expect(transport.requests[0].security.authorities == Array(pem.utf8))
        #expect(!transport.requests[0].security.isVerificationOff)
    }
}
