import HTTPTransport
import Orchestrator
import Testing

@Suite struct OrchestratorWireTests {
    // On the wire an update is one POST with a length, on a connection that no read has used, and sent once even when
    // the VCO drops it without a word: whether it happened is then unknown.
    @Test func aDroppedUpdateIsSentOnce() async throws {
        let server = TransportServer { connection in
            while let request = connection.request() {
                guard !request.path.hasSuffix("updateConfigurationModule") else { return connection.reset() }
                connection.reply(body: Array("[]".utf8))
            }
        }
        let transport = CurlTransport(userAgent: "test")
        let configuration = try OrchestratorConfiguration.resolve(
            url: server.url("/portal/rest"), tokenFile: nil, token: testToken, caFile: nil, enterpriseID: nil,
            allowsInsecureHTTP: false)
        let client = OrchestratorClient(configuration: configuration, transport: transport, now: { 0 })
        _ = try await client.profiles()
        _ = try await client.profiles()
        let error = await #expect(throws: OrchestratorError.self) {
            try await client.update(moduleID: 503, data: Array(#"{"segments":[]}"#.utf8))
        }
        #expect(error.map { CallResult($0) } == .outcomeUnknown, "\(String(describing: error))")
        transport.shutDown()

        let updates = server.log.requests.filter { $0.path.contains("update") }
        #expect(updates.count == 1)
        let body = #"{"id":503,"_update":{"data":{"segments":[]}}}"#
        #expect(updates.first.map { String(decoding: $0.body, as: UTF8.self) } == body)
        #expect(updates.first?.header("content-length") == "\(body.utf8.count)")
        #expect(updates.first?.header("authorization") == "Token \(testToken)")
        #expect(updates.first?.header("content-type") == "application/json")
        #expect(server.log.requests.count == 3)
        // The reads shared one; the update had its own.
        #expect(server.log.connections == 2)
    }
}
