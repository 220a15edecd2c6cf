import ArgumentParser
import BusinessPolicy
import FoundationEssentials
import HTTPTransport

/// `velokube-bench fill`
struct FillCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill",
        abstract: "Makes VelocloudBP resources in the etcd at $VELOKUBE_TEST_ETCD.",
        discussion: "Behind the API server's back: an old one takes some hundred a second, etcd some ten thousand.")

    @Option(help: "The number of the first resource.")
    var from = 0

    @Option(help: "The number after that of the last one.")
    var to: Int

    @Option(help: "All resources name this profile; 20 different ones if none is given.")
    var profile: String?

    @Flag(help: "Leaves them as a user makes them, without finalizer and status.")
    var bare = false

    /// Etcd's own limit is 128.
    private static let putsPerTransaction = 100

    func run() async throws {
        guard let etcd = environment("VELOKUBE_TEST_ETCD") else {
            throw Unfit("VELOKUBE_TEST_ETCD is not set")
        }
        let transport = CurlTransport(userAgent: "velokube-bench")
        for start in stride(from: from, to: to, by: Self.putsPerTransaction) {
            let numbers = start..<min(start + Self.putsPerTransaction, to)
            let body: JSON = ["success": .array(numbers.map(put))]
            let response = try await transport.send(
                HTTPRequest(.post, url: etcd + "/v3/kv/txn", body: body.serialized()))
            let answer = try await response.body.collect()
            guard response.status == 200, try JSON.parse(answer)["succeeded"]?.bool == true else {
                throw Unfit("etcd: \(String(decoding: answer, as: UTF8.self))")
            }
        }
    }

    private func put(_ number: Int) -> JSON {
        let key = "/registry/vcn.cloud/velocloudbps/\(Resources.namespace)/\(Resources.name(number))"
        let object = Resources.object(
            number, profile: profile ?? Resources.profile(number), isHandled: !bare)
        return ["requestPut": ["key": base64(Array(key.utf8)), "value": base64(object.serialized())]]
    }

    private func base64(_ bytes: [UInt8]) -> JSON { .string(Data(bytes).base64EncodedString()) }
}
