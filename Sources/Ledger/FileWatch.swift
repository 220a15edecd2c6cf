import Glibc

/// Tells whether the ledger's file is still the one that was opened.
///
/// SQLite goes on with a file that was removed or replaced: every write succeeds, and all of them are lost when the
/// process ends.
package struct FileWatch: Hashable, Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Takes the file that stands under `path` now for the one that is to stay; nil when there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// What is wrong and what to do, in words; nil while the file is in its place.
    package var problem: String? {
        guard FileWatch(path: path) != self else { return nil }
        return "the ledger \(path) was removed, or another file stands in its place; restart velokube: it rebuilds the "
            + "ledger from the resources and the VCO"
    }
}
