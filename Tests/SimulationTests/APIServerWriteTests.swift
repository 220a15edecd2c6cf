import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite struct APIServerWriteTests {
    private let cluster = Cluster()

    /// A created resource gets what a server gives: uid, version, generation 1, a time in whole seconds.
    @Test func createsResources() {
        let made = cluster.apply("a")
        #expect(made["kind"]?.string == "VelocloudBP" && made["apiVersion"]?.string == "vcn.cloud/v1")
        #expect(made[path: "metadata.generation"]?.int == 1)
        #expect(made[path: "metadata.creationTimestamp"]?.string == "2026-01-01T00:00:00Z")
        #expect(made[path: "metadata.namespace"]?.string == "default")
        #expect(made[path: "metadata.resourceVersion"]?.string == String(cluster.api.resourceVersion))
        let other = cluster.apply("b")
        #expect(other[path: "metadata.uid"] != made[path: "metadata.uid"])
        let get = cluster.reply("GET", "\(Cluster.base)/namespaces/default/velocloudbps/a")
        #expect(get.status == 200 && get.json == made)
    }

    /// The generation moves with the spec alone, and a write that changes nothing is none.
    @Test func generationCountsSpecs() {
        cluster.apply("a", port: 1)
        #expect(cluster.apply("a", port: 2)[path: "metadata.generation"]?.int == 2)
        let version = cluster.api.resourceVersion
        cluster.apply("a", port: 2)
        #expect(cluster.api.resourceVersion == version)
        cluster.api.annotate("a", "vcn.cloud/paused", "true")
        #expect(cluster.patch("a", "{\"status\":{\"x\":1}}", status: true).status == 200)
        let object = cluster.api.object("a")
        #expect(object?[path: "metadata.generation"]?.int == 2)
        #expect(object?[path: "metadata.annotations"]?["vcn.cloud/paused"]?.string == "true")
        #expect(cluster.api.resourceVersion == version + 2)
        cluster.api.annotate("a", "vcn.cloud/paused", nil)
        #expect(cluster.api.object("a")?[path: "metadata.annotations"] == .object([]))
        #expect(cluster.patch("a", "{\"spec\":{\"dport\":3,\"profile\":null}}").json["spec"] == .text("{\"dport\":3}"))
        #expect(cluster.api.object("a")?[path: "metadata.generation"]?.int == 3)
        let quiet = cluster.api.resourceVersion
        #expect(cluster.patch("a", "{\"status\":{\"x\":1}}", status: true).status == 200)
        #expect(cluster.api.resourceVersion == quiet)
    }

    /// Status is written through its subresource alone, and the subresource writes nothing else.
    @Test func statusIsASubresource() {
        cluster.apply("a")
        _ = cluster.patch("a", "{\"status\":{\"x\":1}}")
        #expect(cluster.api.object("a")?["status"] == nil)
        let patch = "{\"status\":{\"x\":1,\"y\":null},\"spec\":{\"dport\":9},\"metadata\":{\"finalizers\":[\"f\"]}}"
        let reply = cluster.patch("a", patch, status: true)
        #expect(reply.json["status"] == .text("{\"x\":1}"))
        #expect(reply.json[path: "spec.dport"]?.int == 443)
        #expect(reply.json[path: "metadata.finalizers"] == nil)
        _ = cluster.patch("a", "{\"status\":{\"x\":null}}", status: true)
        #expect(cluster.api.object("a")?["status"] == .object([]))
    }

    /// A patch that names another version is a conflict, whatever uid it names, and changes nothing.
    @Test(arguments: [true, false])
    func optimisticLocking(isStatus: Bool) throws {
        let old = cluster.apply("a")
        let version = try #require(old[path: "metadata.resourceVersion"]?.string)
        let uid = try #require(old[path: "metadata.uid"]?.string)
        func patch(_ version: String, _ uid: String) -> SimulatedReply {
            let metadata = "{\"resourceVersion\":\"\(version)\",\"uid\":\"\(uid)\",\"finalizers\":[\"f\"]}"
            return cluster.patch("a", "{\"metadata\":\(metadata),\"status\":{\"x\":1}}", status: isStatus)
        }
        for reply in [patch("1", uid), patch("1", "other")] {
            #expect(reply.status == 409)
            #expect(reply.json["reason"]?.string == "Conflict")
            #expect(reply.json[path: "details.name"]?.string == "a")
        }
        #expect(cluster.api.object("a") == old)
        #expect(patch(version, uid).status == 200)
        #expect(patch(version, uid).status == 409)
    }

    /// The server's own members cannot be patched.
    @Test func systemMembersStay() throws {
        let old = cluster.apply("a")
        let names = ["generation", "creationTimestamp", "deletionTimestamp", "name", "namespace"]
        for name in names { _ = cluster.patch("a", "{\"metadata\":{\"\(name)\":\"7\"}}") }
        #expect(cluster.api.object("a") == old)
    }

    /// Without finalizers a deletion is at once; with them it waits for the last one to go.
    @Test func finalizersHoldResources() {
        cluster.apply("a")
        cluster.api.delete("a")
        #expect(cluster.api.object("a") == nil)
        cluster.apply("b")
        _ = cluster.patch("b", "{\"metadata\":{\"finalizers\":[\"f\",\"g\"]}}")
        #expect(cluster.api.object("b")?[path: "metadata.generation"]?.int == 1)
        cluster.clock.advance(5000)
        cluster.api.delete("b")
        let marked = cluster.api.object("b")
        #expect(marked?[path: "metadata.deletionTimestamp"]?.string == "2026-01-01T00:00:05Z")
        #expect(marked?[path: "metadata.generation"]?.int == 2)
        cluster.api.delete("b")
        #expect(cluster.api.object("b") == marked)
        let more = cluster.patch("b", "{\"metadata\":{\"finalizers\":[\"f\",\"g\",\"h\"]}}")
        #expect(more.status == 422 && more.json["reason"]?.string == "Invalid")
        #expect(cluster.patch("b", "{\"metadata\":{\"finalizers\":[\"g\"]}}").status == 200)
        let last = cluster.patch("b", "{\"metadata\":{\"finalizers\":null}}")
        #expect(last.status == 200 && last.json[path: "metadata.name"]?.string == "b")
        #expect(cluster.api.object("b") == nil)
        #expect(cluster.patch("b", "{\"metadata\":{\"finalizers\":[]}}").status == 404)
    }

    /// A resource made again under its name is another one, and one may vanish past its finalizers.
    @Test func recreatedResourcesAreOthers() {
        let first = cluster.apply("a")
        _ = cluster.patch("a", "{\"metadata\":{\"finalizers\":[\"f\"]}}")
        cluster.api.vanish("a")
        let second = cluster.apply("a")
        #expect(first[path: "metadata.uid"] != second[path: "metadata.uid"])
        #expect(second[path: "metadata.finalizers"] == nil)
    }

    /// What is not there is refused with a status that names it; what is not served with one that names nothing.
    @Test func absenceIsNamed() {
        let missing = cluster.reply("GET", "\(Cluster.base)/namespaces/default/velocloudbps/a")
        #expect(missing.status == 404)
        #expect(
            missing.json
                == .text(
                    """
                    {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",\
                    "message":"velocloudbps.vcn.cloud \\"a\\" not found","reason":"NotFound",\
                    "details":{"name":"a","group":"vcn.cloud","kind":"velocloudbps"},"code":404}
                    """))
        cluster.apply("a")
        cluster.api.modes.crd = .missing
        #expect(cluster.list().status == 404 && cluster.list().text == "404 page not found\n")
        cluster.api.modes.crd = .missingAsStatus
        let reply = cluster.list()
        #expect(reply.status == 404 && reply.json["details"] == .object([]))
        #expect(reply.json["message"]?.string == "the server could not find the requested resource")
        cluster.api.modes.crd = .installed
        #expect(cluster.list().status == 200)
        #expect(cluster.reply("GET", "/apis/other/v1/things").status == 404)
    }

    /// Namespaces have uids, and events are made and patched; in a namespace that is going away nothing is made.
    @Test func namespacesAndEvents() {
        let system = cluster.reply("GET", "/api/v1/namespaces/kube-system")
        #expect(system.json[path: "metadata.uid"]?.string?.isEmpty == false)
        #expect(cluster.reply("GET", "/api/v1/namespaces/other").status == 404)
        let event = "{\"metadata\":{\"name\":\"e\",\"namespace\":\"default\"},\"count\":1}"
        let path = "/api/v1/namespaces/default/events"
        #expect(cluster.reply("POST", path, event).status == 201)
        #expect(cluster.reply("POST", path, event).json["reason"]?.string == "AlreadyExists")
        #expect(cluster.reply("PATCH", "\(path)/e?fieldManager=x", "{\"count\":2}").json["count"]?.int == 2)
        #expect(cluster.reply("POST", path, "{\"metadata\":{\"generateName\":\"g.\"}}").status == 201)
        #expect(cluster.api.events().count == 2)
        #expect(cluster.api.events()[0]["count"]?.int == 2)
        cluster.api.modes.terminatingNamespaces = ["default"]
        #expect(cluster.reply("POST", path, "{\"metadata\":{\"name\":\"f\"}}").status == 403)
        #expect(cluster.api.writes == 0)
        #expect(cluster.api.counts["create events"] == 4 && cluster.api.effects["create events"] == 2)
    }

    /// Calls are counted by verb and kind; faults and refusals befall the calls they name.
    @Test func countsAndFails() {
        cluster.apply("a")
        cluster.api.inject(APIFault(.tooManyRequests(retryAfter: 3), call: "patch velocloudbps", skipping: 1))
        let body = "{\"metadata\":{\"finalizers\":[\"f\"]}}"
        #expect(cluster.patch("a", body).status == 200)
        let limited = cluster.patch("a", body)
        #expect(limited.status == 429)
        #expect(limited.headers.contains(HTTPHeader("Retry-After", "3")))
        #expect(limited.json[path: "details.retryAfterSeconds"]?.int == 3)
        #expect(cluster.patch("a", body).status == 200)
        #expect(cluster.api.counts == ["patch velocloudbps": 3] && cluster.api.effects == ["patch velocloudbps": 1])
        #expect(cluster.api.writes == 3)
        cluster.api.inject(APIFault(.serverError, calls: nil))
        #expect([cluster.list().status, cluster.list().status] == [500, 500])
        cluster.api.clearFaults()
        cluster.api.modes.forbidden = ["list velocloudbps"]
        #expect(cluster.list().status == 403)
        cluster.api.modes = .init()
        cluster.api.modes.token = "t"
        #expect(cluster.list().status == 401)
        let right = cluster.reply(
            "GET", "\(Cluster.base)/velocloudbps", headers: [HTTPHeader("Authorization", "Bearer t")])
        #expect(right.status == 200)
        cluster.api.clearCounts()
        #expect(cluster.api.counts.isEmpty && cluster.api.writes == 0)
    }

    /// A patch in another format and a body that is no object are refused.
    @Test func refusesWhatItDoesNotServe() {
        cluster.apply("a")
        let path = "\(Cluster.base)/namespaces/default/velocloudbps/a"
        let json = SimulatedRequest("PATCH", path, headers: [HTTPHeader("Content-Type", "application/json")], body: [])
        guard case .reply(let reply) = cluster.api.handle(json) else { return #expect(Bool(false)) }
        #expect(reply.status == 415)
        #expect(cluster.patch("a", "[]").status == 400)
        #expect(cluster.reply("DELETE", path).status == 200)
        #expect(cluster.api.object("a") == nil)
    }
}
