import HTTPTransport

import enum BusinessPolicy.JSON

/// The control endpoint `/sim/kube/`: looking at the simulated API server and making it misbehave, without a token.
package struct KubeControl: Sendable {
    private let api: SimulatedAPIServer

    package init(_ api: SimulatedAPIServer) {
        self.api = api
    }

    /// True for requests that are not the API server's own.
    package static func handles(_ request: SimulatedRequest) -> Bool {
        request.path == "/sim" || request.path.hasPrefix("/sim/")
    }

    /// Answers a request.
    package func answer(_ request: SimulatedRequest) -> SimulatedReply {
        do throws(ControlProblem) {
            return Self.json(try answered(request), status: 200)
        } catch {
            return Self.json(.record(["error": .string(error.text)]), status: error.status)
        }
    }

    private func answered(_ request: SimulatedRequest) throws(ControlProblem) -> JSON {
        switch (request.method, request.path) {
        case ("GET", "/sim/kube/calls"):
            return .record(["counts": Self.counts(api.counts), "effects": Self.counts(api.effects)])
        case ("DELETE", "/sim/kube/calls"): api.clearCounts()
        case ("POST", "/sim/kube/compact"): api.compact()
        case ("POST", "/sim/kube/cut"): api.cutWatches()
        case ("POST", "/sim/kube/break"): api.breakWatches()
        case ("POST", "/sim/kube/bookmarks"): api.sendBookmarks()
        case ("POST", "/sim/kube/faults"): api.inject(try Self.fault(request.body))
        case ("DELETE", "/sim/kube/faults"): api.clearFaults()
        default:
            throw ControlProblem(
                "no \(request.method) \(request.path) here; velokube-sim kube --help explains what is", status: 404)
        }
        return .record(["done": .bool(true)])
    }

    private static func fault(_ bytes: [UInt8]) throws(ControlProblem) -> APIFault {
        let body = try ControlBody(bytes, known: ["status", "call", "calls", "skip", "retryAfter"])
        guard let status = try body.number("status") else { throw ControlProblem("status is required") }
        let retryAfter = try body.number("retryAfter")
        let failure: APIFailure
        switch status {
        case 401: failure = .unauthorized
        case 403: failure = .forbidden("forbidden by a fault")
        case 409: failure = APIFailure(code: 409, reason: "Conflict", message: "a conflict by a fault")
        case 410: failure = .gone(1, oldest: 2)
        case 429: failure = .tooManyRequests(retryAfter: retryAfter ?? 1)
        case 500: failure = .serverError
        case 503:
            failure = APIFailure(
                code: 503, reason: "ServiceUnavailable",
                message: "the server is currently unable to handle the request",
                retryAfter: retryAfter)
        default: throw ControlProblem("status must be 401, 403, 409, 410, 429, 500 or 503")
        }
        return APIFault(
            failure, call: try body.text("call"), calls: try body.number("calls"),
            skipping: try body.number("skip") ?? 0)
    }

    private static func counts(_ counts: [String: Int]) -> JSON {
        .object(counts.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })
    }

    /// JSON with a line end, as it is read in terminals.
    private static func json(_ json: JSON, status: Int) -> SimulatedReply {
        .json(status, json.serialized() + [UInt8(ascii: "\n")])
    }

    /// What stands below the program's own help.
    package static let help = """
        A simulated Kubernetes API server, to try kubectl and to test programs that
        watch resources. It begins as a fresh cluster, forgets everything when it ends,
        and runs nothing: no pods, no garbage collection.

          velokube-sim kube --listen 127.0.0.1:8001 --kubeconfig-out sim.kubeconfig &
          export KUBECONFIG=sim.kubeconfig
          kubectl apply -k manifests/crd

        WHAT IT SERVES
          Kinds of CustomResourceDefinitions, as soon as one is applied: validation,
          defaults, pruning, printer columns, status subresource, finalizers, explain.
          Namespaces, Events, Leases, ConfigMaps, Secrets, ServiceAccounts, Services,
          PersistentVolumeClaims, Pods, Deployments, Jobs, NetworkPolicies,
          PodDisruptionBudgets, and the kinds of RBAC: kept as they are sent.
          Not served: server-side apply, several versions of a kind, admission webhooks,
          CEL rules in schemas, the refusal to give rights that one lacks.

        WHO MAY WHAT
          Role-based access control. A request without a token is the administrator's,
          as kubectl sends none over plain HTTP: so the port is for this machine alone.
          kubectl --as NAME acts in another name; kubectl create token makes a token of
          a service account, which programs send as they do to a real server.

        CONTROL (no token; JSON in, JSON out)
          GET    /sim/kube/calls      requests by verb and resource; DELETE forgets them
          POST   /sim/kube/compact    forget the history: older watches get 410
          POST   /sim/kube/cut        end every watch as a server does at its time
          POST   /sim/kube/break      end every watch as a broken connection does
          POST   /sim/kube/bookmarks  send a bookmark to every watch
          POST   /sim/kube/faults     let calls fail; DELETE ends all faults
                 {"status": 401|403|409|410|429|500|503, "call": "patch velocloudbps",
                  "calls": 1, "skip": 0, "retryAfter": 1}; all but status may be left out
        """
}
