import Glibc
import HTTPTransport

extension ClusterConfiguration {
    /// What the kubelet mounts into a pod; nil if we are in none (or it was told not to mount the token).
    static func serviceAccount(
        environment: [String: String], root: String
    ) throws(ConfigurationError) -> ClusterConfiguration? {
        let folder = root + "/var/run/secrets/kubernetes.io/serviceaccount"
        guard let host = given(environment["KUBERNETES_SERVICE_HOST"]),
            let port = given(environment["KUBERNETES_SERVICE_PORT"]), fileExists(folder + "/token")
        else { return nil }
        let address = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let server = try checkedServer("https://\(address):\(port)", from: "KUBERNETES_SERVICE_HOST and _PORT")
        var configuration = ClusterConfiguration(server: server)
        _ = try fileContent(folder + "/token", isTrimmed: true, for: "the service account")
        configuration.authorization = .token(.file(folder + "/token"))
        if fileExists(folder + "/ca.crt") {
            _ = try certificates(fileContent(folder + "/ca.crt", isTrimmed: false, for: "the service account"), folder)
            configuration.authorities = .file(folder + "/ca.crt")
        } else {
            configuration.warnings.append(
                "\(folder) has no ca.crt: the API server's certificate is checked against the system's authorities")
        }
        if fileExists(folder + "/namespace") {
            let name = try fileContent(folder + "/namespace", isTrimmed: true, for: "the service account")
            configuration.podNamespace = given(String(decoding: name, as: UTF8.self))
            configuration.defaultNamespace = configuration.podNamespace
        }
        return configuration
    }

    /// A file's bytes, read now, so that a wrong path is told at the start and with the entry that names it.
    static func fileContent(
        _ path: String, isTrimmed: Bool, for place: String
    ) throws(ConfigurationError) -> [UInt8] {
        do throws(CredentialFileError) {
            return try CredentialFile(path: path, isTrimmed: isTrimmed, now: { 0 }).current()
        } catch {
            throw ConfigurationError("\(place): \(error)")
        }
    }

    /// The bytes if they hold a PEM certificate.
    static func certificates(_ bytes: [UInt8], _ place: String) throws(ConfigurationError) -> [UInt8] {
        guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw ConfigurationError("\(place): there is no PEM certificate in it")
        }
        return bytes
    }

    static func fileExists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
