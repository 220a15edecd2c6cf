/// The network seam: everything velokube says to the outside goes through one method.
///
/// It has two implementations: `CurlTransport` for the wire, and the simulated servers for tests.
package protocol HTTPTransport: Sendable {
    /// Sends one request, once, and returns when the head of the reply is here; the body streams after it.
    ///
    /// The transport never repeats a request by itself, and never follows a redirect. Cancelling the task ends the
    /// transfer at once.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}
