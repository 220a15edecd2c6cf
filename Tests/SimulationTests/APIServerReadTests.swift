import HTTPTransport
import Simulation
import Testing

import enum BusinessPolicy.JSON

@Suite(.timeLimit(.minutes(1))) struct APIServerReadTests {
    private let cluster = Cluster()

    /// Lists are sorted, confined to a namespace when asked, and bear the newest version.
    @Test func lists() {
        for name in ["b", "a"] { cluster.apply(name) }
        cluster.apply("c", namespace: "prod")
        let all = cluster.list()
        #expect(cluster.names(all) == ["a", "b", "c"])
        #expect(all.json["kind"]?.string == "VelocloudBPList")
        #expect(all.json[path: "metadata.resourceVersion"]?.string == String(cluster.api.resourceVersion))
        #expect(all.json[path: "metadata.continue"] == nil)
        #expect(cluster.names(cluster.reply("GET", "\(Cluster.base)/namespaces/prod/velocloudbps")) == ["c"])
    }

    /// Pages together are the list as it was at the first one, whatever happens in between.
    @Test func pagesAreConsistent() throws {
        for name in ["a", "b", "c", "d", "e"] { cluster.apply(name) }
        let first = cluster.list("?limit=2")
        #expect(cluster.names(first) == ["a", "b"])
        #expect(first.json[path: "metadata.remainingItemCount"]?.int == 3)
        let version = first.json[path: "metadata.resourceVersion"]
        cluster.api.delete("c")
        cluster.apply("cc")
        cluster.apply("d", port: 9)
        let token = try #require(first.json[path: "metadata.continue"]?.string)
        // As every character that a query gives a meaning to must be.
        #expect(token.contains("+") && token.contains("=") && token.contains("/"))
        let escaped = token.map { "+=/".contains($0) ? "%" + String($0.asciiValue ?? 0, radix: 16) : String($0) }
            .joined()
        let second = cluster.list("?limit=2&continue=\(escaped)")
        #expect(cluster.names(second) == ["c", "d"])
        #expect(second.json[path: "items.1.spec.dport"]?.int == 443)
        #expect(second.json[path: "metadata.resourceVersion"] == version)
        #expect(cluster.list("?limit=2&continue=\(token)").status == 400)
        #expect(cluster.list("?limit=2&resourceVersion=0&continue=\(escaped)").status == 400)
        cluster.api.compact()
        let late = cluster.list("?limit=2&continue=\(escaped)")
        #expect(late.status == 410 && late.json["reason"]?.string == "Expired")
    }

    /// Version "" is the newest, "0" any, N not older than N; one that is not there yet is "too large".
    @Test func versionsOfLists() {
        cluster.apply("a")
        let past = cluster.api.resourceVersion
        cluster.apply("b")
        #expect(cluster.names(cluster.list("?resourceVersion=0&limit=1")) == ["a", "b"])
        #expect(cluster.names(cluster.list("?resourceVersion=\(past)")) == ["a", "b"])
        #expect(cluster.names(cluster.list("?resourceVersion=\(past)&resourceVersionMatch=Exact")) == ["a"])
        #expect(cluster.names(cluster.list("?resourceVersion=\(past)&limit=5")) == ["a"])
        #expect(
            cluster.names(cluster.list("?resourceVersion=\(past)&limit=1&resourceVersionMatch=NotOlderThan")).count == 2
        )
        cluster.api.modes.cacheVersion = past
        #expect(cluster.names(cluster.list("?resourceVersion=0")) == ["a"])
        #expect(cluster.names(cluster.list("?resourceVersion=\(past + 1)")) == ["a", "b"])
        #expect(cluster.names(cluster.list()) == ["a", "b"])
        let early = cluster.list("?resourceVersion=\(past + 10)")
        #expect(early.status == 504)
        #expect(early.json[path: "details.causes.0.reason"]?.string == "ResourceVersionTooLarge")
        #expect(cluster.list("?resourceVersion=x").status == 400)
        cluster.api.compact()
        #expect(cluster.list("?resourceVersion=\(past)&limit=5").status == 410)
        #expect(cluster.list("?resourceVersion=\(past)").status == 200)
    }

    /// A watch brings what happened since its version, then what happens, until it is cut.
    @Test func watchesFollow() async throws {
        cluster.apply("a")
        let from = cluster.api.resourceVersion
        cluster.apply("b")
        let watch = try #require(cluster.watch("&resourceVersion=\(from)"))
        #expect(try await watch.line() == "ADDED b \(from + 1)")
        async let waiting = watch.line()
        cluster.apply("a", port: 1)
        #expect(try await waiting == "MODIFIED a \(from + 2)")
        cluster.api.delete("a")
        #expect(try await watch.line() == "DELETED a \(from + 3)")
        cluster.apply("c", namespace: "prod")
        cluster.api.createNamespace("prod")
        cluster.api.cutWatches()
        #expect(try await watch.line() == "ADDED c \(from + 4)")
        #expect(try await watch.line() == nil)
        #expect(try await watch.line() == nil)
        #expect(cluster.api.openWatches == 0)
    }

    /// A watch from "" or "0" first adds everything that is there; one of a namespace sees that one only.
    @Test func watchesFromNowhere() async throws {
        cluster.apply("a")
        cluster.apply("b", namespace: "prod")
        cluster.api.modes.endsWatchesAtOnce = true
        for query in ["", "&resourceVersion=0"] {
            let watch = try #require(cluster.watch(query))
            #expect(try await watch.line()?.hasPrefix("ADDED a") == true)
            #expect(try await watch.line()?.hasPrefix("ADDED b") == true)
            #expect(try await watch.line() == nil)
        }
        let target = "\(Cluster.base)/namespaces/prod/velocloudbps?watch=1"
        guard case .stream(let body) = cluster.ask("GET", target) else { return #expect(Bool(false)) }
        let watch = Watcher(body)
        #expect(try await watch.line()?.hasPrefix("ADDED b") == true)
        #expect(try await watch.line() == nil)
    }

    /// Bookmarks come to watches that asked for them, with a version that other writes have moved.
    @Test func bookmarks() async throws {
        let from = cluster.api.resourceVersion
        let marked = try #require(cluster.watch("&resourceVersion=\(from)&allowWatchBookmarks=true"))
        let plain = try #require(cluster.watch("&resourceVersion=\(from)"))
        cluster.api.pass(versions: 7)
        cluster.api.sendBookmarks()
        cluster.api.cutWatches()
        #expect(try await marked.line() == "BOOKMARK - \(from + 7)")
        #expect(try await marked.line() == nil)
        #expect(try await plain.line() == nil)
    }

    /// From a version that is compacted away a watch ends with 410: as an event, or as a status.
    @Test func goneWatches() async throws {
        let from = cluster.api.resourceVersion
        cluster.apply("a")
        cluster.api.compact()
        let watch = try #require(cluster.watch("&resourceVersion=\(from)"))
        cluster.api.cutWatches()
        let event = try await watch.next()
        #expect(event?["type"]?.string == "ERROR")
        #expect(event?[path: "object.code"]?.int == 410)
        #expect(try await watch.next() == nil)
        cluster.api.modes.goneWatch = .status
        let reply = cluster.reply("GET", "\(Cluster.base)/velocloudbps?watch=true&resourceVersion=\(from)")
        #expect(reply.status == 410 && reply.json["reason"]?.string == "Expired")
        #expect(cluster.watch("&resourceVersion=\(from + 1)") != nil)
    }

    /// Watches break, fail, go silent, and end at their time, each in its own way.
    @Test func watchesEnd() async throws {
        func open(_ query: String = "") throws -> Watcher {
            try #require(cluster.watch("&resourceVersion=\(cluster.api.resourceVersion)\(query)"))
        }
        var watch = try open()
        cluster.api.breakWatches()
        await #expect(throws: TransportError.broken("connection reset by peer")) { try await watch.line() }

        watch = try open()
        cluster.api.failWatches(.serverError)
        #expect(try await watch.next()?[path: "object.code"]?.int == 500)
        #expect(try await watch.next() == nil)

        watch = try open()
        cluster.api.send(line: "{\"type\":\"NEW\"}")
        #expect(try await watch.next()?["type"]?.string == "NEW")
        cluster.api.modes.stallsWatches = true
        cluster.apply("unseen")
        cluster.api.breakWatches(.timeout("idle"))
        await #expect(throws: TransportError.timeout("idle")) { try await watch.line() }

        cluster.api.modes = .init()
        watch = try open("&timeoutSeconds=300")
        let other = try open()
        cluster.clock.advance(299_999)
        cluster.api.closeExpiredWatches()
        cluster.apply("seen")
        #expect(try await watch.line()?.hasPrefix("ADDED seen") == true)
        cluster.clock.advance(1)
        cluster.api.closeExpiredWatches()
        #expect(try await watch.line() == nil)
        #expect(try await other.line()?.hasPrefix("ADDED seen") == true)
    }

    /// A watch ends when its reader is cancelled, and is forgotten when its body is.
    @Test func readersLetGo() async throws {
        do {
            let watch = try #require(cluster.watch("&resourceVersion=\(cluster.api.resourceVersion)"))
            #expect(cluster.api.openWatches == 1)
            _ = watch
        }
        #expect(cluster.api.openWatches == 0)
        guard case .stream(let body) = cluster.ask("GET", "\(Cluster.base)/velocloudbps?watch=true") else {
            return #expect(Bool(false))
        }
        let outcome = await withTaskGroup(of: TransportError?.self) { group in
            group.addTask {
                do throws(TransportError) {
                    _ = try await body.next()
                    return nil
                } catch {
                    return error
                }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
    }

    /// Small chunks cut lines in pieces, and lose nothing.
    @Test func chunksCutLines() async throws {
        cluster.api.modes.watchChunkBytesMax = 7
        cluster.apply("a")
        let watch = try #require(cluster.watch())
        #expect(try await watch.line()?.hasPrefix("ADDED a") == true)
        #expect(watch.chunks > 30)
    }
}
