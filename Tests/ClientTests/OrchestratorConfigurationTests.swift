import Orchestrator
import Testing

@Suite struct OrchestratorConfigurationTests {
    private func resolve(
        url: String? = "https://vco.example.net", tokenFile: String? = nil, token: String? = testToken,
        caFile: String? = nil, enterpriseID: String? = nil, insecure: Bool = false
    ) throws -> OrchestratorConfiguration {
        try OrchestratorConfiguration.resolve(
            url: url, tokenFile: tokenFile, token: token, caFile: caFile, enterpriseID: enterpriseID,
            allowsInsecureHTTP: insecure)
    }

    private func fault(_ body: () throws -> OrchestratorConfiguration) -> String {
        do {
            return "none: \(try body())"
        } catch {
            return "\(error)"
        }
    }

    // One VCO has one name, however its URL is spelt: the ledger is bound to it.
    @Test(arguments: [
        ("https://vco.example.net", "vco.example.net/-"), ("https://vco.example.net/", "vco.example.net/-"),
        ("HTTPS://VCO.Example.Net:443//portal//rest//", "vco.example.net/-"),
        (" https://vco.example.net/portal \n", "vco.example.net/-"),
        ("https://vco.example.net:8443/portal/rest", "vco.example.net:8443/-"),
        ("https://vco.example.net:/portal/rest", "vco.example.net/-"),
        ("https://[2001:DB8::1]:8443", "[2001:db8::1]:8443/-"), ("http://127.0.0.1:80", "127.0.0.1/-"),
        ("http://localhost:8080/", "localhost:8080/-"), ("http://[::1]:1/", "[::1]:1/-"),
        ("https://gateway.example/a/portal/rest/", "gateway.example/a/-"),
    ])
    func oneNameForOneOrchestrator(url: String, name: String) throws {
        #expect(try resolve(url: url).bindingName == name)
    }

    // Each bad URL is refused in words that name the flag, and none repeats what may be secret.
    @Test(
        arguments: [
            (nil, "missing"), ("", "missing"), (" ", "missing"), ("vco.example.net", "is not a URL"),
            ("ftp://vco.example.net", "must begin with https://"), ("https://", "no usable host"),
            ("https:///portal/rest", "no usable host"), ("https://:8443", "no usable host"),
            ("https://user:sesame@vco.example.net", "user information"),
            ("https://user:se/same@vco.example.net", "user information"),
            ("https://vco.example.net?token=sesame", "query"), ("https://vco.example.net/portal/rest#sesame", "query"),
            ("https://vco.example.net:0", "port"), ("https://vco.example.net:65536", "port"),
            ("https://vco.example.net:sesame", "port"), ("https://vco.example.net:+80", "port"),
            ("https://vco example.net", "space"), ("https://vcö.example.net", "ASCII"),
            ("https://[2001:db8::1", "bracket"), ("https://[]", "no usable host"), ("https://[::1]x", "no usable host"),
            ("https://vco_%41.example.net", "no usable host"), ("https://-vco", "no usable host"),
        ] as [(String?, String)])
    func badURLsAreRefused(url: String?, words: String) {
        let fault = fault { try resolve(url: url) }
        #expect(fault.contains(words))
        #expect(fault.contains("--vco-url") && fault.contains("VCO_URL"))
        #expect(!fault.contains("sesame") && !fault.contains("se/same"))
    }

    // Plain HTTP is for the machine itself; elsewhere only with the flag, which then warns.
    @Test(arguments: [
        "http://vco.example.net", "http://127.0.0.1.example.net", "http://127.1", "http://localhost.example.net",
        "http://10.0.0.1", "http://[::2]", "http://127.0.0.256",
    ])
    func plainHTTPIsRefused(url: String) throws {
        #expect(fault { try resolve(url: url) }.contains("--vco-insecure-http"))
        #expect(try resolve(url: url, insecure: true).warnings.count == 1)
        for loopback in ["http://127.0.0.1", "http://127.8.9.10:1", "http://LOCALHOST", "http://[::1]"] {
            #expect(try resolve(url: loopback).warnings == [])
        }
    }

    // A token is required; its faults are named with their source and never with its text.
    @Test func badTokensAreRefused() throws {
        let missing = fault { try resolve(token: nil) }
        #expect(missing.contains("--vco-token-file or VCO_TOKEN_FILE") && missing.contains("into VCO_TOKEN"))
        #expect(fault { try resolve(token: " \n") }.contains("missing"))
        #expect(fault { try resolve(token: "Token sesame") }.hasPrefix("VCO_TOKEN holds a space"))
        #expect(!fault { try resolve(token: "Token sesame") }.contains("sesame"))
        for content in ["two\nlines", "a b", "tab\there", "nul\u{01}l", "ü"] {
            let file = try TemporaryFile(content)
            #expect(fault { try resolve(tokenFile: file.path, token: nil) }.contains("\(file.path) holds a space"))
        }
        let empty = try TemporaryFile(" \n")
        #expect(fault { try resolve(tokenFile: empty.path) }.contains("\(empty.path) is empty"))
        let absent = fault { try resolve(tokenFile: "/nonexistent/token") }
        #expect(absent.contains("--vco-token-file (VCO_TOKEN_FILE): cannot read /nonexistent/token"))
    }

    // The file wins over the variable, even where the variable's token could not be used.
    @Test func theFileWins() throws {
        let file = try TemporaryFile("\n\(testToken)\n\n")
        let configuration = try resolve(tokenFile: file.path, token: "un usable")
        #expect(configuration.description == "https://vco.example.net/portal/rest, token file \(file.path)")
    }

    // A CA file must be PEM.
    @Test func badAuthoritiesAreRefused() throws {
        let file = try TemporaryFile("MIIB")
        #expect(fault { try resolve(caFile: file.path) }.contains("--vco-ca (VCO_CA_FILE) \(file.path) holds no PEM"))
        let absent = fault { try resolve(caFile: "/nonexistent/ca") }
        #expect(absent.contains("--vco-ca (VCO_CA_FILE): cannot read /nonexistent/ca"))
        #expect(try resolve(caFile: "").description.contains("authorities") == false)
    }

    // An enterprise is a positive number, and part of the binding.
    @Test func enterprises() throws {
        #expect(try resolve(enterpriseID: " 12 ").bindingName == "vco.example.net/12")
        #expect(try resolve(enterpriseID: "").enterpriseID == nil)
        for bad in ["0", "-1", "+1", "1.5", "twelve", "99999999999999999999", "١"] {
            let words = fault { try resolve(enterpriseID: bad) }
            #expect(words.contains("--enterprise-id (VCO_ENTERPRISE_ID) is \"\(bad)\""))
        }
    }

    // What goes to the log says all but the secret.
    @Test func theDescriptionHoldsNoSecret() throws {
        let configuration = try resolve(enterpriseID: "12")
        #expect("\(configuration)" == "https://vco.example.net/portal/rest, token from VCO_TOKEN, enterprise 12")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("secret-token") && !String(reflecting: configuration).contains("secret-token"))
    }
}
