import ControlLoop
import HTTPTransport
import Kubernetes
import Logging
import Orchestrator
import ServiceLifecycle
import UnixSignals

/// Runs the operator until SIGTERM or SIGINT, then finishes the write in hand and returns.
///
/// Throws for a bad configuration (exit code 2) and for what makes going on impossible; trouble with the VCO or the API
/// server is never that.
package func runOperator(_ configuration: RunConfiguration, environment: [String: String]) async throws {
    economizeMemory()
    let time = Time.live
    let sink = LineLogHandler.standardError()
    let logLevel = LogLevel(configuration.logLevel)
    let log = Logger(label: "velokube") { _ in
        LineLogHandler(format: configuration.logFormat, level: logLevel, now: time.wallMilliseconds, sink: sink)
    }
    let resolve: FileFollower.Resolution = { () throws(Kubernetes.ConfigurationError) in
        try ClusterConfiguration.resolve(
            kubeURL: configuration.cluster.url, kubeconfig: configuration.cluster.kubeconfig,
            context: configuration.cluster.context, environment: environment)
    }
    let cluster = try resolve()
    let orchestrator = try configuration.orchestrator.resolved()
    for warning in configuration.warnings + cluster.warnings {
        log.event(.warning, "Configuration", [.message: .string(warning)])
    }
    let transport = CurlTransport(userAgent: "velokube/\(velokubeVersion)")
    defer { transport.shutDown() }
    let metrics = MetricsRegistry(startedAt: time.now())
    let nanoseconds: @Sendable () -> Int64 = { time.now().nanoseconds }
    let service = OperatorService(
        configuration: configuration,
        kubernetes: KubernetesClient(
            configuration: cluster, transport: transport, now: nanoseconds,
            onCall: { call in metrics.update { $0.observe(call) } }),
        orchestrator: OrchestratorClient(
            configuration: orchestrator, transport: transport, now: nanoseconds,
            onCall: { method, result, duration in
                metrics.update {
                    $0.observeCall(method: method, result: result, duration: .nanoseconds(duration))
                }
            }),
        orchestratorName: orchestrator.bindingName,
        leaseNamespace: configuration.leaseNamespace(podNamespace: cluster.podNamespace), time: time, log: log,
        metrics: metrics)
    log.event(
        .info, "velokube starts",
        [
            .version: .string(velokubeVersion), .server: .string(cluster.server),
            .orchestrator: .string(orchestrator.bindingName), .namespace: .string(configuration.namespace ?? "*"),
        ])
    let health = HealthServer(
        address: configuration.listen, logger: log, health: service.health, readiness: service.readiness,
        metrics: { service.renderedMetrics })
    let follower = FileFollower(
        cluster: cluster, resolve: resolve, kubernetes: service.kubernetes, orchestrator: service.orchestrator,
        logLevel: logLevel, logLevelFile: configuration.logLevelFile,
        ledgerProblem: { service.ledgerProblem }, time: time, log: log, metrics: metrics)
    // Nobody probes what ends by itself.
    let services: [ServiceGroupConfiguration.ServiceConfiguration] =
        configuration.uninstall == nil
        ? [.init(service: health), .init(service: follower), .init(service: service)]
        : [.init(service: follower), .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)]
    var lifecycle = ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint],
        logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() })
    lifecycle.maximumGracefulShutdownDuration = OperatorService.drainMax
    try await ServiceGroup(configuration: lifecycle).run()
    log.event(.info, "velokube has stopped")
}
