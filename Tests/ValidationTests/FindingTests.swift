import BusinessPolicy
import Testing

@testable import Validation

/// What is found, and in which words.
@Suite struct FindingTests {
    /// Nothing is found where nothing is wrong; what is of other kinds, or of no kind, is passed over.
    @Test func soundFile() {
        let report = checked(
            documents(resource("web"), limit("l", "bandwidth-limit: {maximum: 100}, link-policies: [auto]")),
            "kind: ConfigMap\napiVersion: v1\ndata: {spec: 1}\n---\nreplicas: 3\n---\n- a\n- b\n")
        #expect(
            report.messages == ["spec.bandwidth-limit -1 (no limit) is over 100, the maximum of VelocloudLimit \"l\""])
        #expect((report.velocloudBPs, report.velocloudLimits, report.passedOver) == (1, 1, 1))
    }

    /// Every fault of a spec is found, in the operator's words.
    @Test func faultsOfSpec() throws {
        let spec = "profile: '', fqdn: com, dport: \"443\", order: -1, priority: urgent"
        let json = """
            {"metadata": {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "1"}, "spec":
             {"profile": "", "fqdn": "com", "dport": "443", "order": -1, "priority": "urgent"}}
            """
        guard case .failure(let invalid) = try VelocloudBP(json: JSON.parse(Array(json.utf8))).spec else {
            Issue.record("the operator takes the spec")
            return
        }
        let report = checked(resource("web", spec))
        #expect(report.messages == invalid.faults.map(\.message))
        #expect(report.findings.count == 5)
        #expect(report.findings.allSatisfy { $0.reason == .invalidSpec })
        #expect(report.findings.first?.resource == .init(kind: "VelocloudBP", namespace: "shop", name: "web"))
    }

    /// A resource outside the limits is told each limit that it breaks, wherever in the files the limits are.
    @Test func outOfLimits() {
        let web = resource("web", "profile: P, fqdn: app.shop.example, dport: 443, bandwidth-limit: 75, order: 3")
        let limits = documents(
            limit("a", "bandwidth-limit: {maximum: 50}, order: {minimum: 500}"), limit("b", "dports: [80]"),
            limit("other", "profiles: [Q]").replacing("namespace: shop", with: "namespace: else"))
        let expected = [
            "spec.bandwidth-limit 75 is over 50, the maximum of VelocloudLimit \"a\"",
            "spec.order 3 is under 500, the minimum of VelocloudLimit \"a\"",
            "spec.dport 443 is not in 80, the dports of VelocloudLimit \"b\"",
        ]
        for report in [checked(web, limits), checked(limits, web), checked(web, limits: limits)] {
            #expect(report.messages == expected)
            #expect(report.findings.allSatisfy { $0.reason == .outOfLimits && $0.resource?.name == "web" })
        }
    }

    /// Of quotas, whoever comes first in the files has first call; who is invalid or out takes up no room.
    @Test func quotas() {
        let capped = "profile: P, fqdn: app.shop.example, dport: 443, bandwidth-limit:"
        let report = checked(
            documents(limit("l", "max-rules: 2, max-total-bandwidth: 100"), resource("z", "\(capped) 40")),
            documents(
                resource("bad", "profile: P"), resource("large", "\(capped) 80"), resource("fits", "\(capped) 60"),
                resource("late", "\(capped) 1")))
        #expect(
            report.findings.filter { $0.reason == .outOfLimits }.map { "\($0.resource?.name ?? "") \($0.field ?? "")" }
                == ["large spec.bandwidth-limit", "late spec", "late spec.bandwidth-limit"])
    }

    /// Of two resources that want one name the first in the files has it, whatever their namespaces; not so on other
    /// profiles or segments, nor when the first is paused or outside its limits.
    @Test func conflicts() {
        let spec = "fqdn: app.shop.example, dport: 443, name: same, profile:"
        let first = resource("z", "\(spec) P")
        let report = checked(
            documents(first, resource("p", "\(spec) Q"), resource("s", "\(spec) P, segment: Guest")),
            resource("a", "\(spec) P").replacing("namespace: shop", with: "namespace: else"))
        #expect(
            report.messages == [
                "the rule name \"same\" is held by VelocloudBP shop/z (a:1), which comes first on this profile and "
                    + "segment; choose another spec.name"
            ])
        #expect(report.outline == ["b:1 NameConflict spec.name"])
        let paused = first.replacing("shop}", with: "shop, annotations: {vcn.cloud/paused: \"true\"}}")
        #expect(checked(documents(paused, resource("a", "\(spec) P"))).findings.isEmpty)
        let barred = documents(resource("z", "\(spec) Q"), resource("a", "\(spec) P"), limit("l", "profiles: [P]"))
        #expect(checked(barred).findings.map(\.reason) == [.outOfLimits])
    }

    /// A limit that makes no sense, and two that leave nothing, are found with the words of their condition.
    @Test func limitsThatMakeNoSense() {
        let report = checked(
            documents(
                limit("a", "profiles: [A], dports: [9-8], max-rules: -1, max-ruls: 1"), limit("b", "profiles: [B]"),
                limit("c", "service-groups: [PUBLIC_WIRED]")))
        #expect(
            report.outline == [
                "a:1 UnknownField spec.max-ruls", "a:1 InvalidSpec spec.dports", "a:1 InvalidSpec spec.max-rules",
                "a:1 Contradiction spec.profiles", "a:3 Contradiction spec.profiles", "a:5 Warning spec.service-groups",
            ])
        #expect(report.messages[1] == "spec.dports: \"9-8\" runs backwards, so that it allows nothing")
        #expect(
            report.messages[3]
                == "no value of spec.profiles is also allowed by VelocloudLimit \"b\", so that together they forbid "
                + "everything")
    }

    /// Warnings are shown and are no errors.
    @Test func warnings() {
        let report = checked(
            resource("web", "profile: P, fqdn: app.shop.example, dport: 443, service-group: PUBLIC_WIRED"))
        #expect(report.outline == ["a:1 Warning spec.service-group"])
        #expect(!report.hasErrors)
        #expect(report.text.hasSuffix("\n1 VelocloudBP and 0 VelocloudLimit checked: no findings, 1 warning\n"))
    }

    /// A member that the API server would drop is found, on every level that is ours, with what was probably meant.
    @Test(arguments: [
        ("spec: {bandwith-limit: 3}", "spec.bandwith-limit", "did you mean bandwidth-limit?"),
        ("spec: {bandwidthLimit: 3}", "spec.bandwidthLimit", "did you mean bandwidth-limit?"),
        ("spec: {Dport: 3}", "spec.Dport", "did you mean dport?"),
        ("spec: {protcol: 3}", "spec.protcol", "did you mean protocol?"),
        ("spec: {fdqn: a.b}", "spec.fdqn", "did you mean fqdn?"),
        ("spec: {hostname: a.b}", "spec.hostname", "known are profile, segment, name, fqdn, dport, "),
        ("specs: {}", "specs", "did you mean spec?"),
        ("metadata: {name: web, anotations: {}}", "metadata.anotations", "did you mean annotations?"),
    ])
    func unknownMembers(text: String, field: String, advice: String) throws {
        let report = checked("apiVersion: vcn.cloud/v1\nkind: VelocloudBP\n\(text)\n")
        let finding = try #require(report.findings.first { $0.reason == .unknownField })
        #expect(finding.field == field)
        #expect(finding.line == 3)
        #expect(finding.message.hasPrefix("\(field) is not known and would be dropped; \(advice)"))
    }

    /// The members of a limit's members are looked at, too.
    @Test func unknownMembersOfLimits() {
        let report = checked(limit("l", "bandwidth-limit: {maximum: 5, minimum: 1}, order: {maximum: 5}"))
        #expect(
            report.outline == [
                "a:1 UnknownField spec.bandwidth-limit.minimum", "a:1 UnknownField spec.order.maximum",
                "a:1 InvalidSpec spec.order",
            ])
    }

    /// What the API server would not take for metadata is found; the spec is looked at all the same.
    @Test(arguments: [
        ("{}", "metadata.name", "metadata.name is missing"),
        ("{name: ''}", "metadata.name", "metadata.name is missing"),
        ("{generateName: web-}", "metadata.name", "metadata.name is missing"),
        ("{name: on}", "metadata.name", "metadata.name true is no text; put it in quotes"),
        ("{name: My_App}", "metadata.name", "metadata.name \"My_App\" cannot be a name; "),
        ("{name: a., namespace: b}", "metadata.name", "metadata.name \"a.\" cannot be a name; "),
        ("{name: a, namespace: b.c}", "metadata.namespace", "metadata.namespace \"b.c\" cannot be a namespace; "),
        ("{name: a, namespace: 7}", "metadata.namespace", "metadata.namespace 7 is no text; put it in quotes"),
        ("{name: a, labels: [b]}", "metadata.labels", "metadata.labels [\"b\"] must be an object of texts"),
        (
            "{name: a, annotations: {vcn.cloud/paused: true}}", "metadata.annotations.vcn.cloud/paused",
            "metadata.annotations: vcn.cloud/paused true is no text; put it in quotes"
        ),
    ])
    func metadata(text: String, field: String, message: String) throws {
        let report = checked(
            "apiVersion: vcn.cloud/v1\nkind: VelocloudBP\nspec: {fqdn: a.b, dport: 1}\nmetadata: \(text)")
        #expect(report.findings.map(\.reason) == [.invalidSpec, .invalidMetadata])
        #expect(report.findings.last?.field == field)
        #expect(report.messages.last?.hasPrefix(message) == true, "\(report.messages)")
    }

    /// Names that the API server takes are no findings.
    @Test(arguments: ["a", "\"0\"", "a-b.c-1", "\"443\"", String(repeating: "a", count: 253)])
    func goodNames(name: String) {
        #expect(!checked(resource(name)).findings.contains { $0.reason == .invalidMetadata })
    }

    /// Of two resources of one kind, namespace and name the second is found, and does not stand in anybody's way.
    @Test func duplicates() {
        let report = checked(
            documents(resource("web"), limit("web", "max-rules: 2")),
            documents(
                resource("web"), resource("web").replacing("namespace: shop", with: "namespace: else"),
                resource("last")))
        #expect(report.outline == ["b:1 DuplicateResource metadata.name"])
        #expect(
            report.messages == [
                "VelocloudBP shop/web (a:1) has the same name, and only one of them can be; take one out or rename it"
            ])
    }

    /// The default namespace is that of the command, for comparing as well.
    @Test func defaultNamespace() {
        var validator = Validator(defaultNamespace: "shop")
        let unplaced = resource("web").replacing(", namespace: shop", with: "")
        validator.add(Array(documents(unplaced, resource("web")).utf8), file: "a")
        #expect(validator.finished().outline == ["a:3 DuplicateResource metadata.name"])
        #expect(validator.finished().findings.first?.resource?.namespace == "shop")
    }

    /// Our group with another version or kind, and our kinds in another group, are found.
    @Test(arguments: [
        ("vcn.cloud/v2", "VelocloudBP", "apiVersion"), ("vcn.cloud/v1", "VelocloudBp", "kind"),
        ("vcn.clud/v1", "VelocloudLimit", "apiVersion"), ("vcn.cloud/v1beta1", "Velo", "apiVersion"),
    ])
    func unknownKinds(apiVersion: String, kind: String, field: String) {
        let report = checked("metadata: {name: web}\nkind: \(kind)\napiVersion: \(apiVersion)\n")
        #expect(report.outline == ["a:\(field == "kind" ? 2 : 3) UnknownKind \(field)"])
        #expect(
            report.messages == [
                "there is no kind \"\(kind)\" in version \"\(apiVersion)\"; needed is VelocloudBP or VelocloudLimit in "
                    + "version \"vcn.cloud/v1\""
            ])
    }

    /// A status that was exported with a resource tells of another cluster's rule.
    @Test func statusIsLeftOut() {
        let exported = resource("web").dropLast() + ", status: {rule: {profile: P, segment: S, name: n}}}"
        let report = checked(documents(limit("l", "max-rules: 1"), resource("older"), String(exported)))
        #expect(report.findings.map { "\($0.reason) \($0.resource?.name ?? "")" } == ["outOfLimits web"])
    }

    /// Where only limits are looked for, resources beside them do not count.
    @Test func limitsOnly() {
        let report = checked(resource("web"), limits: documents(resource("web"), limit("l", "dports: [1]")))
        #expect(report.outline == ["a:1 OutOfLimits spec.dport"])
        #expect((report.velocloudBPs, report.velocloudLimits, report.passedOver) == (1, 1, 1))
    }

    /// What a hostile file says stays on its own line.
    @Test func controlCharacters() {
        let report = checked(resource("web", "profile: P, fqdn: a.b, dport: 1, \"x\\n\\e[2J\\u009b\": 1"))
        let lines = report.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains(#"spec.x\n\u{1B}[2J\u{009B} is not known"#))
        #expect(!report.text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    }

    /// The report for programs has every member, whatever is found.
    @Test func jsonReport() throws {
        let report = checked("a: [\n", resource("web", "profile: P, fqdn: a.b"))
        let json = try JSON.parse(Array(report.json.serialized()))
        #expect(json["checked"] == ["velocloudBPs": 1, "velocloudLimits": 0])
        #expect(
            json["findings"]?[1]
                == [
                    "file": "b", "line": 1, "kind": "VelocloudBP", "namespace": "shop", "name": "web",
                    "severity": "error", "reason": "InvalidSpec", "field": "spec.dport",
                    "message": "spec.dport is missing; needed is a whole number from 1 to 65535",
                ])
        let broken = try #require(json["findings"]?[0])
        #expect(broken["reason"] == "InvalidYAML" && broken["kind"] == "" && broken["field"] == "")
        #expect(broken.members?.map(\.name) == json["findings"]?[1]?.members?.map(\.name))
    }
}

