import Synchronization

/// Something worked out from a value at most once, on first use.
///
/// A value that keeps one makes a new one whenever it changes, so that what is kept can never be of another content.
/// It is set once and atomically, so copies of the value may share it across threads.
final class Memo<Value: Sendable>: Sendable {
    private final class Kept: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    private let kept = AtomicLazyReference<Kept>()

    /// What was worked out before, or else what `work` gives, which is kept.
    func value(_ work: () -> Value) -> Value {
        if let kept = kept.load() { return kept.value }
        return kept.storeIfNil(Kept(work())).value
    }
}
