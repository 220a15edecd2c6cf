/// The head of a reply, and its body as it arrives.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [HTTPHeader]
    package var body: HTTPBody

    package init(status: Int, headers: [HTTPHeader] = [], body: HTTPBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, without regard to case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// A reply's body, read once, chunk by chunk; the reader sets the pace (back-pressure).
///
/// Dropping the last copy of the body without reading to its end ends the transfer.
package struct HTTPBody: Sendable {
    private let read: @Sendable () async throws(TransportError) -> [UInt8]?

    /// A body from a function that returns the next chunk, or nil at the end.
    package init(_ next: @escaping @Sendable () async throws(TransportError) -> [UInt8]?) {
        self.read = next
    }

    /// The next chunk, never empty; nil at the end.
    package func next() async throws(TransportError) -> [UInt8]? {
        try await read()
    }

    /// The rest of the body in one piece; the transport already holds it to the request's `bodyBytesMax`.
    package func collect() async throws(TransportError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try await next() {
            bytes += chunk
        }
        return bytes
    }
}
