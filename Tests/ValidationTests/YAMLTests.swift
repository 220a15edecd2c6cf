import BusinessPolicy
import Testing
import YAML

@testable import Validation

/// YAML is read as kubectl reads it, and no YAML is too much.
@Suite struct YAMLTests {
    /// What kubectl 1.37 makes of plain scalars: `kubectl label --local -f - a=b -o json`.
    static let scalars: [(String, String)] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"].map { ($0, "true") }
        + ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map { ($0, "false") }
        + ["", "~", "null", "Null", "NULL"].map { ($0, "null") }
        + [
            ("443", "443"), ("+443", "443"), ("-0x10", "-16"), ("0443", "291"), ("0o443", "291"), ("-0o17", "-15"),
            ("0O17", "15"), ("0x1BB", "443"), ("0X1F", "31"), ("0b101", "5"), ("0B11", "3"), ("-0b101", "-5"),
            ("+0b11", "3"), ("4_43", "443"), ("1_", "1"), ("1__0", "10"), ("0_1", "1"), ("00", "0"), ("007", "7"),
            ("443.0", "443"), ("4.43e2", "443"), ("1e3", "1000"), ("1E3", "1000"), ("12e03", "12000"),
            ("1.e5", "100000"),
            (".5", "0.5"), ("+.5", "0.5"), ("-.5", "-0.5"), ("5.", "5"), ("1_0.5", "10.5"), ("1_._5", "1.5"),
            ("08", "8"), ("09.5", "9.5"), ("-0", "0"), ("-0.0", "0"), ("1.10", "1.1"),
            ("0.30000000000000004", "0.30000000000000004"), ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
        ]
        + [
            "oN", "tRue", "nULL", "1:30", "0o8", "2020-01-01", "2020-01-01T00:00:00Z", "0x", "0b", "-0b", "0b102", "_1",
            "0x1p4", "1e400", "infinity", "nan", "=", "-", "--", ".", "1.2.3.4", "+-1", "0x-1", "1e", "e5", "443a",
        ].map { ($0, "\"\($0)\"") }

    @Test(arguments: scalars)
    func plainScalar(text: String, json: String) {
        #expect(YAMLScalar.value(of: text).serializedText() == json)
    }

    /// Quotes and tags say what a scalar is.
    @Test(arguments: [
        ("\"443\"", "\"443\""), ("'on'", "\"on\""), ("!!str 443", "\"443\""), ("!!int \"443\"", "443"),
        ("!!bool \"yes\"", "true"), ("! 443", "\"443\""), ("!foo 443", "\"443\""),
        ("!!timestamp 2020-01-01", "\"2020-01-01\""),
        ("|\n  443", "\"443\""), ("!!null", "null"), ("!!set {a}", "{\"a\":null}"),
    ])
    func taggedScalar(text: String, json: String) throws {
        #expect(try read("v: \(text)") == ["{\"v\":\(json)}"])
    }

    /// The names of members are read likewise; what is then no name is refused, as by kubectl.
    @Test func names() throws {
        #expect(try read("{y: 1, 0x10: 2, 1.50: 3, \"on\": 4}") == [#"{"true":1,"16":2,"1.5":3,"on":4}"#])
        #expect(faults("a: 1\n~: 2\n") == ["2: the name of a member is no text"])
        #expect(faults("{[a]: 1}") == ["1: the name of a member is no text"])
        #expect(faults("a:\n  b: 1\n  b: 2\n") == ["3: this member is written more than once"])
        #expect(faults("{\"a\": 1,\n\"a\": 2}") == ["2: this member is written more than once"])
    }

    /// Aliases and merges mean what they mean to kubectl, with which a later member wins over a merge and the reverse.
    @Test func aliases() throws {
        #expect(
            try read("a: &x-1_ {b: [1]}\nc: [*x-1_, \"*x-1_\", a *x]\n")
                == [#"{"a":{"b":[1]},"c":[{"b":[1]},"*x-1_","a *x"]}"#])
        #expect(try read("&k a: &v \"on\"\n*v : 2\nc: *k\n") == [#"{"a":"on","on":2,"c":"a"}"#])
        #expect(try members("x: &x {a: 1, b: 2}\nv: {<<: *x, b: 3}", of: "v") == ["a": "1", "b": "3"])
        #expect(
            try members("x: &x {a: 1, b: 2}\nz: &z {a: 5, c: 7}\nv: {b: 3, <<: [*x, *z]}", of: "v")
                == ["a": "1", "b": "2", "c": "7"])
        #expect(faults("v: {<<: 3}") == ["1: << is given something that has no members"])
        #expect(faults("a: 1\nb: *x\n") == ["2: there is no anchor of this name before this alias"])
        #expect(faults("a: &a [*a]\n") == ["1: there is no anchor of this name before this alias"])
        #expect(faults("a: &a 1\n---\nb: *a\n") == ["3: there is no anchor of this name before this alias"])
        #expect(faults("a: &a 1\nb: *.yaml\n") == ["2: a text that begins with * must be in quotes"])
    }

