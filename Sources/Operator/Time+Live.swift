import ControlLoop
import Glibc
import HTTPTransport

extension Time {
    /// The machine's own clocks: the only place where velokube reads them or sleeps.
    package static let live = Time(
        now: { Instant(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC)) },
        wallMilliseconds: { nanoseconds(of: CLOCK_REALTIME) / 1_000_000 },
        sleep: { deadline in
            try Task.checkCancellation()
            while true {
                // Looked at again after each nap: the runtime's own clock may tick while the machine is suspended.
                let rest = deadline.nanoseconds - nanoseconds(of: CLOCK_MONOTONIC)
                guard rest > 0 else { return }
                try await Task.sleep(for: .nanoseconds(min(rest, napMax)))
            }
        })

    /// The longest single nap, in nanoseconds; a deadline further off takes several.
    private static let napMax: Int64 = 3_600_000_000_000
}
