import Glibc

/// The place of a ledger in the file system: its folder, the file, and what SQLite keeps beside it.
struct LedgerPlace {
    /// Without symbolic links, so that two names of one file have one lock.
    let path: String

    /// SQLite's own files beside the file; a journal that stayed would be played into the next file of that name.
    private static let companions = ["-wal", "-shm", "-journal"]

    /// Makes the folder if it is missing and its parent is there, and looks at what is under the path.
    init(_ given: String) throws(LedgerError) {
        guard !given.isEmpty, !given.hasSuffix("/") else {
            throw .unusable("the ledger's path \"\(given)\" names no file; point --state at a file")
        }
        var path = given
        if let resolved = realpath(given, nil) {
            path = String(cString: resolved)
            free(resolved)
        }
        try Self.makeFolder(of: path)
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            guard code == ENOENT else { throw Self.unusable(path, code) }
            self.path = path
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .unusable("\(path) is not a regular file and cannot hold the ledger; point --state at a file")
            }
            throw .unusable("\(path) is a folder; point --state at a file, for example \(path)/ledger.db")
        }
        self.path = path
    }

    /// Takes the file from everybody else's sight. A volume may give it to another user and let a group share it; then
    /// that stays, since the ledger works all the same.
    func makePrivate() {
        for suffix in [""] + Self.companions { _ = chmod(path + suffix, 0o600) }
    }

    /// Makes the file, unless it is there, such that nobody else can read it; true when SQLite could have written it.
    func beginsLikeSQLite() throws(LedgerError) -> Bool {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.unusable(path, errno) }
        // Before any connection is open: closing a file frees every lock that the process has on it.
        defer { _ = close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &header, header.count)
        guard count >= 0 else { throw Self.unusable(path, errno) }
        guard count > 0 else { return true }
        // After the name and the page size come the versions of the format: 1, or 2 with a WAL. With others SQLite
        // would only read the file.
        return count == header.count && header.starts(with: Array("SQLite format 3\0".utf8))
            && header[18...19].allSatisfy { (1...2).contains($0) }
    }

    /// If the file is missing or empty but has left a WAL behind, sets that aside; returns its new name.
    func setAsideLeftovers(now: Int64) throws(LedgerError) -> String? {
        var status = stat()
        guard stat(path, &status) != 0 || status.st_size == 0 else { return nil }
        guard stat(path + "-wal", &status) == 0, status.st_size > 0 else { return nil }
        return try setAside(now: now) + "-wal"
    }

    /// Renames the file and its companions out of the way; returns the file's new name.
    func setAside(now: Int64) throws(LedgerError) -> String {
        var number = now
        while exists("\(path).corrupt-\(number)") || exists("\(path).corrupt-\(number)-wal") { number += 1 }
        let target = "\(path).corrupt-\(number)"
        // The file goes first: a WAL without its file is no danger, a file without its WAL would be an older state.
        for suffix in [""] + Self.companions {
            guard rename(path + suffix, target + suffix) == 0 || errno == ENOENT else {
                throw .unusable(
                    "the ledger \(path) is damaged and cannot be renamed to \(target): \(systemMessage(errno)); "
                        + "make its folder writable for the user that runs velokube")
            }
        }
        return target
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func makeFolder(of path: String) throws(LedgerError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        guard mkdir(folder, 0o700) != 0 else { return }
        let code = errno
        var status = stat()
        if stat(folder, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .unusable("the folder of the ledger \(path) is a file; point --state elsewhere")
            }
            guard access(folder, R_OK | W_OK | X_OK) == 0 else { throw unusable(folder, errno) }
            return
        }
        throw .unusable(
            "the folder of the ledger \(path) is not there and cannot be made: \(systemMessage(code)); make it, "
                + "writable for the user that runs velokube, or point --state elsewhere")
    }

    private static func unusable(_ path: String, _ code: Int32) -> LedgerError {
        .unusable(
            "cannot use \(path) for the ledger: \(systemMessage(code)); make it readable and writable for the user "
                + "that runs velokube, or point --state elsewhere")
    }
}
