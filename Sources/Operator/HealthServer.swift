import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Tells the kubelet and Prometheus how the process is: `/healthz`, `/readyz`, `/metrics`, and nothing else.
///
/// A probe is all of its checks; `/readyz/informer-sync` is one of them alone. `?verbose` shows each, and `?exclude=`
/// leaves one out.
///
/// The VCO's health is neither: an outage there must not get the pod restarted or cut off. Liveness is the process's
/// own, readiness is that the caches are synced.
package struct HealthServer: Service {
    private let address: ListenAddress
    private let logger: Logger
    private let health: [HealthCheck]
    private let readiness: [HealthCheck]
    private let metrics: @Sendable () async -> String
    private let onListening: @Sendable (ListenAddress) async -> Void

    /// `onListening` is told the address with the port that was picked.
    package init(
        address: ListenAddress, logger: Logger, health: [HealthCheck], readiness: [HealthCheck],
        metrics: @escaping @Sendable () async -> String,
        onListening: @escaping @Sendable (ListenAddress) async -> Void = { _ in }
    ) {
        self.address = address
        self.logger = logger
        self.health = health
        self.readiness = readiness
        self.metrics = metrics
        self.onListening = onListening
    }

    /// Serves until graceful shutdown or cancellation.
    package func run() async throws {
        let host = address.host ?? ListenAddress.everyInterface
        var quiet = logger
        // The server's own lines are about its connections; ours tell what an operator needs.
        quiet.logLevel = .critical
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: address.port), serverName: nil, backlog: Self.backlog),
            onServerRunning: { channel in
                var bound = address
                bound.port = channel.localAddress?.port ?? address.port
                logger.event(.info, "listening", [.address: .string(bound.description)])
                await onListening(bound)
            },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenError(address: address, problem: "\(error)")
        }
    }

    /// The address cannot be had: taken, not ours, or not allowed.
    package struct ListenError: Error, CustomStringConvertible {
        package var address: ListenAddress
        package var problem: String

        package var description: String {
            "--listen \(address): cannot listen there: \(problem). Choose another address, or port 0 for any free one"
        }
    }

    /// Connections that wait to be taken: a few probes and scrapers, never more.
    private static let backlog = 64

    private var router: Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        Self.add("healthz", health, failure: .internalServerError, to: router)
        Self.add("readyz", readiness, failure: .serviceUnavailable, to: router)
        router.get("/metrics") { _, _ in
            Self.response(.ok, await metrics(), contentType: Metrics.contentType)
        }
        return router
    }

    /// A probe under its name, and each of its checks under that; what is no check is not found.
    private static func add(
        _ endpoint: String, _ checks: [HealthCheck], failure: HTTPResponse.Status,
        to router: Router<BasicRequestContext>
    ) {
        router.get("/\(endpoint)") { request, _ in
            let parameters = request.uri.queryParameters
            let report = await HealthReport(
                endpoint: endpoint, checks: checks, excluding: parameters[values: "exclude"].map(String.init))
            return response(
                report.isWell ? .ok : failure, report.text(isVerbose: parameters["verbose"] != nil))
        }
        for check in checks {
            router.get("/\(endpoint)/\(check.name)") { _, _ in
                if let problem = await check.problem() { return response(failure, problem + "\n") }
                return response(.ok, "ok\n")
            }
        }
    }

    private static func response(
        _ status: HTTPResponse.Status, _ text: String, contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
