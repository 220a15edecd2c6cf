import BusinessPolicy
import Testing

@Suite struct VelocloudBPTests {
    static let metadata = #"{"namespace":"shop","name":"web","uid":"u-1","resourceVersion":"7","generation":3}"#

    static func resource(spec: String, metadata: String = metadata, status: String = "{}") throws -> VelocloudBP {
        try VelocloudBP(json: parse(#"{"metadata":\#(metadata),"spec":\#(spec),"status":\#(status)}"#))
    }

    // A spec that names only what it must gets the defaults of the manual.
    @Test func defaultsAreFilledIn() throws {
        let spec = try Self.resource(spec: #"{"profile":"P","fqdn":"Web.Example.COM","dport":443}"#).spec.get()
        #expect(spec.profile == "P" && spec.segment == "Global Segment" && spec.name == "shop.web")
        #expect(spec.order == 1000 && spec.warnings.isEmpty)
        #expect(spec.settings == RuleSettings(hostname: "web.example.com", portLow: 443, portHigh: 443))
        #expect(spec.settings.transport == .tcp && spec.settings.serviceClass == .transactional)
        #expect(spec.settings.priority == .normal && spec.settings.bandwidthCap == -1)
        #expect(spec.settings.linkPolicy == .auto && spec.settings.serviceGroup == .all)
    }

    // Every member reaches its setting; a member that is null counts as not given.
    @Test func everyMemberIsRead() throws {
        let spec = try Self.resource(
            spec: #"""
                {"profile":"P","segment":"Voice","name":"n","fqdn":"a.b","dport":80,"dport-high":90.0,"protocol":"udp",
                "service-class":"bulk","priority":"low","bandwidth-limit":40,"link-policy":"fixed",
                "service-group":"PRIVATE_WIRED","order":5}
                """#
        ).spec.get()
        #expect(spec.segment == "Voice" && spec.name == "n" && spec.order == 5)
        #expect(
            spec.settings
                == RuleSettings(
                    hostname: "a.b", portLow: 80, portHigh: 90, transport: .udp, serviceClass: .bulk, priority: .low,
                    bandwidthCap: 40, linkPolicy: .fixed, serviceGroup: .privateWired))
        let sparse = try Self.resource(spec: #"{"profile":"P","fqdn":"a.b","dport":80,"name":null,"priority":null}"#)
        #expect(try sparse.spec.get().name == "shop.web")
    }

    // Metadata and the annotations that velokube reads; a value other than the documented one does nothing.
    @Test func metadataIsRead() throws {
        let metadata = #"""
            {"namespace":"shop","name":"web","uid":"u-1","resourceVersion":"7","generation":3,
            "creationTimestamp":"2026-01-01T00:00:00Z","deletionTimestamp":"2026-01-02T00:00:00Z",
            "finalizers":["x/y","vcn.cloud/business-policy"],"annotations":{"vcn.cloud/paused":"true",
            "vcn.cloud/adopt":"yes","vcn.cloud/deletion-policy":"Orphan","vcn.cloud/reconcile-requested-at":"now"}}
            """#
        let resource = try Self.resource(spec: "{}", metadata: metadata)
        #expect(resource.owner == Owner(namespace: "shop", name: "web", uid: "u-1"))
        #expect(resource.resourceVersion == "7" && resource.generation == 3)
        #expect(resource.createdAt == "2026-01-01T00:00:00Z" && resource.deletedAt == "2026-01-02T00:00:00Z")
        #expect(resource.hasFinalizer && resource.finalizers.count == 2)
        #expect(resource.isPaused && !resource.asksAdoption && resource.asksOrphaning)
        #expect(resource.reconcileRequestedAt == "now")
        let plain = try Self.resource(spec: "{}")
        #expect(!plain.hasFinalizer && !plain.isPaused && !plain.asksOrphaning && plain.deletedAt == nil)
    }

    // Two states ask the same when only what we write ourselves differs; anything else is a reason to look.
    @Test(arguments: [
        (#""status":{"observedGeneration":1}"#, true), (#""metadata":{"resourceVersion":"8"}"#, true),
        (#""metadata":{"managedFields":[1]}"#, true), (#""metadata":{"labels":{"a":"b"}}"#, true),
        (#""metadata":{"namespace":"n"}"#, false), (#""metadata":{"name":"n"}"#, false),
        (#""metadata":{"uid":"n"}"#, false), (#""metadata":{"generation":4}"#, false),
        (#""metadata":{"creationTimestamp":"t"}"#, false), (#""metadata":{"deletionTimestamp":"t"}"#, false),
        (#""metadata":{"finalizers":["vcn.cloud/business-policy"]}"#, false),
        (#""metadata":{"annotations":{"vcn.cloud/paused":"true"}}"#, false),
        (#""metadata":{"annotations":{"vcn.cloud/adopt":"true"}}"#, false),
        (#""metadata":{"annotations":{"vcn.cloud/deletion-policy":"Orphan"}}"#, false),
        (#""metadata":{"annotations":{"vcn.cloud/reconcile-requested-at":"now"}}"#, false),
        (#""spec":{"profile":"Q"}"#, false), (#""spec":{"dport":81}"#, false), (#""spec":{"order":7}"#, false),
        (#""spec":{"fqdn":"com"}"#, false),
    ])
    func whatIsAskedIsCompared(_ member: String, _ isSame: Bool) throws {
        let old = try parse(#"{"metadata":\#(Self.metadata),"spec":{"profile":"P","fqdn":"a.b","dport":80}}"#)
        var new = old
        let part = try #require(try parse("{\(member)}").members?.first)
        for change in part.value.members ?? [] {
            var value = new[part.name] ?? [:]
            value[change.name] = change.value
            new[part.name] = value
        }
        #expect(try VelocloudBP(json: new).asksTheSame(as: VelocloudBP(json: old)) == isSame)
    }

    // A resource that cannot be named is not a resource; the message says what is missing.
    @Test(arguments: ["namespace", "name", "uid", "resourceVersion"])
    func unusableMetadataIsRefused(_ member: String) throws {
        var json = try parse(#"{"metadata":\#(Self.metadata)}"#)
        json["metadata"]?[member] = .int(1)
        let error = #expect(throws: MalformedResource.self) { try VelocloudBP(json: json) }
        #expect(error?.problem == "metadata.\(member) is missing")
        #expect(throws: MalformedResource.self) { try VelocloudBP(json: .null) }
    }

    // Each bad value is refused in words that name the field, the value and what is allowed.
    @Test(arguments: [
        (#""fqdn":"com""#, #"spec.fqdn "com" has only one label"#),
        (#""fqdn":"a.b.""#, #"spec.fqdn "a.b." ends with a dot"#),
        (#""fqdn":"*.b.c""#, #"spec.fqdn "*.b.c" has a wildcard"#),
        (#""fqdn":"a..b""#, "has an empty label"), (#""fqdn":".a.b""#, "has an empty label"),
        (#""fqdn":"-a.b""#, "begins or ends with a hyphen"), (#""fqdn":"a_b.c""#, "characters other than"),
        (#""fqdn":" a.b""#, "characters other than"), (#""fqdn":"é.b""#, "characters other than"),
        (#""fqdn":"10.0.0.1""#, "is an address, not a name"), (#""fqdn":"""#, #"spec.fqdn "" is empty"#),
        (#""fqdn":7"#, "spec.fqdn 7 is a number; needed is a string"), (#""fqdn":null"#, "spec.fqdn is missing"),
        (#""dport":0"#, "spec.dport 0 is below 1; allowed is a whole number from 1 to 65535"),
        (#""dport":65536"#, "spec.dport 65536 is over 65535"), (#""dport":"80""#, #"spec.dport "80" is a string"#),
        (#""dport":1.5"#, "spec.dport 1.5 is not a whole number"), (#""dport":null"#, "spec.dport is missing"),
        (#""dport-high":79"#, "spec.dport-high 79 is below spec.dport 80; allowed is 80 to 65535"),
        (#""dport-high":99999"#, "spec.dport-high 99999 is over 65535"),
        (#""protocol":"TCP""#, #"spec.protocol "TCP" is not known; allowed is one of tcp, udp"#),
        (#""service-class":"gold""#, "allowed is one of realtime, transactional, bulk"),
        (#""priority":true"#, "spec.priority true is true or false; allowed is one of high, normal, low"),
        (#""link-policy":"available""#, "allowed is one of auto, fixed"),
        (#""service-group":"all""#, "allowed is one of ALL, PUBLIC_WIRED, PRIVATE_WIRED, PUBLIC_WIRELESS"),
        (#""bandwidth-limit":0"#, "spec.bandwidth-limit 0 would block the app; allowed is 1 to 100 percent, or -1"),
        (#""bandwidth-limit":101"#, "spec.bandwidth-limit 101 is over 100"),
        (#""bandwidth-limit":-2"#, "spec.bandwidth-limit -2 is below -1"),
        (#""order":10001"#, "spec.order 10001 is over 10000"), (#""order":-1"#, "spec.order -1 is below 0"),
        (#""name":"""#, #"spec.name "" is empty"#), (#""name":[]"#, "spec.name [] is a list"),
        (#""segment":"""#, #"spec.segment "" is empty"#), (#""segment":{}"#, "spec.segment {} is an object"),
        (#""profile":"""#, #"spec.profile "" is empty"#), (#""profile":null"#, "spec.profile is missing"),
    ])
    func badValuesAreRefused(_ member: String, _ words: String) throws {
        var spec = try parse(#"{"profile":"P","fqdn":"a.b","dport":80}"#)
        let given = try parse("{\(member)}").members?.first
        spec[try #require(given).name] = given?.value
        let resource = try Self.resource(spec: spec.serializedText())
        let faults = resource.faults
        #expect(faults.count == 1 && faults[0].contains(words), "\(faults)")
        #expect(resource.profile == (member.hasPrefix("\"profile") ? nil : "P"))
    }

    // All faults come at once, and long values are cut.
    @Test func allFaultsComeAtOnce() throws {
        let long = String(repeating: "x", count: 300)
        let faults = try Self.resource(
            spec: #"{"profile":"\#(long)","name":"\#(long)","fqdn":"com","dport":0,"priority":"x","order":true}"#
        ).faults
        #expect(
            faults.map { $0.prefix { $0 != " " } } == [
                "spec.profile", "spec.name", "spec.order", "spec.fqdn", "spec.dport", "spec.priority",
            ])
        #expect(faults.allSatisfy { $0.count < 200 } && faults[0].contains("300 characters long"), "\(faults)")
        #expect(try Self.resource(spec: "[]").faults.first == "spec [] is a list; needed is an object")
        #expect(try Self.resource(spec: "null").faults.count == 4)
    }

    // Lengths count at their limits: 256 characters of profile and name, 253 of fqdn, 63 of a label.
    @Test func lengthsAreLimited() throws {
        func text(_ count: Int) -> String { String(repeating: "a", count: count) }
        func faults(profile: Int = 1, name: Int = 1, fqdn: String = "a.b") throws -> [String] {
            try Self.resource(
                spec: #"{"profile":"\#(text(profile))","name":"\#(text(name))","fqdn":"\#(fqdn)","dport":1}"#
            ).faults
        }
        #expect(try faults(profile: 256, name: 256, fqdn: "\(text(63)).b").isEmpty)
        #expect(try faults(profile: 257).count == 1 && faults(name: 257).count == 1)
        #expect(try faults(fqdn: "\(text(64)).b").count == 1)
        let longest = [63, 63, 63, 61].map(text).joined(separator: ".")
        #expect(try faults(fqdn: longest).isEmpty && faults(fqdn: longest + "a").count == 1)
    }

    // A default name that would be too long is a fault too, and says what to do.
    @Test func tooLongDefaultNameIsRefused() throws {
        let name = String(repeating: "n", count: 253)
        let metadata = #"{"namespace":"shop","name":"\#(name)","uid":"u","resourceVersion":"1"}"#
        let resource = try Self.resource(spec: #"{"profile":"P","fqdn":"a.b","dport":1}"#, metadata: metadata)
        #expect(resource.faults.count == 1 && resource.faults[0].contains("give it a spec.name"))
    }

    // A group without a fixed link policy steers nothing: accepted, with a warning.
    @Test func ineffectiveGroupIsWarnedOf() throws {
        func warnings(_ policy: String, _ group: String) throws -> [String] {
            try Self.resource(
                spec: #"{"profile":"P","fqdn":"a.b","dport":1,"link-policy":"\#(policy)","service-group":"\#(group)"}"#
            ).spec.get().warnings
        }
        #expect(
            try warnings("auto", "PUBLIC_WIRED").first?.contains("service-group PUBLIC_WIRED has no effect") == true)
        #expect(try warnings("auto", "ALL").isEmpty && warnings("fixed", "PUBLIC_WIRED").isEmpty)
    }
}

extension VelocloudBP {
    var faults: [String] {
        if case .failure(let invalid) = spec { invalid.faults.map(\.message) } else { [] }
    }
}
