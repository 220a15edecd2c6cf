import Testing
import Validation

/// Findings name the very line, however the resource is written.
@Suite struct LineTests {
    /// In the second document of a file, after comments and blank lines.
    @Test func secondDocument() {
        let report = checked(
            """
            # The first one is sound.
            apiVersion: vcn.cloud/v1
            kind: VelocloudBP
            metadata:
              name: web
            spec: {profile: P, fqdn: a.b, dport: 1}
            --- # the second is not

            apiVersion: vcn.cloud/v1

            kind: VelocloudBP
            metadata:
              name: API
              annotations:
                a: "1"
                vcn.cloud/paused: yes
            spec:
              profile: P   # line 18

              fqdn:
                b
              dport: 70000
              bandwith-limit: 1
            """)
        #expect(
            report.outline == [
                "a:13 InvalidMetadata metadata.name",
                "a:16 InvalidMetadata metadata.annotations.vcn.cloud/paused",
                "a:20 InvalidSpec spec.fqdn",
                "a:22 InvalidSpec spec.dport",
                "a:23 UnknownField spec.bandwith-limit",
            ])
    }

    /// A member that is not written: the line of the spec, else that of the document.
    @Test func absentMembers() {
        let head = "\n\napiVersion: vcn.cloud/v1\nkind: VelocloudBP\nmetadata:\n  name: web\n"
        #expect(checked(head + "spec:\n  profile: P\n  fqdn: a.b\n").outline == ["a:7 InvalidSpec spec.dport"])
        #expect(checked(head + "spec: 5\n").outline.allSatisfy { $0.hasPrefix("a:7 InvalidSpec spec") })
        #expect(
            checked(head).outline == [
                "a:3 InvalidSpec spec.profile", "a:3 InvalidSpec spec.fqdn", "a:3 InvalidSpec spec.dport",
            ])
    }

    /// In the items of lists, block and flow style, nested lists included.
    @Test func items() {
        let report = checked(
            """
            apiVersion: v1
            kind: List
            items:
              - apiVersion: vcn.cloud/v1
                kind: VelocloudBP
                metadata: {name: one}
                spec:
                  profile: P
                  fqdn: a.b
                  dport: "1"
              - {apiVersion: vcn.cloud/v1, kind: VelocloudBP, metadata: {name: two},
                 spec: {profile: P,
                   fqdn: a,
                   dport: 1}}
              - apiVersion: vcn.cloud/v1
                kind: VelocloudLimitList
                items:
                  - metadata: {name: three}
                    spec:
                      max-rules: x
            """)
        #expect(
            report.outline == [
                "a:10 InvalidSpec spec.dport", "a:13 InvalidSpec spec.fqdn", "a:20 InvalidSpec spec.max-rules",
            ])
        #expect((report.velocloudBPs, report.velocloudLimits) == (2, 1))
    }

    /// In JSON, and in JSON texts that follow one another.
    @Test func json() {
        let resource = """
            {
              "apiVersion": "vcn.cloud/v1",
              "kind": "VelocloudBP",
              "metadata": {"name": "NAME", "annotations": {"face": "\\ud83d\\ude00"}},
              "spec": {
                "profile": "P",
                "fqdn": "a.b",
                "dport":
                  0,
                "ports": []
              }
            }
            """
        let twice = resource.replacing("NAME", with: "a") + "\n" + resource.replacing("NAME", with: "b")
        #expect(
            checked(twice).outline == [
                "a:8 InvalidSpec spec.dport", "a:10 UnknownField spec.ports", "a:20 InvalidSpec spec.dport",
                "a:22 UnknownField spec.ports",
            ])
    }

    /// What an alias or a merge brings in is at fault where it is written.
    @Test func aliases() {
        let report = checked(
            """
            apiVersion: vcn.cloud/v1
            kind: VelocloudBP
            metadata: &same
              name: web
              labels:
                port: &port 70000
            spec:
              <<: {profile: P,
                fqdn: a}
              dport: *port
            """)
        #expect(
            report.outline == [
                "a:6 InvalidMetadata metadata.labels.port", "a:9 InvalidSpec spec.fqdn", "a:10 InvalidSpec spec.dport",
            ])
    }

    /// Line breaks of Windows, and the mark that its editors put first.
    @Test func windows() {
        let text = "\u{FEFF}apiVersion: vcn.cloud/v1\nkind: VelocloudBP\n---\nkind: VelocloudBP\nmetadata: {name: a}\n"
        #expect(
            checked(text.replacing("\n", with: "\r\n")).outline == [
                "a:1 InvalidMetadata metadata.name", "a:1 InvalidSpec spec.profile", "a:1 InvalidSpec spec.fqdn",
                "a:1 InvalidSpec spec.dport", "a:4 UnknownKind apiVersion",
            ])
    }

    /// Findings come in the order of files and lines, not in that of the checks.
    @Test func order() {
        let broken = "a: [\n"
        let conflict = "profile: P, fqdn: a.b, dport: 1, name: same"
        let report = checked(documents(resource("z", conflict), broken, resource("a", conflict)), broken)
        #expect(
            report.findings.map { "\($0.file) \($0.reason)" } == ["a invalidYAML", "a nameConflict", "b invalidYAML"])
    }
}