/// What could make a check green though nothing was checked.
@Suite struct OverlookedTests {
    private static let spec = "spec: {profile: P, fqdn: app.shop.example, dport: 443}"

    /// A resource that names no namespace may be looked at in the wrong one: said where other namespaces have limits.
    @Test func wrongNamespace() {
        let nowhere = "{apiVersion: vcn.cloud/v1, kind: VelocloudBP, metadata: {name: web}, \(Self.spec)}"
        let report = checked(nowhere, limits: limit("l", "protocols: [udp]"))
        #expect(report.outline == ["a:1 Warning metadata"])
        #expect(report.messages[0].contains("namespace \"default\" has no VelocloudLimit (there are some in shop)"))
        #expect(checked(nowhere).findings.isEmpty)
        #expect(
            checked(nowhere.replacing("name: web", with: "name: web, namespace: free"), limits: limit("l", ""))
                .findings.isEmpty)
    }

    /// Ours, however kind and apiVersion are misspelt.
    @Test(arguments: [
        "{apiVersion: vcn.cloud/v1, Kind: VelocloudBP}", "{apiVersion: vcn.cloud, kind: VelocloudBP}",
        "{apiVersion: VCN.cloud/v1, kind: Other}", "{apiVersion: vnc.cloud/v1, kind: VelocloudBp}",
        "{kind: List, apiVersion: v1, items: [{apiVersion: vcn.cloud/v1, metadata: {name: a}}]}",
    ]) func misspeltKind(_ text: String) {
        #expect(checked(text).findings.map(\.reason) == [.unknownKind])
    }

    /// A stray list inside a resource does not hide it.
    @Test func strayItems() {
        let report = checked(resource("web").dropLast() + ", items: []}")
        #expect(report.velocloudBPs == 1 && report.outline == ["a:1 UnknownField items"])
    }

    /// Null counts as not given only where there is a default.
    @Test func nulls() {
        let web = resource("web", "profile: P, fqdn: a.example, dport: 1, dport-high: null, name: , segment: null")
        #expect(checked(web).outline == ["a:1 InvalidSpec spec.dport-high", "a:1 InvalidSpec spec.name"])
        let report = checked(limit("l", "profiles: null, bandwidth-limit: null, on-violation: null"))
        #expect(report.outline == ["a:1 InvalidSpec spec.profiles", "a:1 InvalidSpec spec.bandwidth-limit"])
        let bare = checked("{apiVersion: vcn.cloud/v1, kind: VelocloudLimit, metadata: {name: l}}")
        #expect(bare.messages == ["spec is missing; {} restricts nothing"])
    }

    /// An annotation of ours that does nothing is told of.
    @Test func idleAnnotations() {
        let annotations = """
            vcn.cloud/pause: "true", vcn.cloud/paused: "True", vcn.cloud/deletion-policy: orphan,
             vcn.cloud/adopt: "true", vcn.cloud/reconcile-requested-at: now, other/pause: "x"
            """
        let report = checked(resource("web").replacing("name: web", with: "name: web, annotations: {\(annotations)}"))
        #expect(
            report.messages == [
                "the annotation vcn.cloud/pause is not known and does nothing; did you mean vcn.cloud/paused?",
                "the annotation vcn.cloud/paused does nothing unless it is \"true\"",
                "the annotation vcn.cloud/deletion-policy does nothing unless it is \"Orphan\"",
            ])
        #expect(!report.hasErrors)
    }
}
