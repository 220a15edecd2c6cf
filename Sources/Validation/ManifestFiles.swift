import Glibc

/// Finds and reads the files that paths of a command line stand for.
package struct ManifestFiles {
    /// What stands for standard input.
    package static let standardInput = "-"
    /// The largest file that is read: far more than a cluster's worth of resources.
    package static let bytesMax = 16 << 20
    /// How many files one command looks at.
    package static let filesMax = 10_000
    /// How deep folders may lie in one another.
    package static let depthMax = 64
    private static let extensions = [".yaml", ".yml", ".json"]

    /// A file to look at.
    package struct File: Hashable, Sendable {
        package var path: String
        /// It was named as a place of limits, and of nothing else.
        package var isLimitsOnly: Bool
    }

    /// A path that stands for nothing that can be read, and why.
    package struct Unreadable: Error, Hashable, Sendable, CustomStringConvertible {
        package var path: String
        package var problem: String

        package var description: String { "cannot read \(path): \(problem)" }
    }

    /// In the order of the paths, folders sorted; each file once, however many paths lead to it.
    package private(set) var files: [File] = []
    private var seen: Set<Identity> = []

    private struct Identity: Hashable {
        var device: dev_t
        var inode: ino_t
    }

    /// Folders are looked through for .yaml, .yml and .json files, hidden ones left out, as kubectl does.
    package init(manifests: [String], limits: [String]) throws(Unreadable) {
        for path in manifests { try add(path, isLimitsOnly: false) }
        for path in limits { try add(path, isLimitsOnly: true) }
    }

    /// The content; nil for a file that is too large.
    package static func content(of file: File) throws(Unreadable) -> [UInt8]? {
        guard file.path != standardInput else { return try content(of: STDIN_FILENO, path: file.path) }
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(path: file.path, problem: reason()) }
        defer { close(descriptor) }
        return try content(of: descriptor, path: file.path)
    }

    private static func content(of descriptor: Int32, path: String) throws(Unreadable) -> [UInt8]? {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while content.count <= bytesMax {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                throw Unreadable(path: path, problem: reason())
            }
            content += piece[..<count]
        }
        return nil
    }

    // MARK: Finding

    private mutating func add(_ path: String, isLimitsOnly: Bool) throws(Unreadable) {
        let isInput = path == Self.standardInput
        let status = try isInput ? Self.status(STDIN_FILENO, path) : Self.status(path)
        if status.st_mode & S_IFMT == S_IFDIR, !isInput {
            try addFolder(path, depth: 1, isLimitsOnly: isLimitsOnly)
        } else {
            try addFile(path, status, isLimitsOnly: isLimitsOnly)
        }
    }

    private mutating func addFile(_ path: String, _ status: stat, isLimitsOnly: Bool) throws(Unreadable) {
        guard seen.insert(Identity(device: status.st_dev, inode: status.st_ino)).inserted else { return }
        files.append(File(path: path, isLimitsOnly: isLimitsOnly))
        guard files.count <= Self.filesMax else {
            throw Unreadable(path: path, problem: "there are more than \(Self.filesMax) files; name fewer folders")
        }
    }

    private mutating func addFolder(_ path: String, depth: Int, isLimitsOnly: Bool) throws(Unreadable) {
        guard depth <= Self.depthMax else {
            throw Unreadable(path: path, problem: "there are more than \(Self.depthMax) folders in one another")
        }
        let prefix = path.hasSuffix("/") ? path : path + "/"
        for name in try Self.names(in: path).sorted() where !name.hasPrefix(".") {
            let path = prefix + name
            var status = stat()
            guard lstat(path, &status) == 0 else { throw Unreadable(path: path, problem: Self.reason()) }
            if status.st_mode & S_IFMT == S_IFDIR {
                try addFolder(path, depth: depth + 1, isLimitsOnly: isLimitsOnly)
            } else if Self.extensions.contains(where: name.hasSuffix) {
                // Mounted files are links; a link to a folder might lead in a circle.
                status = try Self.status(path)
                if status.st_mode & S_IFMT == S_IFREG { try addFile(path, status, isLimitsOnly: isLimitsOnly) }
            }
        }
    }

    private static func names(in path: String) throws(Unreadable) -> [String] {
        guard let folder = opendir(path) else { throw Unreadable(path: path, problem: reason()) }
        defer { closedir(folder) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        guard errno == 0 else { throw Unreadable(path: path, problem: reason()) }
        return names
    }

    private static func status(_ path: String) throws(Unreadable) -> stat {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Unreadable(path: path, problem: reason()) }
        return status
    }

    private static func status(_ descriptor: Int32, _ path: String) throws(Unreadable) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Unreadable(path: path, problem: reason()) }
        return status
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}
