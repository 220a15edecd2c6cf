import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct SimulatedTransportTests {
    private let cluster = Cluster()
    private let vco = OrchestratorSimulator()
    private let slept = Box<[Duration]>([])

    private var transport: SimulatedTransport {
        SimulatedTransport(
            orchestrator: vco, apiServer: cluster.api, wallMilliseconds: { [clock = cluster.clock] in clock.now },
            sleep: { [slept] duration in slept.change { $0.append(duration) } })
    }

    private static let write = HTTPRequest(
        .post, url: "https://vco.example.test:8443/portal/rest/configuration/updateConfigurationModule",
        headers: [HTTPHeader("Authorization", "Token t")],
        body: Array("{\"id\":503,\"_update\":{\"data\":{\"segments\":[]}}}".utf8), usesFreshConnection: true)

    private var isWritten: Bool { vco.profile(101)?.data == Array("{\"segments\":[]}".utf8) }

    /// Each server is reached by its host, and any other host is not.
    @Test func routesByHost() async throws {
        let transport = transport
        let reply = try await transport.send(Self.write)
        #expect(reply.status == 200 && reply.header("content-type") == "application/json")
        #expect(try await reply.body.collect() == Array("{\"rows\":1}".utf8))
        cluster.apply("a")
        let list = HTTPRequest(.get, url: "https://kubernetes.example.test/apis/vcn.cloud/v1/velocloudbps?limit=5")
        let names = try await JSON.parse(transport.send(list).body.collect())[path: "items.0.metadata.name"]
        #expect(names?.string == "a")
        let watch = HTTPRequest(.get, url: list.url + "&watch=true")
        #expect(try await transport.send(watch).body.next()?.isEmpty == false)
        await #expect(throws: TransportError.connect("could not resolve host elsewhere")) {
            try await transport.send(HTTPRequest(.get, url: "https://elsewhere/"))
        }
        await #expect(throws: TransportError.request("not an absolute URL")) {
            try await transport.send(HTTPRequest(.get, url: "/x"))
        }
        #expect(transport.requests.map(\.method) == ["POST", "GET", "GET", "GET", "GET"])
        #expect(transport.requests.map(\.usesFreshConnection) == [true, false, false, false, false])
    }

    /// Faults of the network come before or after the effect, as they say.
    @Test(arguments: [
        (SimulatedTransport.Fault.connect, false, TransportError.connect("connection refused")),
        (.security, false, .security("the certificate is not trusted")),
        (.brokenBefore, false, .broken("connection reset by peer")),
        (.brokenAfter, true, .broken("connection reset by peer")),
        (.timeoutBefore, false, .timeout("no first byte in time")),
        (.timeoutAfter, true, .timeout("no first byte in time")),
    ])
    func faults(fault: SimulatedTransport.Fault, isDone: Bool, error: TransportError) async {
        let transport = transport
        transport.onRequest { $0.method == .post ? fault : nil }
        await #expect(throws: error) { try await transport.send(Self.write) }
        #expect(isWritten == isDone)
        #expect(error.isCertainlyUnsent ? !isDone : true)
        transport.onRequest(nil)
        await #expect(throws: Never.self) { try await transport.send(Self.write) }
    }

    /// The world can be changed before the effect and after it, from within the hooks.
    @Test func hooksChangeTheWorld() async throws {
        let transport = transport
        let (vco, api) = (vco, cluster.api)
        let before = vco.profile(101)?.version
        transport.onRequest { _ in
            _ = api.apply("made", spec: .object([]))
            return nil
        }
        transport.afterEffect { _ in try? vco.edit(.touch(101), now: 0) }
        _ = try await transport.send(Self.write)
        #expect(api.object("made") != nil)
        #expect(isWritten)
        #expect(vco.profile(101)?.version != before)
        let list = HTTPRequest(.get, url: "https://kubernetes.example.test/apis/vcn.cloud/v1/velocloudbps")
        transport.onRequest { _ in .reply(SimulatedReply(status: 502, body: Array("bad gateway".utf8))) }
        #expect(try await transport.send(list).status == 502)
    }

    /// The VCO's own drops arrive as broken connections, and latency is slept through by the clock of the test.
    @Test func simulatorFaults() async throws {
        let transport = transport
        vco.inject(.dropBefore)
        await #expect(throws: TransportError.broken("empty reply from server")) { try await transport.send(Self.write) }
        #expect(!isWritten)
        vco.inject(.dropAfter)
        await #expect(throws: TransportError.broken("empty reply from server")) { try await transport.send(Self.write) }
        #expect(isWritten)
        vco.inject(.latency(milliseconds: 70))
        transport.onRequest { _ in .latency(.seconds(2)) }
        _ = try await transport.send(Self.write)
        #expect(slept.value == [.seconds(2), .milliseconds(70)])
    }

    /// A reply over the request's limit is refused, and a cancelled task sends nothing.
    @Test func limitsAndCancellation() async throws {
        let transport = transport
        var small = Self.write
        small.bodyBytesMax = 5
        let request = small
        await #expect(throws: TransportError.bodyTooLarge(limit: 5)) { try await transport.send(request) }
        transport.clearRequests()
        let outcome = await withTaskGroup(of: TransportError?.self) { group in
            group.cancelAll()
            group.addTask {
                do throws(TransportError) {
                    _ = try await transport.send(Self.write)
                    return nil
                } catch {
                    return error
                }
            }
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
        #expect(transport.requests.isEmpty)
    }
}
