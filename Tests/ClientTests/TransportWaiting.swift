import Glibc

/// A value that tests change from threads and look at from tasks.
///
/// `@unchecked Sendable` holds because the value is only touched between lock and unlock.
final class TransportBox<Value: Sendable>: @unchecked Sendable {
    private var stored: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var waiting: [(isMet: @Sendable (Value) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

    init(_ value: Value) {
        stored = value
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    var value: Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return stored
    }

    func change(_ body: (inout Value) -> Void) {
        pthread_mutex_lock(mutex)
        body(&stored)
        let met = waiting.filter { $0.isMet(stored) }
        waiting.removeAll { $0.isMet(stored) }
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
        for (_, continuation) in met { continuation.resume() }
    }

    /// For tasks: returns once the condition holds.
    func until(_ isMet: @escaping @Sendable (Value) -> Bool) async {
        await withCheckedContinuation { continuation in
            pthread_mutex_lock(mutex)
            let isMetNow = isMet(stored)
            if !isMetNow { waiting.append((isMet, continuation)) }
            pthread_mutex_unlock(mutex)
            if isMetNow { continuation.resume() }
        }
    }

    /// For server threads: blocks until the condition holds.
    func blockUntil(_ isMet: (Value) -> Bool) {
        pthread_mutex_lock(mutex)
        while !isMet(stored) { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }
}

/// Runs the body on a thread of its own, so that it may block.
func transportThread(_ body: @escaping @Sendable () -> Void) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var id = pthread_t()
    let code = pthread_create(
        &id, nil,
        { context in
            if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        }, Unmanaged.passRetained(Body(body)).toOpaque())
    precondition(code == 0, "a thread can be made")
    pthread_detach(id)
}