    /// A few lines that stand for more values than there is memory for end at once, as members and as names of members.
    @Test(arguments: ["spec: *x11", "? *x11\n: 1"])
    func laughs(last: String) {
        var lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"]
        for level in 1...11 {
            let aliases = Array(repeating: "*x\(level - 1)", count: 9).joined(separator: ", ")
            lines.append("x\(level): &x\(level) [\(aliases)]")
        }
        let found = faults((lines + [last]).joined(separator: "\n"))
        #expect(found == ["6: the aliases up to here stand for more than 100000 values"])
    }

    /// Aliases within reason are not refused.
    @Test func manyAliases() throws {
        let aliases = Array(repeating: "*x", count: 10_000).joined(separator: ", ")
        #expect(try read("x: &x [1, 2]\nv: [\(aliases)]").count == 1)
    }

    /// No depth of text or of aliases breaks it.
    @Test func depth() throws {
        func nested(_ depth: Int, _ inner: String) -> String {
            String(repeating: "[", count: depth) + inner + String(repeating: "]", count: depth)
        }
        #expect(try read(nested(900, "1")).count == 1)
        #expect(faults(nested(100_000, "")) == ["1: this is more than 1000 levels deep"])
        let block = (0..<2000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
        #expect(faults(block) == ["1000: this is more than 1000 levels deep"])
        let chain = (1..<200).map { "x\($0): &x\($0) \(nested(500, "*x\($0 - 1)"))" }.joined(separator: "\n")
        #expect(
            faults("x0: &x0 \(nested(500, "1"))\n\(chain)") == [
                "2: with its aliases this is more than 1000 levels deep"
            ])
        let keys = String(repeating: "{? ", count: 900) + "[" + String(repeating: "a, ", count: 100_000) + "a]"
        #expect(
            faults(keys + String(repeating: "}", count: 900))
                == ["1: the name of a member is no text"])
        #expect(try read("? a\n: 1\n") == [#"{"a":1}"#])
    }

    /// A document that cannot be read does not hide the others, and its line is told without its words.
    @Test func brokenDocuments() {
        let report = checked(
            documents(
                resource("a"), "secret: [hunter2", resource("b"), "a:\n\tb: 1", resource("c"), "a: 'x", "{\"a\": 1} x"))
        #expect(report.velocloudBPs == 3)
        #expect(
            report.outline == [
                "a:3 InvalidYAML -", "a:8 InvalidYAML -", "a:12 InvalidYAML -", "a:14 InvalidYAML -",
            ])
        #expect(!report.text.contains("hunter2"))
    }

    /// What is not text, or not UTF-8, is found on its line.
    @Test func notText() {
        #expect(
            TextDocuments.read(Array("a: 1\nb: ".utf8) + [0xFF, 0xFE] + Array("\n".utf8)).faults == [
                LinedJSON.Fault(line: 2, problem: "this is not UTF-8 text")
            ])
        #expect(faults("a: 1\nb: \u{1}\n") == ["2: control characters are not allowed"])
    }

    /// Only a comment may stand beside the separator of documents; kubectl refuses the rest.
    @Test func separators() throws {
        #expect(faults("a: 1\n--- {b: 1}\n---\nc: 1\n") == ["2: only a comment may follow the --- between documents"])
        #expect(try read("--- # one\na: 1\n---  \n\n---\nb: 1\n...\n---\n# nothing\n") == [#"{"a":1}"#, #"{"b":1}"#])
        #expect(try read("").isEmpty && read("\n# nothing\n").isEmpty)
        #expect(faults("%YAML 1.1\n---\na: 1\n") == ["1: did not find expected <document start>"])
    }

    /// What begins like JSON and is none is YAML's flow style.
    @Test func flowStyle() throws {
        #expect(try read("{a: 1, \"b\": [c,]}\n---\n{\"d\": 1.50}\n") == [#"{"a":1,"b":["c"]}"#, #"{"d":1.50}"#])
        #expect(faults("{\"a\": 1}\n{\"b\": ") == ["2: the text ends where a value should be"])
    }

    private func read(_ text: String) throws -> [String] {
        let (values, faults) = TextDocuments.read(Array(text.utf8))
        if let fault = faults.first { throw fault }
        return values.map { $0.json.serializedText() }
    }

    /// The members of a member that count.
    private func members(_ text: String, of name: String) throws -> [String: String] {
        let value = try #require(TextDocuments.read(Array(text.utf8)).values.first?[name]?.value.json)
        return Dictionary(
            try #require(value.members).map { ($0.name, $0.value.serializedText()) }, uniquingKeysWith: { $1 })
    }

    private func faults(_ text: String) -> [String] {
        TextDocuments.read(Array(text.utf8)).faults.map { "\($0.line): \($0.problem)" }
    }
}
