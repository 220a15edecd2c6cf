import BusinessPolicy
import HTTPTransport
import YAML

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
        var fields: JSON

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
        guard let fields = try Self.document(bytes, file: file) else { return }
        guard fields.members != nil else {
            throw ConfigurationError("\(file): this is no kubeconfig, it has no members")
        }
        if let kind = fields["kind"]?.string, kind != "Config" {
            throw ConfigurationError("\(file): this is a \(kind), not a kubeconfig (kind: Config)")
        }
        clusters += try Self.entries("cluster", in: fields, file: file)
        contexts += try Self.entries("context", in: fields, file: file)
        users += try Self.entries("user", in: fields, file: file)
        if currentContext == nil, let name = fields["current-context"]?.string, !name.isEmpty {
            currentContext = name
        }
    }

    /// The list `clusters`, `contexts` or `users` of one file.
    private static func entries(
        _ role: String, in fields: JSON, file: String
    ) throws(ConfigurationError) -> [Entry] {
        guard let list = fields[role + "s"], list != .null else { return [] }
        guard let elements = list.array else {
            throw ConfigurationError("\(file): \(role)s must be a list")
        }
        var entries: [Entry] = []
        for element in elements {
            guard let name = element["name"]?.string else {
                throw ConfigurationError("\(file): an entry of \(role)s has no name")
            }
            guard !entries.has(name) else {
                throw ConfigurationError("\(file): \(role)s has two entries of the name \"\(name)\"")
            }
            let content = element[role] ?? .null
            guard content == .null || content.members != nil else {
                throw ConfigurationError("\(file): \(role) \"\(name)\" must have members")
            }
            entries.append(Entry(role: role, name: name, file: file, fields: content))
        }
        return entries
    }

    /// The one document of a file, YAML (of which JSON is a part); nil where there is none.
    ///
    /// What stands without quotes is a text, null excepted: a token of digits must not lose its zeros.
    private static func document(_ bytes: [UInt8], file: String) throws(ConfigurationError) -> JSON? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(file): this is no kubeconfig, it is not UTF-8 text")
        }
        let (documents, fault) = YAMLReader.documents(text, plainScalars: .texts)
        if let fault { throw ConfigurationError("\(file): line \(fault.line) is not YAML: \(fault.problem)") }
        guard documents.count <= 1 else {
            throw ConfigurationError("\(file): this is no kubeconfig, it has more than one document")
        }
        return documents.first?.json
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
        guard let value = fields[name], value != .null else { return nil }
        guard let text = value.string else {
            throw ConfigurationError("\(place): \(name) must be a text")
        }
        return text.isEmpty ? nil : text
    }

    /// A member that is true or false; false when it is absent.
    func flag(_ name: String) throws(ConfigurationError) -> Bool {
        guard let value = fields[name], value != .null else { return false }
        guard let flag = value.string.flatMap({ YAMLScalar.value(of: $0).bool }) else {
            throw ConfigurationError("\(place): \(name) must be true or false")
        }
        return flag
    }

    /// Whether the member is there with any content.
    func holds(_ name: String) -> Bool {
        (fields[name] ?? .null) != .null
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
