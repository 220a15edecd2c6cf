import Glibc

/// A value behind a pthread lock: the state of a simulated server, which many requests reach at once.
///
/// A pthread lock, because the thread sanitizer understands it.
///
/// Sound as `@unchecked Sendable`: `value` is reached in `withLock` alone, always with the mutex held, and is Sendable.
final class Locked<Value: Sendable>: @unchecked Sendable {
    private var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(_ value: Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let code = pthread_mutex_init(mutex, nil)
        precondition(code == 0, "a mutex could not be made")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Runs the body alone. It must not take this lock again, and calls no code of a test.
    func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let code = pthread_mutex_lock(mutex)
        precondition(code == 0, "the mutex is not usable")
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
