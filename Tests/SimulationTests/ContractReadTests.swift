import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

/// Reading, held to by both servers: lists, pages, versions, watches, selectors, tables.
@Suite struct ContractReadTests {
    /// Pages are one list: of one version, in order, none twice; a token that is none is refused.
    @Test(arguments: ContractServer.allCases)
    func pagesAreOneList(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "pages")
        for name in ["c", "a", "e", "b", "d"] { try #require(try await cluster.create(name).status == 201) }
        let whole = try await cluster.ask("GET", cluster.path)
        #expect(whole.items == ["a", "b", "c", "d", "e"])
        #expect(whole.json["kind"] == "ContractList" && whole.json["apiVersion"] == .string("\(Contract.group)/v1"))
        #expect(whole.json[path: "metadata.continue"]?.string ?? "" == "")
        var names: [String] = []
        var versions: Set<String> = []
        var token = ""
        repeat {
            let query = "?limit=2" + (token.isEmpty ? "" : "&continue=\(Self.escaped(token))")
            let page = try await cluster.ask("GET", cluster.path + query)
            try #require(page.status == 200, "\(page.json)")
            names += page.items
            versions.insert(page.version)
            if token.isEmpty {
                #expect(page.json[path: "metadata.remainingItemCount"]?.int == 3)
                // A page that is not the first does not see what came after it.
                try #require(try await cluster.create("aa").status == 201)
            }
            token = page.json[path: "metadata.continue"]?.string ?? ""
        } while !token.isEmpty
        #expect(names == ["a", "b", "c", "d", "e"] && versions.count == 1)
        let bad = try await cluster.ask("GET", cluster.path + "?limit=2&continue=nonsense")
        #expect(bad.status == 400 && bad.message.contains("continue key is not valid"), "\(bad.json)")
    }

