import HTTPTransport

extension ClusterConfiguration {
    /// The cluster and user of one context of a kubeconfig.
    static func configuration(
        from kubeconfig: Kubeconfig, context: String?
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let files = kubeconfig.files.joined(separator: ", ")
        guard let name = context ?? kubeconfig.currentContext else {
            throw ConfigurationError(
                "\(files): there is no current-context: name one by --context "
                    + "(there are: \(kubeconfig.contexts.names))")
        }
        guard let context = kubeconfig.contexts.first(named: name) else {
            throw ConfigurationError(
                "\(files): there is no context \"\(name)\" (there are: \(kubeconfig.contexts.names))")
        }
        guard let clusterName = try context.text("cluster") else {
            throw ConfigurationError("\(context.place): it names no cluster")
        }
        guard let cluster = kubeconfig.clusters.first(named: clusterName) else {
            throw ConfigurationError(
                "\(context.place): there is no cluster \"\(clusterName)\" (there are: \(kubeconfig.clusters.names))")
        }
        var configuration = try read(cluster)
        configuration.defaultNamespace = try context.text("namespace")
        guard let userName = try context.text("user") else { return configuration }
        guard let user = kubeconfig.users.first(named: userName) else {
            throw ConfigurationError(
                "\(context.place): there is no user \"\(userName)\" (there are: \(kubeconfig.users.names))")
        }
        try configuration.add(user)
        return configuration
    }

    private static func read(_ cluster: Kubeconfig.Entry) throws(ConfigurationError) -> ClusterConfiguration {
        guard let server = try cluster.text("server") else {
            throw ConfigurationError("\(cluster.place): it has no server")
        }
        var configuration = ClusterConfiguration(server: try checkedServer(server, from: cluster.place))
        configuration.authorities = try cluster.material("certificate-authority")
        if let authorities = configuration.authorities {
            try checkCertificate(authorities, "\(cluster.place): certificate-authority")
        }
        if try cluster.flag("insecure-skip-tls-verify") {
            guard configuration.authorities == nil else {
                throw ConfigurationError(
                    "\(cluster.place): it has insecure-skip-tls-verify and a certificate-authority: take one out")
            }
            configuration.isVerificationOff = true
            configuration.warnings.append(
                "\(cluster.place) has insecure-skip-tls-verify: the API server's certificate is not checked, anyone "
                    + "on the way can read and change everything")
        }
        if let name = try cluster.text("tls-server-name") {
            configuration.serverName = name
            configuration.warnings.append(
                "\(cluster.place) has tls-server-name: the API server's certificate is checked for the name \(name)")
        }
        if let proxy = try cluster.text("proxy-url") {
            let schemes = ["http://", "https://", "socks5://", "socks5h://"]
            guard schemes.contains(where: { proxy.lowercased().hasPrefix($0) }) else {
                throw ConfigurationError(
                    "\(cluster.place): proxy-url must begin with http://, https:// or socks5://")
            }
            configuration.proxyURL = proxy
            configuration.warnings.append(
                "\(cluster.place) has proxy-url: the API server is reached through \(redacted(proxy))")
        }
        return configuration
    }

    private mutating func add(_ user: Kubeconfig.Entry) throws(ConfigurationError) {
        try Self.refuseUnsupported(user)
        clientCertificate = try user.material("client-certificate")
        clientKey = try user.material("client-key")
        switch (clientCertificate, clientKey) {
        case (nil, nil): break
        case (.some(let certificate), .some):
            try Self.checkCertificate(certificate, "\(user.place): client-certificate")
        case (.some, nil): throw ConfigurationError("\(user.place): it has a client-certificate but no client-key")
        case (nil, .some): throw ConfigurationError("\(user.place): it has a client-key but no client-certificate")
        }
        if let path = try user.path("tokenFile") {
            _ = try Self.fileContent(path, isTrimmed: true, for: "\(user.place): tokenFile")
            authorization = .token(.file(path))
        } else if let token = try user.text("token") {
            authorization = .token(.bytes(Array(token.utf8)))
        }
        if let name = try user.text("username") {
            guard case .none = authorization else {
                throw ConfigurationError("\(user.place): it has a token and a username: take one of them out")
            }
            authorization = .basic(user: name, password: try user.text("password") ?? "")
        }
        if authorization != .none, Self.isOpenToEavesdropping(server) {
            warnings.append(
                "\(user.place) sends a credential over plain http:// to \(server): anyone on the way can read it")
        }
    }

    /// What we would otherwise pass over, and then act as nobody, or with more rights than was meant.
    private static func refuseUnsupported(_ user: Kubeconfig.Entry) throws(ConfigurationError) {
        for name in ["exec", "auth-provider"] where user.holds(name) {
            throw ConfigurationError(
                "\(user.place): \(name) (a login helper of kubectl) is not supported: give this user a token, a "
                    + "tokenFile or a client certificate, for example of a ServiceAccount (kubectl create token), or "
                    + "run kubectl proxy and give --kube-url")
        }
        for name in ["as", "as-uid", "as-groups", "as-user-extra"] where user.holds(name) {
            throw ConfigurationError(
                "\(user.place): \(name) (impersonation) is not supported: give velokube a user with just its rights")
        }
    }

    private static func checkCertificate(_ material: Material, _ place: String) throws(ConfigurationError) {
        switch material {
        case .bytes(let bytes): _ = try certificates(bytes, place)
        case .file(let path):
            _ = try certificates(fileContent(path, isTrimmed: false, for: place), "\(place): \(path)")
        }
    }
}
