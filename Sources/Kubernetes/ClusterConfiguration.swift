import HTTPTransport

/// Where the API server is, who we are there and whom we trust: what a kubeconfig's context comes to.
package struct ClusterConfiguration: Hashable, Sendable {
    /// The server's URL, possibly with a path below which the API begins; no slash at the end.
    package var server: String
    /// The namespace that the context or the service account names.
    package var defaultNamespace: String?
    /// The namespace of the pod that this process runs in, if it is in one and goes by its service account.
    package internal(set) var podNamespace: String?
    /// What an administrator should know before trusting this, one sentence each; to be logged once at the start.
    package var warnings: [String] = []

    var authorities: Material?
    var clientCertificate: Material?
    var clientKey: Material?
    var authorization = Authorization.none
    var serverName: String?
    var isVerificationOff = false
    var proxyURL: String?

    /// Bytes given in the configuration itself, or a file that may change while we run.
    enum Material: Hashable, Sendable {
        case bytes([UInt8])
        case file(String)
    }

    /// What is sent in the `Authorization` header; a client certificate may come on top or instead.
    enum Authorization: Hashable, Sendable {
        case none
        case token(Material)
        case basic(user: String, password: String)
    }

    init(server: String) {
        self.server = server
    }
}

extension ClusterConfiguration: CustomStringConvertible, CustomReflectable {
    /// Nothing but the server: the rest has secrets, and values end up in logs by accident.
    package var description: String { "cluster at \(server)" }
    package var customMirror: Mirror { Mirror(self, children: ["server": server]) }
}

extension ClusterConfiguration {
    /// Finds the cluster: the plain URL if given, else the kubeconfig (given, or named by `KUBECONFIG`; several files
    /// are separated by colons), else the pod's service account, else `~/.kube/config`.
    ///
    /// A context can only be of a kubeconfig, so naming one passes the service account over. `root` stands before the
    /// service account's folder and is there for tests.
    package static func resolve(
        kubeURL: String?, kubeconfig: String?, context: String?, environment: [String: String], root: String = ""
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let context = given(context)
        if let url = given(kubeURL) {
            guard context == nil else {
                throw ConfigurationError("--context picks an entry of a kubeconfig and means nothing beside --kube-url")
            }
            return ClusterConfiguration(server: try checkedServer(url, from: "--kube-url"))
        }
        if let list = given(kubeconfig) ?? given(environment["KUBECONFIG"]) {
            let paths = list.split(separator: ":").map(String.init)
            return try configuration(from: Kubeconfig(firstOf: paths), context: context)
        }
        if context == nil, let configuration = try serviceAccount(environment: environment, root: root) {
            return configuration
        }
        if let home = given(environment["HOME"]) {
            let path = home + "/.kube/config"
            if fileExists(path) {
                return try configuration(from: Kubeconfig(firstOf: [path]), context: context)
            }
        }
        throw ConfigurationError(
            "no API server is named: give --kube-url or --kubeconfig (KUBECONFIG), or run in a pod with a service "
                + "account, or have ~/.kube/config")
    }

    /// The URL without a slash at its end, if it can be one of an API server; `from` says where it was found.
    static func checkedServer(_ url: String, from place: String) throws(ConfigurationError) -> String {
        let lowercased = url.lowercased()
        guard lowercased.hasPrefix("https://") || lowercased.hasPrefix("http://") else {
            throw ConfigurationError("\(place): the server must begin with https:// (or http://)")
        }
        guard !url.contains("@") else {
            throw ConfigurationError("\(place): the server must hold no user and password; give them in the user entry")
        }
        guard !url.utf8.contains(where: { $0 <= 32 || $0 >= 127 }), !url.contains("?"), !url.contains("#") else {
            throw ConfigurationError("\(place): the server must be a URL without blanks, query and fragment")
        }
        var server = url[...]
        while server.hasSuffix("/") {
            server = server.dropLast()
        }
        let host = hostAndPort(of: String(server))
        guard !host.isEmpty, !host.hasPrefix(":") else {
            throw ConfigurationError("\(place): the server has no host")
        }
        return String(server)
    }

    /// Whether the URL is plain HTTP to another machine, where anyone on the way can read a credential.
    static func isOpenToEavesdropping(_ server: String) -> Bool {
        guard server.lowercased().hasPrefix("http://") else { return false }
        let host = hostAndPort(of: server).lowercased()
        return !["localhost", "127.", "[::1]"].contains { host.hasPrefix($0) }
    }

    private static func hostAndPort(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        return String(url[scheme.upperBound...].prefix { $0 != "/" })
    }

    /// A flag or variable set to nothing counts as not given.
    static func given(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        return text
    }
}