    /// A list is of the newest version, of any, not older than one, or exactly of one; one that is not there yet is
    /// waited for, and then refused with a reason that tells it from other timeouts.
    @Test(arguments: ContractServer.allCases)
    func listsAreOfVersions(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "versions")
        let first = try await cluster.create("a").version
        let second = try await cluster.create("b").version
        for query in ["", "?resourceVersion=\(second)", "?resourceVersion=\(second)&resourceVersionMatch=NotOlderThan"]
        {
            let list = try await cluster.ask("GET", cluster.path + query)
            // What comes out of the cache of 1.20 is in no order.
            #expect(list.status == 200 && list.items.sorted() == ["a", "b"], "\(query): \(list.json)")
        }
        #expect(try await cluster.ask("GET", cluster.path + "?resourceVersion=0").status == 200)
        let exact = try await cluster.ask(
            "GET", cluster.path + "?resourceVersion=\(first)&resourceVersionMatch=Exact&limit=500")
        #expect(exact.items == ["a"] && exact.version == first)
        for query in ["resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact"] {
            let odd = try await cluster.ask("GET", "\(cluster.path)?\(query)")
            #expect(odd.status == 422 && odd.json["details"]?["kind"] == "ListOptions", "\(odd.json)")
        }
        let future = try await cluster.ask("GET", cluster.path + "?resourceVersion=99999999")
        #expect(future.status == 504 && future.reason == "Timeout", "\(future.json)")
        #expect(future.json[path: "details.causes.0.reason"] == "ResourceVersionTooLarge")
        #expect(future.json[path: "details.retryAfterSeconds"]?.int == 1)
    }

    /// A watch brings every change after its version, in order, each with the state that the change led to; the last is
    /// the state before the deletion under the deletion's own version.
    @Test(arguments: ContractServer.allCases)
    func watchesBringChanges(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "watches")
        let list = try await cluster.ask("GET", cluster.path)
        let made = try await cluster.create("a", ["port": 1], [.init("status", ["seen": 1])])
        let watch = try await cluster.watch("\(cluster.path)?watch=true&resourceVersion=\(list.version)")
        let changed = try await cluster.patch("a", ["spec": ["port": 2]])
        let told = try await cluster.patch("a", ["status": ["seen": 2]], status: true)
        let gone = try await cluster.ask("DELETE", "\(cluster.path)/a")
        #expect(gone.status == 200 && gone.json["status"] == "Success", "\(gone.json)")
        #expect(gone.json["details"]?["uid"] == made.json[path: "metadata.uid"])
        for (type, reply) in [("ADDED", made), ("MODIFIED", changed), ("MODIFIED", told)] {
            let event = try #require(try await watch.next())
            #expect(
                event["type"]?.string == type
                    && event[path: "object.metadata.resourceVersion"] == .string(reply.version))
            #expect(event[path: "object.spec"] == reply.json["spec"])
            #expect(event[path: "object.status"] == reply.json["status"])
        }
        let last = try #require(try await watch.next())
        #expect(last["type"] == "DELETED" && last[path: "object.status.seen"]?.int == 2)
        let version = try #require(last[path: "object.metadata.resourceVersion"]?.string.flatMap { Int($0) })
        #expect(version > Int(told.version) ?? .max)
    }

    /// A watch without a version begins with what is there.
    @Test(arguments: ContractServer.allCases)
    func watchesBeginWithWhatIsThere(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "beginnings")
        for name in ["a", "b"] { try #require(try await cluster.create(name).status == 201) }
        let watch = try await cluster.watch("\(cluster.path)?watch=true")
        var names: Set<String> = []
        for _ in 0..<2 {
            let event = try #require(try await watch.next())
            #expect(event["type"] == "ADDED")
            names.insert(event[path: "object.metadata.name"]?.string ?? "")
        }
        #expect(names == ["a", "b"])
    }

    /// Whoever asks for bookmarks is told how far the watch has come, and the server ends the watch at its time.
    @Test(arguments: ContractServer.allCases)
    func bookmarksTellHowFar(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "bookmarks")
        let made = try await cluster.create("a")
        let query = "?watch=true&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion=\(made.version)"
        let watch = try await cluster.watch(cluster.path + query)
        cluster.simulated?.sendBookmarks()
        let event = try #require(try await watch.next())
        #expect(event["type"] == "BOOKMARK", "\(event)")
        let object = try #require(event["object"])
        #expect(object["kind"] == "Contract" && object["apiVersion"] == .string("\(Contract.group)/v1"))
        let version = try #require(object[path: "metadata.resourceVersion"]?.string.flatMap { Int($0) })
        #expect(version >= Int(made.version) ?? .max)
        #expect(object[path: "metadata.name"] == nil)
        cluster.simulated?.cutWatches()
        while let more = try await watch.next() { #expect(more["type"] == "BOOKMARK", "\(more)") }
    }

    /// A version that the server no longer knows is 410, and so says a reason that clients know: as the status of the
    /// reply, or as an event in the stream.
    @Test(arguments: ContractServer.allCases)
    func oldVersionsAreGone(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "gone")
        _ = try await cluster.create("a")
        cluster.simulated?.compact()
        let watch = try await cluster.watch("\(cluster.path)?watch=true&resourceVersion=1")
        let event = try #require(try await watch.next())
        #expect(event["type"] == "ERROR" && event["object"]?["code"]?.int == 410, "\(event)")
        #expect(event["object"]?["reason"] == "Expired" && event["object"]?["status"] == "Failure")
        let words = try #require(event["object"]?["message"]?.string)
        #expect(words.hasPrefix("too old resource version: 1 ("), "\(words)")
    }

    /// Selectors choose what is listed; in a watch, what begins to match is added, and what no longer does is deleted.
    @Test(arguments: ContractServer.allCases)
    func selectorsChoose(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "selectors")
        let start = try await cluster.create("a").version
        _ = try await cluster.create("b")
        for (query, names) in [
            ("fieldSelector=metadata.name%3Db", ["b"]), ("fieldSelector=metadata.name%21%3Db", ["a"]),
            ("labelSelector=tier", []), ("labelSelector=%21tier", ["a", "b"]),
        ] {
            #expect(try await cluster.ask("GET", "\(cluster.path)?\(query)").items == names, "\(query)")
        }
        let bad = try await cluster.ask("GET", "\(cluster.path)?fieldSelector=spec.port%3D1")
        #expect(bad.status == 400 && bad.message.contains("field label not supported: spec.port"), "\(bad.json)")
        let watch = try await cluster.watch(
            "\(cluster.path)?watch=true&labelSelector=tier%3Done&resourceVersion=\(start)")
        _ = try await cluster.patch("a", ["metadata": ["labels": ["tier": "one"]]])
        _ = try await cluster.patch("a", ["spec": ["port": 5]])
        let last = try await cluster.patch("a", ["metadata": ["labels": ["tier": "two"]]])
        let one = try await cluster.ask("GET", "\(cluster.path)?labelSelector=tier%20in%20(two,three)")
        #expect(one.items == ["a"])
        for type in ["ADDED", "MODIFIED", "DELETED"] {
            let event = try #require(try await watch.next())
            #expect(event["type"]?.string == type)
            #expect(event[path: "object.metadata.labels.tier"] == "one")
            if type == "DELETED" {
                #expect(event[path: "object.metadata.resourceVersion"] == .string(last.version))
            }
        }
    }

    /// Who asks for a table gets the columns of the definition, with a cell for each.
    @Test(arguments: ContractServer.allCases)
    func tablesHaveTheColumns(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "tables")
        _ = try await cluster.create("a", ["port": 7])
        _ = try await cluster.patch(
            "a", ["status": ["conditions": [["type": "Ready", "status": "True"]]]], status: true)
        let accept = HTTPHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
        for target in [cluster.path, "\(cluster.path)/a"] {
            let table = try await cluster.ask("GET", target, headers: [accept])
            #expect(table.json["kind"] == "Table" && table.json["apiVersion"] == "meta.k8s.io/v1")
            let columns = table.json["columnDefinitions"]?.array ?? []
            #expect(columns.map { $0["name"]?.string } == ["Name", "Port", "Ready", "Note"])
            #expect(columns.map { $0["priority"]?.int } == [0, 0, 0, 1])
            #expect(columns.map { $0["type"]?.string } == ["string", "integer", "string", "string"])
            #expect(columns[1]["description"] == "The port.")
            #expect(
                columns[3]["description"] == "Custom resource definition column (in JSONPath format): .spec.note")
            let rows = table.json["rows"]?.array ?? []
            #expect(rows.map { $0["cells"] } == [["a", 7, "True", .null]])
            #expect(rows.first?["object"]?["kind"] == "PartialObjectMetadata")
            #expect(rows.first?[path: "object.metadata.name"] == "a")
        }
    }

    /// What is not there is refused with a `Status` that names it.
    @Test(arguments: ContractServer.allCases)
    func absenceIsNamed(_ server: ContractServer) async throws {
        let cluster = try await ContractCluster(server, namespace: "absence")
        let none = try await cluster.get("none")
        #expect(none.status == 404)
        #expect(
            none.json.isEqual(
                to: """
                    {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",\
                    "message":"contracts.\(Contract.group) \\"none\\" not found","reason":"NotFound",\
                    "details":{"name":"none","group":"\(Contract.group)","kind":"contracts"},"code":404}
                    """), "\(none.json)")
        let place = try await cluster.ask("GET", "/apis/\(Contract.group)/v2/contracts")
        #expect(place.status == 404)
        let home = try await cluster.ask(
            "POST", "\(Contract.base)/namespaces/nowhere/contracts", Contract.resource("a", ["port": 1]))
        #expect(home.status == 404 && home.message == "namespaces \"nowhere\" not found")
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

extension JSON {
    /// Equal to what a text spells, whatever the order of members.
    func isEqual(to text: String) -> Bool {
        Self.sorted(self) == Self.sorted(.text(text))
    }

    private static func sorted(_ json: JSON) -> JSON {
        switch json {
        case .object(let members):
            .object(members.map { .init($0.name, sorted($0.value)) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(sorted))
        case .null, .bool, .number, .string: json
        }
    }
}
