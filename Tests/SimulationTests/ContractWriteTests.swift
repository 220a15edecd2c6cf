import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// Writing, held to by both servers: names, versions, generations, status, finalizers, deletion.
@Suite struct ContractWriteTests {
    /// A new resource gets what the server notes of it; names are given, completed or missing.
    @Test(arguments: ContractServer.allCases)
    func resourcesAreMade(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "making")
        let made = try await cluster.create("a", ["port": 1], [.init("status", ["seen": 1])])
        #expect(made.status == 201)
        let metadata = try #require(made.json["metadata"])
        #expect(metadata["generation"]?.int == 1 && metadata["namespace"] == "making" && metadata["name"] == "a")
        #expect(metadata["uid"]?.string?.count == 36 && metadata["creationTimestamp"]?.string?.hasSuffix("Z") == true)
        #expect(made.json["status"] == nil, "the status is written through its own path alone")
        let again = try await cluster.create("a")
        #expect(again.status == 409 && again.reason == "AlreadyExists")
        #expect(again.message == "contracts.\(Contract.group) \"a\" already exists")
        #expect(again.json["details"]?["name"] == "a" && again.json["details"]?["kind"] == "contracts")
        let named = try await cluster.ask(
            "POST", cluster.path,
            [
                "metadata": ["generateName": "gen-"], "apiVersion": .string("\(Contract.group)/v1"),
                "kind": "Contract", "spec": ["port": 1],
            ])
        let name = try #require(named.json[path: "metadata.name"]?.string)
        #expect(named.status == 201 && name.hasPrefix("gen-") && name.count == 9)
        let nameless = try await cluster.ask(
            "POST", cluster.path,
            [
                "apiVersion": .string("\(Contract.group)/v1"), "kind": "Contract",
                "spec": ["port": 1],
            ])
        #expect(nameless.status == 422, "\(nameless.json)")
        #expect(nameless.message.contains("metadata.name: Required value: name or generateName is required"))
        let stray = try await cluster.ask(
            "POST", "\(Contract.base)/namespaces/default/contracts",
            Contract.resource("b", ["port": 1]).merged(["metadata": ["namespace": "making"]]))
        #expect(stray.status == 400, "\(stray.json)")
    }

    private static let strangeUID = "00000000-0000-0000-0000-000000000000"

    /// A write that names another version than the current one is a conflict and changes nothing; so does a replacement
    /// that names another uid, while a patch then tries to change what cannot be changed.
    @Test(arguments: ContractServer.allCases)
    func versionsGuardWrites(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "conflicts")
        let first = try await cluster.create("a")
        let second = try await cluster.patch("a", ["spec": ["port": 2]])
        for status in [false, true] {
            let body: JSON = [
                "metadata": ["resourceVersion": .string(first.version)], "status": ["seen": 1], "spec": ["port": 3],
            ]
            let late = try await cluster.patch("a", body, status: status)
            #expect(late.status == 409 && late.reason == "Conflict", "\(late.json)")
            #expect(
                late.message
                    == "Operation cannot be fulfilled on contracts.\(Contract.group) \"a\": the object has been "
                    + "modified; please apply your changes to the latest version and try again")
            #expect(late.json["details"]?["name"] == "a")
            let stranger = try await cluster.patch("a", body.merged(["metadata": ["uid": .string(Self.strangeUID)]]))
            #expect(stranger.status == 409, "the version is looked at first: \(stranger.json)")
        }
        let other: JSON = ["metadata": ["uid": .string(Self.strangeUID)], "status": ["seen": 0], "spec": ["port": 3]]
        let stranger = try await cluster.patch("a", other)
        #expect(stranger.status == 422 && stranger.reason == "Invalid", "\(stranger.json)")
        #expect(stranger.message.hasSuffix("metadata.uid: Invalid value: \"\(Self.strangeUID)\": field is immutable"))
        let swapped = try await cluster.ask(
            "PUT", "\(cluster.path)/a", second.json.merged(["metadata": ["uid": .string(Self.strangeUID)]]))
        #expect(swapped.status == 409 && swapped.reason == "Conflict", "\(swapped.json)")
        #expect(swapped.message.contains("Precondition failed: UID in precondition: \(Self.strangeUID), UID in object"))
        let replacement = second.json.merged(["spec": ["port": 4]])
        let stale = try await cluster.ask("PUT", "\(cluster.path)/a", first.json.merged(["spec": ["port": 4]]))
        #expect(stale.status == 409 && stale.reason == "Conflict")
        let blind = try await cluster.ask(
            "PUT", "\(cluster.path)/a", replacement.merged(["metadata": ["resourceVersion": .null]]))
        #expect(blind.status == 422, "\(blind.json)")
        #expect(
            blind.message
                == "contracts.\(Contract.group) \"a\" is invalid: metadata.resourceVersion: Invalid value: 0x0: must "
                + "be specified for an update")
        let wrong = try await cluster.ask("PUT", "\(cluster.path)/b", replacement)
        #expect(wrong.status == 400, "\(wrong.json)")
        #expect(try await cluster.get("a").json == second.json)
        let replaced = try await cluster.ask("PUT", "\(cluster.path)/a", replacement)
        #expect(replaced.status == 200 && replaced.json[path: "spec.port"]?.int == 4)
        #expect(replaced.json[path: "metadata.generation"]?.int == 3)
    }

    /// A status is guarded by its version alone: the uid that a patch of it names is not looked at.
    @Test(arguments: ContractServer.allCases)
    func uidsDoNotGuardStatus(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "uids")
        let made = try await cluster.create("a")
        let patch: JSON = ["metadata": ["uid": .string(Self.strangeUID)], "status": ["seen": 1]]
        let told = try await cluster.patch("a", patch, status: true)
        #expect(
            told.status == 200 && told.json[path: "metadata.uid"] == made.json[path: "metadata.uid"], "\(told.json)")
    }

    /// Status and the rest are written apart: each path leaves the other's part alone, and only the spec's changes are
    /// counted by the generation.
    @Test(arguments: ContractServer.allCases)
    func statusIsWrittenApart(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "statuses")
        _ = try await cluster.create("a", ["port": 1])
        let both: JSON = ["spec": ["port": 9], "status": ["seen": 1], "metadata": ["labels": ["a": "b"]]]
        let status = try await cluster.patch("a", both, status: true)
        #expect(status.json[path: "spec.port"]?.int == 1 && status.json[path: "status.seen"]?.int == 1)
        #expect(status.json[path: "metadata.generation"]?.int == 1)
        #expect(status.json[path: "metadata.labels"] == nil, "the status alone is written")
        let spec = try await cluster.patch("a", both.merged(["status": ["seen": 2]]))
        #expect(spec.json[path: "spec.port"]?.int == 9 && spec.json[path: "status.seen"]?.int == 1)
        #expect(spec.json[path: "metadata.generation"]?.int == 2 && spec.json[path: "metadata.labels.a"] == "b")
        let label = try await cluster.patch("a", ["metadata": ["labels": ["a": "c"], "annotations": ["x": "y"]]])
        #expect(label.json[path: "metadata.generation"]?.int == 2 && label.version != spec.version)
        let read = try await cluster.ask("GET", "\(cluster.path)/a/status")
        #expect(read.status == 200 && read.json == label.json)
    }

    /// A patch that changes nothing is no write.
    @Test(arguments: ContractServer.allCases)
    func writesThatChangeNothingAreNone(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "nothing")
        _ = try await cluster.create("a", ["port": 1])
        let first = try await cluster.patch("a", ["status": ["seen": 1]], status: true)
        for (patch, status) in [
            (["spec": ["port": 1]], false), (["spec": ["note": .null]], false), (["status": ["seen": 1]], true),
            ([:], false),
        ] as [(JSON, Bool)] {
            let same = try await cluster.patch("a", patch, status: status)
            #expect(same.status == 200 && same.version == first.version, "\(patch): \(same.json)")
        }
        let bad = try await cluster.ask(
            "PATCH", "\(cluster.path)/a", [["op": "replace", "path": "/spec/port", "value": 3]],
            type: "application/json-patch+json")
        #expect(bad.status == 200 && bad.json[path: "spec.port"]?.int == 3)
        let strategic = try await cluster.ask(
            "PATCH", "\(cluster.path)/a", ["spec": ["port": 4]], type: "application/strategic-merge-patch+json")
        #expect(strategic.status == 415 && strategic.reason == "UnsupportedMediaType", "\(strategic.json)")
    }

    /// A finalizer holds a deleted resource. No finalizer can be added to it, and with the last one it goes; the write
    /// that takes it off is answered under the version before, as the resource was never kept under another.
    @Test(arguments: ContractServer.allCases)
    func finalizersHold(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "finalizers")
        _ = try await cluster.create("a")
        let held = try await cluster.patch("a", ["metadata": ["finalizers": ["x.test/f", "x.test/g"]]])
        #expect(held.json[path: "metadata.generation"]?.int == 1)
        let marked = try await cluster.ask("DELETE", "\(cluster.path)/a")
        #expect(marked.status == 200 && marked.json["kind"] == "Contract")
        #expect(marked.json[path: "metadata.deletionTimestamp"]?.string?.hasSuffix("Z") == true)
        #expect(marked.json[path: "metadata.deletionGracePeriodSeconds"]?.int == 0)
        #expect(marked.json[path: "metadata.generation"]?.int == 2)
        let again = try await cluster.ask("DELETE", "\(cluster.path)/a")
        #expect(again.status == 200 && again.version == marked.version)
        let added = try await cluster.patch(
            "a", ["metadata": ["finalizers": ["x.test/f", "x.test/g", "x.test/h"]]])
        #expect(added.status == 422 && added.reason == "Invalid", "\(added.json)")
        #expect(
            added.message
                == "Contract.\(Contract.group) \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can "
                + "be added if the object is being deleted, found new finalizers []string{\"x.test/h\"}")
        #expect(added.json[path: "details.causes.0.field"] == "metadata.finalizers")
        let one = try await cluster.patch("a", ["metadata": ["finalizers": ["x.test/g"]]])
        #expect(one.status == 200 && one.json[path: "metadata.deletionTimestamp"] != nil)
        let watch = try await cluster.watch("\(cluster.path)?watch=true&resourceVersion=\(one.version)")
        let last = try await cluster.patch("a", ["metadata": ["finalizers": .null]])
        #expect(last.status == 200 && last.version == one.version, "\(last.json)")
        #expect(last.json[path: "metadata.finalizers"] == nil)
        let event = try #require(try await watch.next())
        #expect(event["type"] == "DELETED" && event[path: "object.metadata.finalizers"] == ["x.test/g"], "\(event)")
        #expect(event[path: "object.metadata.resourceVersion"] != .string(one.version))
        #expect(try await cluster.get("a").status == 404)
        #expect(try await cluster.patch("a", ["metadata": ["finalizers": .null]]).status == 404)
        let another = try await cluster.create("a")
        #expect(another.json[path: "metadata.uid"] != held.json[path: "metadata.uid"])
    }

    /// A deletion that is meant for another uid or version does not happen.
    @Test(arguments: ContractServer.allCases)
    func deletionsHavePreconditions(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "preconditions")
        let made = try await cluster.create("a")
        for (condition, word) in [
            (["uid": "00000000-0000-0000-0000-000000000000"], "UID"), (["resourceVersion": "1"], "ResourceVersion"),
        ] as [(JSON, String)] {
            let refused = try await cluster.ask("DELETE", "\(cluster.path)/a", ["preconditions": condition])
            #expect(refused.status == 409 && refused.reason == "Conflict", "\(refused.json)")
            #expect(refused.message.contains("the \(word) in the precondition ("), "\(refused.message)")
        }
        let right: JSON = [
            "uid": try #require(made.json[path: "metadata.uid"]), "resourceVersion": .string(made.version),
        ]
        let options: JSON = ["preconditions": right, "propagationPolicy": "Background"]
        #expect(try await cluster.ask("DELETE", "\(cluster.path)/a", options).status == 200)
        #expect(try await cluster.ask("DELETE", "\(cluster.path)/a", options).status == 404)
    }

    /// What is only tried leaves no trace.
    @Test(arguments: ContractServer.allCases)
    func dryRunsLeaveNoTrace(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "trials")
        let made = try await cluster.create("a")
        let tried = try await cluster.ask(
            "PATCH", "\(cluster.path)/a?dryRun=All", ["spec": ["port": 5]], type: ContractCluster.merge)
        #expect(tried.status == 200 && tried.json[path: "spec.port"]?.int == 5)
        let other = try await cluster.ask(
            "POST", "\(cluster.path)?dryRun=All", Contract.resource("b", ["port": 1]))
        #expect(other.status == 201)
        let removed = try await cluster.ask("DELETE", "\(cluster.path)/a?dryRun=All")
        #expect(removed.status == 200)
        #expect(try await cluster.get("a").json == made.json)
        #expect(try await cluster.get("b").status == 404)
    }
}

extension JSON {
    /// With a merge patch applied, written here again so that the server's own is not what it is compared with.
    func merged(_ patch: JSON) -> JSON {
        guard let changes = patch.members else { return patch }
        var result = members == nil ? JSON.object([]) : self
        for change in changes {
            if change.value == .null {
                result[change.name] = nil
            } else {
                result[change.name] = (result[change.name] ?? .object([])).merged(change.value)
            }
        }
        return result
    }
}
