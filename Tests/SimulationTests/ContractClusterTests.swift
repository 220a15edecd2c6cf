import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// The rest of what the operator and `kubectl` lean on, held to by both servers: Leases, Events, rights, discovery.
@Suite struct ContractClusterTests {
    /// A Lease is taken by whoever names its current version, and by nobody else.
    @Test(arguments: ContractServer.allCases)
    func leasesAreTakenOnce(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "leases")
        let path = "/apis/coordination.k8s.io/v1/namespaces/leases/leases"
        func lease(_ holder: String, version: String? = nil) -> JSON {
            let metadata: JSON = ["name": "l", "namespace": "leases"]
            return [
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": version.map { metadata.merged(["resourceVersion": .string($0)]) } ?? metadata,
                "spec": [
                    "holderIdentity": .string(holder), "leaseDurationSeconds": 15,
                    "renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 0,
                ],
            ]
        }
        #expect(try await cluster.ask("GET", "\(path)/l").status == 404)
        let made = try await cluster.ask("POST", path, lease("a"))
        #expect(made.status == 201 && made.json[path: "spec.holderIdentity"] == "a", "\(made.json)")
        let second = try await cluster.ask("POST", path, lease("b"))
        #expect(second.status == 409 && second.reason == "AlreadyExists")
        let renewed = try await cluster.ask("PUT", "\(path)/l", lease("a2", version: made.version))
        #expect(renewed.status == 200 && renewed.version != made.version, "\(renewed.json)")
        #expect(renewed.json[path: "spec.renewTime"] == "2026-01-01T00:00:00.000000Z")
        let late = try await cluster.ask("PUT", "\(path)/l", lease("b", version: made.version))
        #expect(late.status == 409 && late.reason == "Conflict")
        #expect(
            late.message
                == "Operation cannot be fulfilled on leases.coordination.k8s.io \"l\": the object has been modified; "
                + "please apply your changes to the latest version and try again")
        let blind = try await cluster.ask("PUT", "\(path)/l", lease("b"))
        #expect(blind.status == 422 && blind.message.contains("must be specified for an update"), "\(blind.json)")
        #expect(try await cluster.ask("GET", "\(path)/l").json[path: "spec.holderIdentity"] == "a2")
    }

    /// Events are made and counted up by patches.
    @Test(arguments: ContractServer.allCases)
    func eventsAreMadeAndPatched(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "events")
        let path = "/api/v1/namespaces/events/events"
        let event: JSON = [
            "metadata": ["name": "e.1", "namespace": "events"], "reason": "Added", "type": "Normal", "message": "m",
            "involvedObject": [
                "apiVersion": .string("\(Contract.group)/v1"), "kind": "Contract", "name": "a", "namespace": "events",
            ], "count": 1, "source": ["component": "test"], "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00Z",
        ]
        #expect(try await cluster.ask("POST", path, event).status == 201)
        #expect(try await cluster.ask("POST", path, event).reason == "AlreadyExists")
        let counted = try await cluster.ask(
            "PATCH", "\(path)/e.1", ["count": 2, "lastTimestamp": "2026-01-01T00:01:00Z"], type: ContractCluster.merge)
        #expect(counted.status == 200 && counted.json["count"]?.int == 2, "\(counted.json)")
        let found = try await cluster.ask("GET", "\(path)?fieldSelector=reason%3DAdded,involvedObject.name%3Da")
        #expect(found.items == ["e.1"])
        #expect(try await cluster.ask("GET", "\(path)?fieldSelector=reason%3DOther").items.isEmpty)
        let strange = try await cluster.ask("PATCH", "\(path)/none", ["count": 2], type: ContractCluster.merge)
        #expect(strange.status == 404 && strange.message == "events \"none\" not found")
    }

    /// A service account may do what it was given the right to and nothing else, and is told which right it lacks.
    @Test(arguments: ContractServer.allCases)
    func rightsAreGiven(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "rights")
        _ = try await cluster.create("a")
        let accounts = "/api/v1/namespaces/rights/serviceaccounts"
        try #require(try await cluster.ask("POST", accounts, ["metadata": ["name": "robot"]]).status == 201)
        let rights = "/apis/rbac.authorization.k8s.io/v1/namespaces/rights"
        let rules: JSON = [
            [
                "apiGroups": [.string(Contract.group)], "resources": ["contracts"], "verbs": ["get"],
                "resourceNames": ["a"],
            ],
            ["apiGroups": [.string(Contract.group)], "resources": ["contracts/status"], "verbs": ["patch"]],
        ]
        let role = try await cluster.ask("POST", "\(rights)/roles", ["metadata": ["name": "r"], "rules": rules])
        try #require(role.status == 201, "\(role.json)")
        let binding = try await cluster.ask(
            "POST", "\(rights)/rolebindings",
            [
                "metadata": ["name": "b"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"],
                "subjects": [["kind": "ServiceAccount", "name": "robot", "namespace": "rights"]],
            ])
        try #require(binding.status == 201, "\(binding.json)")
        let granted = try await cluster.ask(
            "POST", "\(accounts)/robot/token",
            [
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": ["expirationSeconds": 600],
            ])
        let token = try #require(granted.json[path: "status.token"]?.string, "\(granted.json)")
        func ask(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> ContractCluster.Reply {
            try await cluster.ask(method, path, body, type: ContractCluster.merge, token: token)
        }
        #expect(try await ask("GET", "\(cluster.path)/a").status == 200)
        #expect(try await ask("PATCH", "\(cluster.path)/a/status", ["status": ["seen": 1]]).status == 200)
        let user = "User \"system:serviceaccount:rights:robot\" cannot"
        let place = "in API group \"\(Contract.group)\" in the namespace \"rights\""
        let other = try await ask("GET", "\(cluster.path)/b")
        #expect(other.status == 403 && other.reason == "Forbidden")
        #expect(
            other.message
                == "contracts.\(Contract.group) \"b\" is forbidden: \(user) get resource \"contracts\" \(place)")
        #expect(other.json["details"]?["name"] == "b" && other.json["details"]?["kind"] == "contracts")
        let list = try await ask("GET", cluster.path)
        #expect(
            list.message == "contracts.\(Contract.group) is forbidden: \(user) list resource \"contracts\" \(place)")
        let patch = try await ask("PATCH", "\(cluster.path)/a", ["spec": ["port": 2]])
        #expect(patch.status == 403 && patch.message.contains("\(user) patch resource \"contracts\" \(place)"))
        let read = try await ask("GET", "\(cluster.path)/a/status")
        #expect(read.status == 403 && read.message.contains("get resource \"contracts/status\""))
        let wide = try await ask("GET", "\(Contract.base)/contracts")
        #expect(wide.message.hasSuffix("in API group \"\(Contract.group)\" at the cluster scope"))
        let bad = try await cluster.ask("GET", "\(cluster.path)/a", token: "nonsense")
        #expect(bad.status == 401 && bad.reason == "Unauthorized" && bad.message == "Unauthorized")
        let named = try await cluster.ask(
            "GET", "\(cluster.path)/a", headers: [HTTPHeader("Impersonate-User", "developer")])
        #expect(named.status == 403 && named.message.contains("User \"developer\" cannot get"), "\(named.json)")
    }

    /// Discovery tells clients the names, verbs and subresources of what is served.
    @Test(arguments: ContractServer.allCases)
    func discoveryTellsWhatIsServed(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "discovery")
        let group = try await cluster.ask("GET", "/apis/\(Contract.group)")
        #expect(group.json["kind"] == "APIGroup" && group.json[path: "preferredVersion.version"] == "v1")
        let list = try await cluster.ask("GET", Contract.base)
        #expect(list.json["kind"] == "APIResourceList" && list.json["groupVersion"] == .string("\(Contract.group)/v1"))
        let resources = list.json["resources"]?.array ?? []
        let resource = try #require(resources.first { $0["name"] == "contracts" })
        #expect(resource["namespaced"] == true && resource["kind"] == "Contract")
        #expect(resource["singularName"] == "contract" && resource["shortNames"] == ["con"])
        let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        #expect(resource["verbs"]?.array?.compactMap(\.string).sorted() == verbs)
        let status = try #require(resources.first { $0["name"] == "contracts/status" })
        #expect(status["verbs"]?.array?.compactMap(\.string).sorted() == ["get", "patch", "update"])
        let version = try await cluster.ask("GET", "/version")
        #expect(version.status == 200 && version.json["major"] == "1")
        let definition = try await cluster.ask("GET", "\(Contract.definitions)/contracts.\(Contract.group)")
        #expect(definition.json[path: "status.acceptedNames.listKind"] == "ContractList")
        #expect(definition.json[path: "status.storedVersions"] == ["v1"])
    }
}
