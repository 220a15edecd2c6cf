import BusinessPolicy
import Testing

@Suite struct JSONTests {
    // What velokube does not understand goes back as it came: order, duplicates and the spelling of numbers.
    @Test(arguments: [
        #"{"b":1,"a":2,"b":3}"#, "[1,1.0,1e0,-0,1E+2,0.10,123456789012345678901234567890]", #""""#, "null",
        #"{"a":[],"b":{},"c":[{}],"":[[[]]],"d":"é😀"}"#, #"["\"\\/\b\f\n\r\t\u0001"]"#, "true", "false", "-0.0e-0",
    ])
    func compactTextRoundTrips(_ text: String) throws {
        #expect(try JSON.parse(Array(text.utf8)).serializedText() == text)
    }

    // White space may stand round every token, and nowhere else matters.
    @Test func whiteSpaceIsSkipped() throws {
        let json = try parse(" \n{ \"a\" : [ 1 , 2 ] ,\t\"b\" : { } }\r\n ")
        #expect(json.serializedText() == #"{"a":[1,2],"b":{}}"#)
    }

    // What RFC 8259 does not allow is refused, at the byte where it goes wrong.
    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{a:1}", 1),
        ("{\"a\":1,}", 7), ("01", 1), ("1.", 2), (".5", 0), ("-", 1), ("+1", 0), ("1e", 2), ("0x1", 1), ("NaN", 0),
        ("nul", 0), ("truefalse", 4), ("1 2", 2), ("\"a", 0), ("\"a\nb\"", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5),
        ("'a'", 0), ("[", 1), ("]", 0), ("{\"a\":1]", 6), ("/*c*/1", 0), ("\u{FEFF}1", 0), ("\"\\", 2), ("[}", 1),
    ])
    func badTextIsRefused(_ text: String, _ offset: Int) {
        let error = #expect(throws: JSONError.self) { try parse(text) }
        #expect(error?.offset == offset, "\(error?.problem ?? "")")
    }

    // Bytes that are no UTF-8 are refused, in plain strings, in escaped ones and in names.
    @Test(
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]])
    func badUTF8IsRefused(_ bad: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONError.self) { try JSON.parse([quote] + bad + [quote]) }
        #expect(throws: JSONError.self) { try JSON.parse([quote] + Array("\\n".utf8) + bad + [quote]) }
        #expect(throws: JSONError.self) { try JSON.parse(Array("{\"".utf8) + bad + Array("\":1}".utf8)) }
        #expect(throws: JSONError.self) { try JSON.slice(of: [quote] + bad + [quote], at: [.member("a")]) }
    }

    // Escapes mean their characters; half a surrogate pair is replaced, so that one cut string spoils no document.
    @Test(arguments: [
        (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"),
        (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
        (#""\ud83d\n""#, "\u{FFFD}\n"), (#""a\/b\\c\"""#, "a/b\\c\""), (#""\u0000""#, "\0"),
    ])
    func escapesAreDecoded(_ text: String, _ value: String) throws {
        #expect(try parse(text) == .string(value))
    }

    // The limit on depth holds exactly, so that no text can exhaust the stack.
    @Test func depthIsLimited() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            #expect(throws: Never.self) { try parse(nested(JSON.depthMax, open, close)) }
            #expect(throws: JSONError.self) { try parse(nested(JSON.depthMax + 1, open, close)) }
            #expect(throws: JSONError.self) { try parse(String(repeating: open, count: 1_000_000)) }
            #expect(throws: JSONError.self) {
                try JSON.slice(of: Array(String(repeating: open, count: 1_000_000).utf8), at: [])
            }
        }
    }

    // A whole number is one however it is spelt; what is no whole number, or too big, is none.
    @Test(
        arguments: [
            ("8080", 8080), ("8080.0", 8080), ("8.08e3", 8080), ("80800E-1", 8080), ("-1", -1), ("-1.0", -1), ("0", 0),
            ("-0", 0), ("0e99999999999999999999", 0), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min),
            ("9223372036854775808", nil), ("1.5", nil), ("1e19", nil), ("1e99999999999999999999", nil), ("5e-1", nil),
        ] as [(String, Int?)])
    func wholeNumbersAreRead(_ spelling: String, _ value: Int?) throws {
        #expect(try parse(spelling).int == value)
    }

    // Reading the wrong type gives nil, never a guess.
    @Test func wrongTypesAreNil() throws {
        let json = try parse(#"{"s":"1","n":1,"b":true,"a":[5],"z":null}"#)
        #expect(json["s"]?.int == nil && json["n"]?.string == nil && json["b"]?.int == nil && json["n"]?.bool == nil)
        #expect(json["a"]?[0]?.int == 5 && json["a"]?[1] == nil && json["a"]?[-1] == nil && json["a"]?["x"] == nil)
        #expect(json["z"] == .null && json["y"] == nil && json[0] == nil && json.array == nil)
        #expect(json.members?.count == 5 && json["a"]?.members == nil)
    }

    // Setting a member touches nothing else; the last of several is the one that counts.
    @Test func membersAreSetInPlace() throws {
        var json = try parse(#"{"a":1,"b":2,"a":3.0}"#)
        #expect(json["a"] == .number("3.0"))
        json["a"] = .int(4)
        json["c"] = .bool(true)
        #expect(json.serializedText() == #"{"a":1,"b":2,"a":4,"c":true}"#)
        json["a"] = nil
        #expect(json.serializedText() == #"{"b":2,"c":true}"#)
        var nothing = JSON.null
        nothing["a"] = nil
        #expect(nothing == .null)
        nothing["a"] = .null
        #expect(nothing.serializedText() == #"{"a":null}"#)
    }

    // A slice is the very bytes, with white space and spelling; of members given twice the last one.
    @Test func slicesAreTheVeryBytes() throws {
        let text = Array(#" {"a": 1, "l" : [ {"data": { "x" :1.0 } }, 2 ], "a" : "\u0041" , "é":null } "#.utf8)
        func slice(_ path: JSON.PathStep...) throws -> String? {
            try JSON.slice(of: text, at: path).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try slice(.member("l"), .index(0), .member("data")) == #"{ "x" :1.0 }"#)
        #expect(try slice(.member("a")) == #""\u0041""#)
        #expect(try slice(.member("l"), .index(1)) == "2")
        #expect(try slice(.member("é")) == "null")
        #expect(try slice(.member("l"), .index(2)) == nil)
        #expect(try slice(.member("a"), .member("b")) == nil)
        #expect(try slice(.index(0)) == nil)
        #expect(throws: JSONError.self) { try JSON.slice(of: Array(#"{"a":1,"b":x}"#.utf8), at: [.member("a")]) }
        #expect(throws: JSONError.self) { try JSON.slice(of: Array(#"{"a":1}}"#.utf8), at: [.member("a")]) }
    }

    // Any tree of values survives being written and read, and every value in it is found again as a slice.
    @Test(arguments: 0..<300) func anyValueRoundTrips(_ seed: Int) throws {
        var random = TestRandom(seed: seed)
        let json = JSON.random(depth: 5, using: &random)
        let bytes = json.serialized()
        #expect(try JSON.parse(bytes) == json)
        for (index, element) in (json.array ?? []).enumerated() {
            #expect(try JSON.slice(of: bytes, at: [.index(index)]) == element.serialized())
        }
        for member in json.members ?? [] {
            #expect(try JSON.slice(of: bytes, at: [.member(member.name)]) == json[member.name]?.serialized())
        }
    }

    // A pool of texts, however full, changes nothing of what is read or refused.
    @Test func sharedTextsAreTheSame() throws {
        var random = TestRandom(seed: 1)
        var strings = StringPool()
        for number in 0..<20_000 {
            let text = String(repeating: random.pick(["x", "é", "\\n"]), count: number % 40) + String(number % 5000)
            var bytes = Array(#"{"\#(text)":"\#(text)"}"#.utf8)
            if random.chance(in: 4) { bytes = bytes.mutated(using: &random) }
            let shared = Result { () throws(JSONError) in
                try JSON.parse(bytes[...], sharing: &strings, leavingOut: [])
            }
            #expect(shared == Result { () throws(JSONError) in try JSON.parse(bytes) }, "\(bytes)")
        }
    }

    // What is to be left out is not there, wherever else its name stands; but it is checked like the rest.
    @Test func leavingOut() throws {
        var strings = StringPool()
        let paths = [["a", "b"], ["a", "c", "d"], ["e"]]
        func read(_ text: String) throws -> String {
            try JSON.parse(Array(text.utf8)[...], sharing: &strings, leavingOut: paths).serializedText()
        }
        #expect(
            try read(#"{"a":{"b":[{}],"c":{"d":"\"","b":1},"e":2,"b":3},"b":4,"e":5,"c":{"d":6},"f":[{"e":7}]}"#)
                == #"{"a":{"c":{"b":1},"e":2},"b":4,"c":{"d":6},"f":[{"e":7}]}"#)
        for bad in [#"{"a":{"b":[}}"#, #"{"e":"\x"}"#, "{\"e\":\"\n\"}", #"{"a":{"c":{"d":01}}}"#] {
            #expect(throws: JSONError.self) { try read(bad) }
        }
    }

    // No bytes at all crash the reader; and what it accepts, checking and building agree on, and it can write again.
    @Test(arguments: 0..<200) func mutatedTextNeverCrashes(_ seed: Int) throws {
        var random = TestRandom(seed: seed)
        let original = JSON.random(depth: 4, using: &random).serialized()
        for _ in 0..<40 {
            let bytes = original.mutated(using: &random)
            let isSkippable = (try? JSON.slice(of: bytes, at: [])) != nil
            guard let json = try? JSON.parse(bytes) else {
                #expect(!isSkippable, "seed \(seed): checked but not built: \(bytes)")
                continue
            }
            #expect(isSkippable, "seed \(seed): built but not checked: \(bytes)")
            #expect(try JSON.parse(json.serialized()) == json, "seed \(seed): \(bytes)")
        }
    }
}

/// Parses text that is written down in a test.
func parse(_ text: String) throws -> JSON {
    try JSON.parse(Array(text.utf8))
}

extension JSON {
    /// Any value, with the odd cases (names given twice, escapes, wide numbers) made likely.
    static func random(depth: Int, using random: inout TestRandom) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: .null
        case 1: .bool(random.chance(in: 2))
        case 2: .number(random.pick(["0", "-0", "1.50", "8080", "1e5", "-12.5E-3", "99999999999999999999"]))
        case 3, 4: .string(randomText(using: &random))
        case 5:
            .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            .object(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    Member(randomText(using: &random), .random(depth: depth - 1, using: &random))
                })
        }
    }

    private static func randomText(using random: inout TestRandom) -> String {
        let parts = ["a", "b", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "name of a rule", "\u{7F}", " "]
        return (0..<Int.random(in: 0..<4, using: &random)).map { _ in random.pick(parts) }.joined()
    }
}

extension [UInt8] {
    /// The bytes with one to three of them changed, put in, taken out or cut off.
    func mutated(using random: inout TestRandom) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            let byte =
                random.chance(in: 2) ? random.pick(Array("{}[]\",:\\u0e-+.tn ".utf8)) : UInt8(random.next() & 0xFF)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.insert(byte, at: index)
            case 1 where index < bytes.count: bytes[index] = byte
            case 2 where index < bytes.count: bytes.remove(at: index)
            case 3 where random.chance(in: 4): bytes.removeSubrange(index...)
            default: break
            }
        }
        return bytes
    }
}
