import HTTPTransport

/// Which VCO to speak to, as whom, and whom to trust; checked once, when the program starts.
package struct OrchestratorConfiguration: Sendable {
    let address: OrchestratorAddress
    let token: TokenSource
    /// Path of a PEM bundle that replaces the system's authorities.
    let caFile: String?
    /// Sent with every call when set: a partner's or operator's token needs it, a customer's does not.
    package let enterpriseID: Int?
    /// What is allowed but should be known, in words, for the log.
    package let warnings: [String]

    /// Where the token comes from. The token itself is never printed.
    enum TokenSource: Sendable {
        /// Read again as the file changes.
        case file(String)
        /// From a variable: fixed for the life of the process.
        case value([UInt8])
    }

    /// Why the configuration cannot be used: which flag or variable, what is wrong with it, and what to do.
    package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
        package var message: String

        package init(_ message: String) {
            self.message = message
        }

        package var description: String { message }
    }

    /// The VCO and the enterprise, as the ledger is bound to them: `vco.example.net/12`, or `/-` for the token's own.
    package var bindingName: String {
        address.authority + address.prefix + "/" + (enterpriseID.map { String($0) } ?? "-")
    }

    /// Checks what the flags and variables say, and that the files they name can be used.
    ///
    /// A token file wins over a token in a variable. Empty values count as not given, because that is what an unset
    /// variable of a manifest becomes.
    package static func resolve(
        url: String?, tokenFile: String?, token: String?, caFile: String?, enterpriseID: String?,
        allowsInsecureHTTP: Bool
    ) throws(ConfigurationError) -> OrchestratorConfiguration {
        let address = try self.address(url, allowsInsecureHTTP: allowsInsecureHTTP)
        let source = try tokenSource(file: given(tokenFile), value: given(token))
        let caFile = given(caFile)
        if let caFile { try checkAuthorities(caFile) }
        var warnings: [String] = []
        if !address.isSecure, !address.isLoopback {
            warnings.append("--vco-insecure-http: the token and all policies go to \(address.authority) unencrypted")
        }
        return OrchestratorConfiguration(
            address: address, token: source, caFile: caFile, enterpriseID: try enterprise(given(enterpriseID)),
            warnings: warnings)
    }
}

extension OrchestratorConfiguration: CustomStringConvertible {
    /// For the log: everything but the secrets.
    package var description: String {
        let tokenWords =
            switch token {
            case .file(let path): "token file \(path)"
            case .value: "token from VCO_TOKEN"
            }
        return [
            address.base, tokenWords, caFile.map { "authorities from \($0)" },
            enterpriseID.map { "enterprise \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}

// MARK: - Checks

extension OrchestratorConfiguration {
    private static func given(_ text: String?) -> String? {
        guard let text else { return nil }
        let trimmed = text.trimmingBlanks()
        return trimmed.isEmpty ? nil : trimmed
    }

    private static func address(
        _ url: String?, allowsInsecureHTTP: Bool
    ) throws(ConfigurationError) -> OrchestratorAddress {
        guard let url = given(url) else {
            throw ConfigurationError(
                "the VCO's address is missing: give --vco-url or VCO_URL, such as https://vco.example.net")
        }
        let address: OrchestratorAddress
        do {
            address = try OrchestratorAddress(parsing: url)
        } catch {
            throw ConfigurationError("--vco-url (VCO_URL) \(error.words)")
        }
        guard address.isSecure || address.isLoopback || allowsInsecureHTTP else {
            throw ConfigurationError(
                "--vco-url (VCO_URL) is http://\(address.authority): that would send the token unencrypted. Use "
                    + "https://, or --vco-insecure-http if you must")
        }
        return address
    }

    private static func tokenSource(file: String?, value: String?) throws(ConfigurationError) -> TokenSource {
        if let file {
            let source = "--vco-token-file (VCO_TOKEN_FILE)"
            try checkToken(try content(of: file, isTrimmed: true, named: source), of: "\(source) \(file)")
            return .file(file)
        }
        guard let value else {
            throw ConfigurationError(
                "the VCO's token is missing: name its file with --vco-token-file or VCO_TOKEN_FILE, or put the token "
                    + "into VCO_TOKEN")
        }
        let bytes = Array(value.utf8)
        try checkToken(bytes, of: "VCO_TOKEN")
        return .value(bytes)
    }

    private static func checkToken(_ bytes: [UInt8], of source: String) throws(ConfigurationError) {
        if let fault = tokenFault(bytes) {
            throw ConfigurationError("\(source) \(fault)")
        }
    }

    /// What is wrong with a token, in words that do not repeat it; nil when it can go into a header.
    static func tokenFault(_ bytes: [UInt8]) -> String? {
        if bytes.isEmpty {
            return "is empty: put the API token there, as the portal shows it"
        }
        if !bytes.allSatisfy({ (0x21...0x7E).contains($0) }) {
            return "holds a space, a line break or another character that no token has inside: put the bare token "
                + "there, without \"Token\" or quotes"
        }
        return nil
    }

    private static func checkAuthorities(_ path: String) throws(ConfigurationError) {
        let source = "--vco-ca (VCO_CA_FILE)"
        let bytes = try content(of: path, isTrimmed: false, named: source)
        if let fault = authoritiesFault(bytes) {
            throw ConfigurationError("\(source) \(path) \(fault)")
        }
    }

    /// What is wrong with a CA bundle; the certificates themselves are TLS's to judge.
    static func authoritiesFault(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("-----BEGIN CERTIFICATE-----"), text.contains("-----END CERTIFICATE-----") else {
            return "holds no PEM certificate (-----BEGIN CERTIFICATE-----)"
        }
        return nil
    }

    private static func content(
        of path: String, isTrimmed: Bool, named source: String
    ) throws(ConfigurationError) -> [UInt8] {
        do {
            return try CredentialFile(path: path, isTrimmed: isTrimmed, now: { 0 }).current()
        } catch {
            throw ConfigurationError("\(source): \(error)")
        }
    }

    private static func enterprise(_ text: String?) throws(ConfigurationError) -> Int? {
        guard let text else { return nil }
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let id = Int(text), id > 0 else {
            throw ConfigurationError(
                "--enterprise-id (VCO_ENTERPRISE_ID) is \"\(text)\": it must be a positive whole number")
        }
        return id
    }
}

extension String {
    fileprivate func trimmingBlanks() -> String {
        let isBlank = { (character: Character) in character.isWhitespace || character.isNewline }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
