/// Why the ledger could not be opened or written. Each case carries words for a person: what is wrong and what to do.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file belongs to another cluster, orchestrator or scope, whose rules would all look absent here. Exit 2.
    case boundElsewhere(String)
    /// A later velokube wrote the file; this one would not understand it.
    case newerSchema(String)
    /// Another process has the ledger open.
    case locked(String)
    /// The place cannot hold a ledger: folder not writable, disk full, another program's file, and the like.
    case unusable(String)
    /// The ledger was open, and a read or a commit failed; nothing of that commit counts.
    case failed(String)

    /// The words, without the case.
    package var description: String {
        switch self {
        case .boundElsewhere(let words), .newerSchema(let words), .locked(let words), .unusable(let words),
            .failed(let words):
            words
        }
    }
}
