import Glibc
import HTTPTransport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Simulation

/// The largest request that is taken: a whole document of a large profile, with room to spare.
let bodyBytesMax = 64 << 20

/// One of the servers that this program stands in for.
protocol SimulatorService: HTTPResponder where Context == ConnectionContext {
    /// Called once it listens, for what it does from time to time.
    func started(on loop: any EventLoop)
}

/// Serves until SIGTERM or SIGINT. The port is printed once `onListening` has been told of it.
func serve(
    _ service: some SimulatorService, on address: ListenAddress,
    onListening: @escaping @Sendable (String) -> Void = { _ in }
) async throws {
    var logger = Logger(label: "velokube-sim")
    logger.logLevel = .warning
    let application = Application(
        responder: service,
        configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
        onServerRunning: { channel in
            service.started(on: channel.eventLoop)
            let url = url(of: channel.localAddress)
            onListening(url)
            // The one line on standard output, for scripts that wait for the port.
            output("listening on \(url)\n", to: STDOUT_FILENO)
        },
        logger: logger)
    do {
        try await application.runService()
    } catch let error as IOError {
        throw CannotListen(description: "cannot listen on \(address.host):\(address.port): \(error.description)")
    }
}

/// The port could not be had.
private struct CannotListen: Error, CustomStringConvertible {
    var description: String
}

private func url(of address: SocketAddress?) -> String {
    let host = address?.ipAddress ?? "127.0.0.1"
    let bracketed = host.contains(":") ? "[\(host)]" : host
    return "http://\(bracketed):\(address?.port ?? 0)"
}

/// Wall clock, in milliseconds since 1970 UTC.
@Sendable func wallMilliseconds() -> Int64 {
    nanoseconds(of: CLOCK_REALTIME) / 1_000_000
}

/// A variable of the environment; nil when it is not set or empty.
func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// Carries the connection to the responder, which must be able to end it without an answer.
struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Turns HTTP into calls of the simulated VCO, and its answers into HTTP.
struct OrchestratorResponder: SimulatorService {
    var vco: OrchestratorSimulator

    /// Thrown once the connection is closed, so that nothing is written to it.
    struct ConnectionDropped: Error {}

    func started(on loop: any EventLoop) {}

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let body = try await request.body.collect(upTo: bodyBytesMax)
        let simulated = SimulatedRequest(
            request.method.rawValue, request.head.path ?? "/",
            headers: request.headers.map { HTTPHeader($0.name.rawName, $0.value) }, body: Array(body.readableBytesView))
        if SimulatorControl.handles(simulated) {
            return Response(SimulatorControl(vco).answer(simulated, now: wallMilliseconds()))
        }
        let ticket = vco.begin(simulated, now: wallMilliseconds())
        if ticket.latency > .zero {
            // The work is done even when the caller has gone, as on a real server.
            let pause = TimeAmount(ticket.latency)
            try? await context.channel.eventLoop.scheduleTask(in: pause) {}.futureResult.get()
        }
        switch vco.finish(ticket, now: wallMilliseconds()) {
        case .reply(let reply): return Response(reply)
        case .drop:
            // The request was read to its end, so that closing sends FIN: an empty reply, on every client.
            try await context.channel.close().get()
            throw ConnectionDropped()
        }
    }
}

extension Response {
    init(_ reply: SimulatedReply) {
        var fields = HTTPFields()
        for header in reply.headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        self.init(
            status: .init(code: reply.status), headers: fields,
            body: .init(byteBuffer: ByteBuffer(bytes: reply.body)))
    }
}
