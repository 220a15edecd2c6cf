import HTTPTransport
import Yams

/// One or several kubeconfig files as one: of two entries with one name, and of two current contexts, the first wins,
/// as with kubectl.
struct Kubeconfig {
    /// In the order of the files, so that the first of a name is the one that counts.
    var clusters: [Entry] = []
    var contexts: [Entry] = []
    var users: [Entry] = []
    var currentContext: String?
    /// The files that were there, for messages.
    var files: [String] = []

    /// A named entry of one of the lists, and the file it stands in.
    struct Entry {
        /// `cluster`, `context` or `user`.
        var role: String
        var name: String
        var file: String
        var fields: Node.Mapping

        /// How messages name the entry.
        var place: String { "\(file): \(role) \"\(name)\"" }
    }

    /// Reads the files that exist; one at least must.
    init(firstOf paths: [String]) throws(ConfigurationError) {
        for path in paths where ClusterConfiguration.fileExists(path) {
            let content: [UInt8]
            files.append(path)
            do throws(CredentialFileError) {
                content = try CredentialFile(path: path, isTrimmed: false, now: { 0 }).current()
            } catch .empty {
                continue  // kubectl makes such files and takes them for one without entries
            } catch {
                throw ConfigurationError("the kubeconfig: \(error)")
            }
            try merge(content, file: path)
        }
        guard !files.isEmpty else {
            let named = paths.joined(separator: ", ")
            throw ConfigurationError("there is no kubeconfig at \(named): correct --kubeconfig or KUBECONFIG")
        }
    }

    private mutating func merge(_ bytes: [UInt8], file: String) throws(ConfigurationError) {
        guard let root = try Self.document(bytes, file: file) else { return }
        guard let fields = root.mapping else {
            throw ConfigurationError("\(file): this is no kubeconfig, it has no members")
        }
        if let kind = fields["kind"]?.scalar?.string, kind != "Config" {
            throw ConfigurationError("\(file): this is a \(kind), not a kubeconfig (kind: Config)")
        }
        clusters += try Self.entries("cluster", in: fields, file: file)
        contexts += try Self.entries("context", in: fields, file: file)
        users += try Self.entries("user", in: fields, file: file)
        if currentContext == nil, let name = fields["current-context"]?.scalar?.string, !name.isEmpty {
            currentContext = name
        }
    }

    /// The list `clusters`, `contexts` or `users` of one file.
    private static func entries(
        _ role: String, in fields: Node.Mapping, file: String
    ) throws(ConfigurationError) -> [Entry] {
        guard let list = fields[role + "s"], list.null == nil else { return [] }
        guard let nodes = list.sequence else {
            throw ConfigurationError("\(file): \(role)s must be a list")
        }
        var entries: [Entry] = []
        for node in nodes {
            guard let name = node.mapping?["name"]?.scalar?.string else {
                throw ConfigurationError("\(file): an entry of \(role)s has no name")
            }
            guard !entries.has(name) else {
                throw ConfigurationError("\(file): \(role)s has two entries of the name \"\(name)\"")
            }
            let content = node.mapping?[role]
            guard let mapping = content?.mapping ?? (content?.null != nil || content == nil ? [:] : nil) else {
                throw ConfigurationError("\(file): \(role) \"\(name)\" must have members")
            }
            entries.append(Entry(role: role, name: name, file: file, fields: mapping))
        }
        return entries
    }

    /// Parses YAML (of which JSON is a part). The parser's own message would quote the text, which has secrets: only
    /// the place is passed on.
    private static func document(_ bytes: [UInt8], file: String) throws(ConfigurationError) -> Node? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(file): this is no kubeconfig, it is not UTF-8 text")
        }
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw ConfigurationError("\(file): line \(mark.line) is not YAML: \(problem)")
            case .duplicatedKeysInMapping(_, let context):
                throw ConfigurationError("\(file): the members at line \(context.mark.line) have one name twice")
            default:
                throw ConfigurationError("\(file): this is not YAML")
            }
        } catch {
            throw ConfigurationError("\(file): this is not YAML")
        }
    }
}

extension [Kubeconfig.Entry] {
    func has(_ name: String) -> Bool {
        contains { $0.name == name }
    }

    /// The names, sorted, for a message that says what there is.
    var names: String {
        isEmpty ? "none" : Set(map(\.name)).sorted().joined(separator: ", ")
    }

    /// The entry of that name that counts.
    func first(named name: String) -> Kubeconfig.Entry? {
        first { $0.name == name }
    }
}

extension Kubeconfig.Entry {
    /// A text member; nil when it is absent, null or empty, which kubectl takes for the same.
    func text(_ name: String) throws(ConfigurationError) -> String? {
        guard let node = fields[name], node.null == nil else { return nil }
        guard let text = node.scalar?.string else {
            throw ConfigurationError("\(place): \(name) must be a text")
        }
        return text.isEmpty ? nil : text
    }

    /// A member that is true or false; false when it is absent.
    func flag(_ name: String) throws(ConfigurationError) -> Bool {
        guard let node = fields[name], node.null == nil else { return false }
        guard let flag = node.bool else {
            throw ConfigurationError("\(place): \(name) must be true or false")
        }
        return flag
    }

    /// Whether the member is there with any content.
    func holds(_ name: String) -> Bool {
        fields[name].map { $0.null == nil } ?? false
    }

    /// A file member; a relative path begins at the folder of the kubeconfig that has it.
    func path(_ name: String) throws(ConfigurationError) -> String? {
        guard let path = try text(name) else { return nil }
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + path
    }

    /// What `<name>-data` holds in Base64, else the file that `name` points to, which must be readable now.
    func material(_ name: String) throws(ConfigurationError) -> ClusterConfiguration.Material? {
        if let data = try text(name + "-data") {
            guard let bytes = decodedBase64(data), !bytes.isEmpty else {
                throw ConfigurationError("\(place): \(name)-data is not Base64")
            }
            return .bytes(bytes)
        }
        guard let path = try path(name) else { return nil }
        _ = try ClusterConfiguration.fileContent(path, isTrimmed: false, for: "\(place): \(name)")
        return .file(path)
    }
}
