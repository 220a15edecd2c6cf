/// The network seam: everything velokube says to the outside goes through one method.
///
/// It has two implementations: `CurlTransport` for the wire, and the simulated servers for tests.
package protocol HTTPTransport: Sendable {
    /// Sends one request and returns when the head of the reply is here; the body streams after it.
    ///
    /// The transport never follows a redirect. It sends a request a second time in one case only: a kept connection
    /// died before a byte of the reply came, and the request does not ask for a fresh one. Cancelling the task ends the
    /// transfer at once.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}
