import ArgumentParser
import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Kubernetes
import Logging
import Operator

/// `velokube-bench informer`
struct SyncInformer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "informer",
        abstract: "Syncs the operator's informer once with the API server of $VELOKUBE_TEST_KUBECONFIG.")

    /// What a resource may take, its part of the connection, the program and the list included.
    private static let shareMax = 3000.0

    func run() async throws {
        economizeMemory()
        let start = Memory.now()
        let transport = CountingTransport()
        let cache = ResourceCache(random: SeededRandom(seed: 1), notOlderThan: nil)
        let service = InformerService<VelocloudBP>(
            client: try client(transport), cache: cache, namespace: nil, time: .live,
            log: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }, onSynced: {})
        let taken = try await seconds {
            while !cache.isComplete(VelocloudBP.self) {
                if case .at(let time) = await service.step() { try await Time.live.sleep(time) }
            }
        }
        let processor = processorSeconds()
        let memory = Memory.now()
        let counts = transport.counts
        let count = cache.count
        let what = "informer of \(count) resources"
        row("\(what): time to sync", taken, "s")
        row("\(what): processor time of the process", processor, "s")
        row("\(what): peak resident memory", memory.peak, "MB")
        row("\(what): resident memory when synced", memory.resident, "MB")
        row("\(what): requests", Double(counts.requests), "")
        row("\(what): bytes read", Double(counts.bytes) / 1e6, "MB")
        guard count >= 10_000 else { return }
        let share = (memory.peak - start.peak) * 1_048_576 / Double(count)
        row("\(what): peak memory for each", share, "bytes")
        guard share < Self.shareMax else { throw Unfit("a resource takes more than \(Self.shareMax) bytes") }
    }

    private func client(_ transport: any HTTPTransport) throws -> KubernetesClient {
        let configuration = try ClusterConfiguration.resolve(
            kubeURL: nil, kubeconfig: environment("VELOKUBE_TEST_KUBECONFIG"), context: nil, environment: [:])
        return KubernetesClient(
            configuration: configuration, transport: transport, now: { Time.live.now().nanoseconds })
    }
}

/// The real network, with a count of what comes over it.
final class CountingTransport: HTTPTransport {
    struct Counts {
        var requests = 0
        var bytes = 0
    }

    private let curl = CurlTransport(userAgent: "velokube-bench")
    private let state = Locked(Counts())

    var counts: Counts { state.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        state.withLock { $0.requests += 1 }
        var response = try await curl.send(request)
        let body = response.body
        response.body = HTTPBody { [state] () async throws(TransportError) in
            let chunk = try await body.next()
            state.withLock { $0.bytes += chunk?.count ?? 0 }
            return chunk
        }
        return response
    }
}

/// A variable of the process's environment.
func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
