import Glibc

/// A file with a token, certificate or key that is replaced while we run.
///
/// Looked at again at most every 5 s, or at once after `invalidate`. Secrets are mounted through symlinks that are
/// swapped, so it is opened by its path each time, and compared by content, never by time or inode.
package final class CredentialFile: Sendable {
    private struct State: Sendable {
        var content: [UInt8]?
        /// Nil before the first look and after `invalidate`.
        var lookedAt: Int64?
    }

    /// How long what was read is good for, in nanoseconds.
    package static let age: Int64 = 5_000_000_000
    /// The largest file taken.
    package static let bytesMax = 1 << 20

    package let path: String
    private let isTrimmed: Bool
    private let now: @Sendable () -> Int64
    private let state = Locked(State())

    /// `isTrimmed` is for tokens, which editors end with a line break; `now` is a monotonic clock in nanoseconds.
    package init(path: String, isTrimmed: Bool, now: @escaping @Sendable () -> Int64) {
        self.path = path
        self.isTrimmed = isTrimmed
        self.now = now
    }

    /// The content. While a file that was read before cannot be read, its old content stands in, until `invalidate`.
    package func current() throws(CredentialFileError) -> [UInt8] {
        let time = now()
        // Whoever finds it aged marks it as looked at, so that one caller reads and the others go on with the old
        // content.
        let (fresh, old) = state.withLock { state -> ([UInt8]?, [UInt8]?) in
            if let content = state.content, let lookedAt = state.lookedAt, time - lookedAt < Self.age {
                return (content, content)
            }
            let old = state.lookedAt == nil ? nil : state.content
            if old != nil { state.lookedAt = time }
            return (nil, old)
        }
        if let fresh { return fresh }
        do throws(CredentialFileError) {
            let content = try read()
            state.withLock { $0 = State(content: content, lookedAt: time) }
            return content
        } catch {
            guard let old else { throw error }
            return old
        }
    }

    /// The content was refused: the next call reads the file, and says so when it cannot.
    package func invalidate() {
        state.withLock { $0.lookedAt = nil }
    }

    private func read() throws(CredentialFileError) -> [UInt8] {
        // Without waiting: a pipe in the file's place must not hold us up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "not a regular file")
        }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            content += piece[..<count]
            guard content.count <= Self.bytesMax else {
                throw .tooLarge(path: path, limit: Self.bytesMax)
            }
        }
        if isTrimmed { content = Self.trimmed(content) }
        guard !content.isEmpty else { throw .empty(path: path) }
        return content
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(bytes[first...last])
    }
}

/// Why a credential file gave nothing; each case names the path, never the content.
package enum CredentialFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It cannot be opened or read, for the system's reason.
    case unreadable(path: String, reason: String)
    /// Nothing is in it, or only white space where that is trimmed.
    case empty(path: String)
    /// It is larger than a credential can be, in bytes.
    case tooLarge(path: String, limit: Int)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .empty(let path): "\(path) is empty"
        case .tooLarge(let path, let limit): "\(path) is larger than \(limit) bytes"
        }
    }
}
