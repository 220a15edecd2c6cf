import Glibc

/// The thread on which the ledger runs: an executor with a pthread of its own.
///
/// An fsync takes milliseconds, on a busy disk seconds; on the shared pool of a two-core machine that would hold up
/// everything else.
///
/// `@unchecked Sendable`: `jobs` and `isStopped` are read and written only while `mutex` is held, the rest is constant.
final class LedgerThread: SerialExecutor, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let bell: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    /// Starts the thread. It keeps this object alive until `stop`.
    init() throws(LedgerError) {
        mutex = .allocate(capacity: 1)
        bell = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(bell, nil)
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { preconditionFailure("The ledger's thread was started without its object.") }
                Unmanaged<LedgerThread>.fromOpaque(pointer).takeRetainedValue().work()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .unusable("cannot start a thread for the ledger: \(systemMessage(code))")
        }
        pthread_detach(thread)
    }

    deinit {
        pthread_cond_destroy(bell)
        pthread_mutex_destroy(mutex)
        bell.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(bell)
        pthread_mutex_unlock(mutex)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Lets the thread end once it has run what is queued. Only for when no new job can come.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_signal(bell)
        pthread_mutex_unlock(mutex)
    }

    private func work() {
        while let ready = next() {
            for job in ready { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    /// What is queued, waiting for it; nil when the thread is to end.
    private func next() -> [UnownedJob]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty && !isStopped { pthread_cond_wait(bell, mutex) }
        guard !jobs.isEmpty else { return nil }
        defer { jobs = [] }
        return jobs
    }
}
