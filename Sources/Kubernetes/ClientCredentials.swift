import HTTPTransport

/// Who we are and whom we trust, put on each request anew, because tokens and certificates rotate while we run.
struct ClientCredentials: Sendable {
    private let authorities: Source?
    private let certificate: Source?
    private let key: Source?
    private let authorization: Authorization
    private let security: HTTPRequest.Security

    /// Bytes that stand in the configuration, or a file that is looked at again.
    private enum Source: Sendable {
        case bytes([UInt8])
        case file(CredentialFile, path: String)

        init?(_ material: ClusterConfiguration.Material?, isTrimmed: Bool, now: @escaping @Sendable () -> Int64) {
            switch material {
            case .bytes(let bytes): self = .bytes(bytes)
            case .file(let path): self = .file(CredentialFile(path: path, isTrimmed: isTrimmed, now: now), path: path)
            case nil: return nil
            }
        }

        func current() throws(KubernetesError) -> [UInt8] {
            switch self {
            case .bytes(let bytes): return bytes
            case .file(let file, _):
                do throws(CredentialFileError) {
                    return try file.current()
                } catch {
                    throw .credential(String(describing: error))
                }
            }
        }

        var file: CredentialFile? {
            guard case .file(let file, _) = self else { return nil }
            return file
        }

        /// Where it is from, for messages.
        var place: String {
            switch self {
            case .bytes: "the kubeconfig"
            case .file(_, let path): path
            }
        }
    }

    /// What the `Authorization` header is made of.
    private enum Authorization: Sendable {
        case none
        case bearer(Source)
        case basic(String)
    }

    init(_ configuration: ClusterConfiguration, now: @escaping @Sendable () -> Int64) {
        authorities = Source(configuration.authorities, isTrimmed: false, now: now)
        certificate = Source(configuration.clientCertificate, isTrimmed: false, now: now)
        key = Source(configuration.clientKey, isTrimmed: false, now: now)
        authorization =
            switch configuration.authorization {
            case .none: .none
            case .token(let material): Source(material, isTrimmed: true, now: now).map { .bearer($0) } ?? .none
            case .basic(let user, let password): .basic(encodedBase64(Array("\(user):\(password)".utf8)))
            }
        security = HTTPRequest.Security(
            serverName: configuration.serverName, isVerificationOff: configuration.isVerificationOff,
            proxyURL: configuration.proxyURL)
    }

    /// Puts the credential as it is now on the request.
    func apply(to request: inout HTTPRequest) throws(KubernetesError) {
        request.security = security
        request.security.authorities = try authorities?.current()
        request.security.clientCertificate = try certificate?.current()
        request.security.clientKey = try key?.current()
        switch authorization {
        case .none: break
        case .bearer(let source):
            let token = try source.current()
            guard !token.isEmpty, token.allSatisfy({ (33...126).contains($0) }) else {
                throw .credential(
                    "the token of \(source.place) is empty or has characters that cannot stand in a header")
            }
            request.headers.append(HTTPHeader("Authorization", "Bearer " + String(decoding: token, as: UTF8.self)))
        case .basic(let pair):
            request.headers.append(HTTPHeader("Authorization", "Basic " + pair))
        }
    }

    /// The token as it is now, if it is by one that we are known.
    func bearerToken() throws(KubernetesError) -> String? {
        guard case .bearer(let source) = authorization else { return nil }
        return String(decoding: try source.current(), as: UTF8.self)
    }

    /// Looks at every file again on the next request, however young what we have is; false if there is no file, so that
    /// another try would only repeat the first.
    func invalidate() -> Bool {
        var files = [authorities, certificate, key].compactMap { $0?.file }
        if case .bearer(let source) = authorization, let file = source.file {
            files.append(file)
        }
        for file in files {
            file.invalidate()
        }
        return !files.isEmpty
    }
}
