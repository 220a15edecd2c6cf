/// How soon a key is to be worked on, among those whose time has come.
package enum WorkPriority: Hashable, Comparable, CaseIterable, Sendable {
    /// What nobody waits for: a look at everything, at the start or at a resync.
    case background
    /// What somebody has changed and waits for.
    case user
}
