import Glibc

/// A lock that one process at a time can hold, and that the kernel frees when the process ends, however it ends.
///
/// SQLite's own locks are taken per transaction; two operators taking turns on one ledger would still be two.
///
/// Held until the object goes. The file stays: removing it would let two processes lock two files of one name.
final class FileLock {
    private let descriptor: Int32

    /// Takes the lock without waiting, making the file if it is not there.
    init(path: String) throws(LedgerError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unusable(
                "cannot make or open the lock file \(path): \(systemMessage(errno)); make its folder writable "
                    + "for the user that runs velokube, or point --state elsewhere")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            _ = close(descriptor)
            guard code == EWOULDBLOCK else {
                throw .unusable(
                    "cannot lock \(path): \(systemMessage(code)); point --state at a volume that has file locks")
            }
            throw .locked(
                "another process holds the lock \(path); stop the other velokube, or point --state at another file")
        }
        self.descriptor = descriptor
    }

    deinit {
        // Closing alone would leave it to a child that is between fork and exec, and has our descriptors till then.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
