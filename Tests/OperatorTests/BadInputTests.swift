import BusinessPolicy
import HTTPTransport
import Operator
import Simulation
import Testing

/// Resources that the schema should have kept out, and odd documents: named in words, and in nobody's way.
@Suite struct BadInputTests {
    /// A spec that slipped past the schema stalls with InvalidSpec, and the message names every fault.
    @Test func allFaultsAreNamed() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply(
                "bad",
                spec: world.spec(
                    fqdn: "com",
                    ["bandwidth-limit": 0, "protocol": "icmp", "dport": "https", "priority": 7, "order": 10001]))
            world.apiServer.apply("good", spec: world.spec())
            try await world.becomes("InvalidSpec", "bad")
            try await world.becomesReady("good")
            #expect(world.isStalled("bad"))
            for field in ["fqdn", "bandwidth-limit 0", "protocol", "dport", "priority", "order"] {
                #expect(world.message("bad").contains("spec.\(field)"), "\(world.message("bad"))")
            }
            #expect(!world.names().contains("default.bad"))
            #expect(world.apiServer.object("bad")?["metadata"]?["finalizers"] == nil)
            world.apiServer.delete("bad")
            try await world.goes("bad")
        }
    }

    /// Specs of any shape are answered, none stops the others, and the VCO never sees them.
    @Test(arguments: [
        #"{}"#, #"null"#, #"[]"#, #""text""#, #"17"#, #"{"profile":17,"fqdn":"a.example","dport":1}"#,
        #"{"profile":"","fqdn":"a.example","dport":1}"#,
        #"{"profile":"Quick Start Profile","fqdn":null,"dport":1}"#,
        #"{"profile":"Quick Start Profile","fqdn":"a.example","dport":0}"#,
        #"{"profile":"Quick Start Profile","fqdn":"a.example","dport":8e99}"#,
        #"{"profile":"Quick Start Profile","fqdn":"a.example","dport":80,"dport-high":79}"#,
        #"{"profile":"Quick Start Profile","fqdn":"a.example","dport":80,"segment":{}}"#,
        #"{"profile":"Quick Start Profile","fqdn":"a.example","dport":80,"name":[]}"#,
        #"{"fqdn":"a.example","dport":80}"#,
    ])
    func anyShape(_ text: String) async throws {
        let world = try World()
        let spec = try JSON.parse(Array(text.utf8))
        try await world.run {
            world.apiServer.apply("bad", spec: spec)
            world.apiServer.apply("good", spec: world.spec())
            try await world.becomes("InvalidSpec", "bad")
            try await world.becomesReady("good")
            #expect(world.isStalled("bad"))
            world.apiServer.delete("bad")
            try await world.goes("bad")
        }
    }

    /// A resource spoilt after a good generation keeps its rule, which is mended again when the spec is.
    @Test func spoiltResourceKeepsItsRule() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.clearCounts()
            world.apiServer.apply("web", spec: world.spec(fqdn: "com"))
            try await world.becomes("InvalidSpec", "web")
            #expect(world.rule("default.web") != nil)
            #expect(world.status("web").rule?.name == "default.web")
            #expect(world.vcoWrites == 0)
            world.apiServer.apply("web", spec: world.spec(port: 9090))
            try await world.becomesReady("web")
            #expect(world.rule("default.web")?["match"]?["dport_low"] == 9090)
        }
    }

    /// The same when the profile goes missing from the spec; deleted then, it takes its rule along.
    @Test func lostProfileKeepsTheRule() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.apiServer.apply("web", spec: .object([.init("fqdn", "app.vcn.cloud"), .init("dport", 8080)]))
            try await world.becomes("InvalidSpec", "web")
            #expect(world.message("web").contains("spec.profile is missing"))
            try await world.settle()
            #expect(world.rule("default.web") != nil)
        }
        try await world.run {
            try await world.requestReconcile("web", "look")
            #expect(world.rule("default.web") != nil)
            world.apiServer.delete("web")
            try await world.goes("web")
            #expect(world.rule("default.web") == nil)
        }
    }

    /// Annotations at their limit of 256 KiB are carried by nobody's patch and hinder nothing.
    @Test func largestAnnotations() async throws {
        let world = try World()
        let ballast = String(repeating: "x", count: 256 * 1024 - 4)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec(), annotations: ["note": ballast])
            try await world.becomesReady("web")
            #expect(world.apiServer.object("web")?["metadata"]?["annotations"]?["note"]?.string == ballast)
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }

    /// A document with members never seen and odd spellings comes back as it was, but for our own rule.
    @Test func oddDocumentKeepsItsBytes() async throws {
        let world = try World()
        let head =
            #"{"serviceRateLimit" : 1.50e2, "never":{"seen":[1.0,-0,"é"]} ,"segments":[ "#
            + #"{"segment":{"segmentId":0,"name":"Global Segment","twice":1,"twice":2},"rules":["#
        let rules =
            #"{"name":"odd","match":{"a":1.0,"a":2E0},"zz":"é\/","ruleLogicalId":"1"},"#
            + #"{"noname" : true,"ruleLogicalId":"2"},{"name":7,"ruleLogicalId":"3"}"#
        let tail = #"],"defaults":[],"webProxy":{"x":[ ]}} ], "after" : true }"#
        try world.edit(.replaceData(101, Array((head + rules + tail).utf8)))
        let sent = Sent(world)
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            let first = try #require(sent.last)
            #expect(first.contains(head + #"{"name":"default.web""#), "\(first)")
            #expect(first.contains("," + rules + tail), "\(first)")
            world.apiServer.delete("web")
            try await world.goes("web")
            let last = try #require(sent.last)
            #expect(last.contains("[" + rules + "]"), "\(last)")
            for text in ["1.50e2", #"{"seen":[1.0,-0,"é"]}"#, #""twice":1,"twice":2"#, #"{"x":[ ]}"#] {
                #expect(last.contains(text), "\(last)")
            }
        }
    }

    /// A VCO that answers `null` for a module which it had makes nobody unready, and nothing is taken for gone.
    @Test func nullForAKnownModule() async throws {
        let world = try World()
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            try await world.becomesReady("web")
            world.clearCounts()
            world.orchestrator.inject(.null, method: "configuration/getConfigurationModules", calls: 1)
            world.apiServer.annotate("web", VelocloudBP.Annotation.reconcileRequestedAt, "look")
            try await world.until("it was answered null") { world.calls["getConfigurationModules"] == 1 }
            try await world.settle()
            #expect(world.isReady("web"))
            try await world.until("it is asked again") { world.status("web").lastHandledReconcileAt == "look" }
            #expect(world.isReady("web"))
            #expect(world.vcoWrites == 0)
        }
    }

    /// A module that is no policy document at all is not written to; its resources say so, others go on.
    @Test(arguments: ["[]", "{}", "17", #"{"segments":{}}"#, #"{"segments":[{"rules":[]}]}"#])
    func brokenDocument(_ text: String) async throws {
        let world = try World()
        try world.edit(.replaceData(101, Array(text.utf8)))
        try await world.run {
            world.apiServer.apply("web", spec: world.spec())
            world.apiServer.apply("other", spec: world.spec(profile: World.branch))
            try await world.becomesReady("other")
            try await world.until("it says so") { world.message("web").contains("cannot be") }
            #expect(world.orchestrator.profile(101)?.data == Array(text.utf8))
            world.apiServer.delete("web")
            try await world.goes("web")
        }
    }
}

/// The bodies of the updates that were sent to the VCO.
private final class Sent: Sendable {
    private let bodies = Locked<[String]>([])

    init(_ world: World) {
        world.transport.onRequest { [bodies] request in
            if request.url.hasSuffix("updateConfigurationModule") {
                bodies.withLock { $0.append(String(decoding: request.body ?? [], as: UTF8.self)) }
            }
            return nil
        }
    }

    var last: String? { bodies.withLock { $0.last } }
}
