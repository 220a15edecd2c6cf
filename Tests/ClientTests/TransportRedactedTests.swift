import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportRedactedTests {
    // User, password, query and fragment go; all else stays.
    @Test(arguments: [
        ("https://some.example:443/a/b?c=d#e", "https://some.example:443/a/b"),
        ("https://user:secret@some.example/a", "https://some.example/a"),
        ("https://us@er:sec@ret@some.example", "https://some.example"),
        ("https://some.example/a@b", "https://some.example/a@b"),
        ("https://some.example/a?b@c", "https://some.example/a"),
        ("https://user:secret@[::1]:8443/", "https://[::1]:8443/"),
        ("user:secret@some.example/a", "some.example/a"),
        ("user:secret@some.example://x", "some.example://x"),
        ("http:/user:secret@some.example", "some.example"),
        ("nonsense", "nonsense"), ("", ""),
    ])
    func secretsGo(_ url: String, _ expected: String) {
        #expect(redacted(url) == expected)
    }

    // A request that is printed tells neither its headers nor its keys.
    @Test func aRequestDescribesItselfWithoutSecrets() {
        let request = HTTPRequest(
            .get, url: "https://user:secret@some.example/?secret", headers: [HTTPHeader("Authorization", "secret")],
            body: Array("secret".utf8))
        #expect("\(request)" == "GET https://some.example/")
        #expect("\([request])".contains("secret") == false)
        #expect("\(request.headers)".contains("secret") == false)
    }
}
