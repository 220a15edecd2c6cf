import HTTPTransport

/// The token and the authorities as they are now: files are followed as they change.
final class Credentials: Sendable {
    /// What one call uses.
    struct Current: Sendable {
        var token: String
        /// PEM; nil for the system's authorities.
        var authorities: [UInt8]?
    }

    /// Why there is nothing to call with, in words without the token.
    struct Fault: Error, Hashable, Sendable {
        var words: String
    }

    private struct Seen: Sendable {
        /// Nil while the file cannot be read: coming back counts as a change, too.
        var token: [UInt8]?
        var authorities: [UInt8]?
        var generation = 0
    }

    private let tokenSource: OrchestratorConfiguration.TokenSource
    private let tokenFile: CredentialFile?
    private let authoritiesFile: CredentialFile?
    private let seen: Locked<Seen>

    init(_ configuration: OrchestratorConfiguration, now: @escaping @Sendable () -> Int64) {
        tokenSource = configuration.token
        tokenFile =
            switch configuration.token {
            case .file(let path): CredentialFile(path: path, isTrimmed: true, now: now)
            case .value: nil
            }
        authoritiesFile = configuration.caFile.map { CredentialFile(path: $0, isTrimmed: false, now: now) }
        seen = Locked(Seen())
        let first = (token: try? token(), authorities: try? authorities())
        seen.withLock { seen in
            seen.token = first.token
            seen.authorities = first.authorities ?? nil
        }
    }

    /// What to call with now.
    func current() throws(Fault) -> Current {
        let token: [UInt8]
        let authorities: [UInt8]?
        do {
            token = try self.token()
            authorities = try self.authorities()
        } catch {
            note(token: nil, authorities: nil)
            throw error
        }
        note(token: token, authorities: authorities)
        return Current(token: String(decoding: token, as: UTF8.self), authorities: authorities)
    }

    /// A number that changes whenever the content of the token or of the authorities has changed.
    func generation() -> Int {
        _ = try? current()
        return seen.withLock { $0.generation }
    }

    /// Look at the files at the next call, whatever the time: the VCO has just refused what they held.
    func invalidate() {
        tokenFile?.invalidate()
        authoritiesFile?.invalidate()
    }

    private func note(token: [UInt8]?, authorities: [UInt8]?) {
        seen.withLock { seen in
            if seen.token != token || seen.authorities != authorities {
                seen.token = token
                seen.authorities = authorities
                seen.generation += 1
            }
        }
    }

    private func token() throws(Fault) -> [UInt8] {
        let bytes: [UInt8]
        switch tokenSource {
        case .value(let value):
            bytes = value
        case .file(let path):
            bytes = try content(of: tokenFile, named: "the token file") ?? []
            if let fault = OrchestratorConfiguration.tokenFault(bytes) {
                throw Fault(words: "the token file \(path) \(fault)")
            }
        }
        return bytes
    }

    private func authorities() throws(Fault) -> [UInt8]? {
        try content(of: authoritiesFile, named: "the CA file of --vco-ca")
    }

    private func content(of file: CredentialFile?, named name: String) throws(Fault) -> [UInt8]? {
        do {
            return try file?.current()
        } catch {
            throw Fault(words: "\(name) cannot be used: \(error)")
        }
    }
}
