import Glibc
import HTTPTransport
import HTTPTypes
import Hummingbird
import NIOCore
import Simulation

/// Turns HTTP into calls of the simulated API server, and its answers into HTTP; watches are streams that go on.
struct KubeResponder: SimulatorService {
    var api: SimulatedAPIServer
    var logsRequests: Bool

    /// Seconds between the bookmarks that watches are sent, as on real servers.
    private static let bookmarkSeconds: Int64 = 60

    func started(on loop: any EventLoop) {
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [api] _ in
            api.closeExpiredWatches()
        }
        loop.scheduleRepeatedTask(
            initialDelay: .seconds(Self.bookmarkSeconds), delay: .seconds(Self.bookmarkSeconds)
        ) { [api] _ in
            api.sendBookmarks()
        }
    }

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let head = SimulatedRequest(
            request.method.rawValue, request.head.path ?? "/",
            headers: request.headers.map { HTTPHeader($0.name.rawName, $0.value) })
        // The body of a watch must stay unread: its connection is then heard when it closes.
        var simulated = head
        let isWatch = request.method == .get
        if !isWatch { simulated.body = Array(try await request.body.collect(upTo: bodyBytesMax).readableBytesView) }
        if KubeControl.handles(simulated) { return Response(KubeControl(api).answer(simulated)) }
        switch api.handle(simulated) {
        case .reply(let reply):
            log(simulated, reply.status)
            return Response(reply)
        case .stream(let body):
            log(simulated, 200)
            return stream(body, request)
        }
    }

    private func stream(_ body: HTTPBody, _ request: Request) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { writer in
                // Headers go out at once, though nothing has happened yet.
                try await writer.write(ByteBuffer())
                let output = writer
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var output = output
                    while let chunk = try await body.next() {
                        try await output.write(ByteBuffer(bytes: chunk))
                    }
                    try await output.finish(nil)
                }
            })
    }

    private func log(_ request: SimulatedRequest, _ status: Int) {
        guard logsRequests else { return }
        output("\(request.method) \(request.target) \(status)\n", to: STDERR_FILENO)
    }
}
