import FoundationEssentials
import Glibc

@testable import Validation

/// A folder of its own for one test, gone with the last reference to it.
final class Folder {
    let path: String

    struct Failure: Error {
        var code = errno
    }

    init() throws {
        var template = Array("/tmp/velokube-validation.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, with the folders that it is in.
    @discardableResult
    func write(_ name: String, _ content: String) throws -> String {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw Failure() }
        }
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Failure() }
        defer { fclose(stream) }
        guard fputs(content, stream) >= 0 else { throw Failure() }
        return file
    }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, "\(path)/\(name)") == 0 else { throw Failure() }
    }

    func read(_ name: String) throws -> String {
        let content = try ManifestFiles.content(of: .init(path: "\(path)/\(name)", isLimitsOnly: false)) ?? []
        return String(decoding: content, as: UTF8.self)
    }
}
