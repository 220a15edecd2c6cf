/// How a list or a watch can fail, by what the informer does next.
package enum InformerFailure: Error, Hashable, Sendable {
    /// 410 Gone, as an HTTP status or inside the stream: the version or page asked for is no longer kept. Leads to a
    /// list.
    case gone
    /// 410 by its reason, `Expired`. Means what `gone` means.
    case expired
    /// The server has not come to the version that was asked for (504 with the cause `ResourceVersionTooLarge`).
    case resourceVersionTooLarge
    /// 429: the same request again, but not before `retryAfter`.
    case tooManyRequests(retryAfter: Duration?)
    /// No answer at all: refused, cut, timed out. The same request again.
    case unreachable
    /// 5xx, as an HTTP status or inside the stream. Leads to a list, for what the watch was doing is not known.
    case serverError
    /// 404: the resource's kind is not known there, so the CRD is missing.
    case notFound
    /// 403: not allowed to list or to watch.
    case forbidden
    /// 401: the credential was not accepted. The same request again, for credentials rotate.
    case unauthorized
    /// The stream was silent for longer than the request's `idle`: the connection is taken for dead. The same watch
    /// again.
    case idle
    /// 400 or 422: the server does not take the request as it is. Leads to a list, and from then on to lists in pages
    /// if it was one over a watch.
    case invalid(String)
    /// Anything else, in words. Leads to a list.
    case other(String)
}
