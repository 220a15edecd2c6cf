import Glibc

/// Nanoseconds of one of the machine's clocks, such as `CLOCK_MONOTONIC` or `CLOCK_REALTIME`.
///
/// It is here because this module sees the C library's headers alone: where NIO's are seen as well, the compiler may
/// take the members of `timespec` for NIO's own, and refuse them.
package func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    let code = clock_gettime(clock, &time)
    precondition(code == 0, "the clocks that are asked for are always there")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Nanoseconds of the clock that only goes forward.
func monotonicNanoseconds() -> Int64 { nanoseconds(of: CLOCK_MONOTONIC) }
