/// RFC 3339 texts, in UTC, of wall-clock times given in milliseconds since 1970.
///
/// Written here because a formatter from Foundation would bring its tables of all languages into the binary.
package enum Timestamp {
    /// `2026-11-22T20:59:36Z`: what the fields of Kubernetes objects hold.
    package static func seconds(_ wallMilliseconds: Int64) -> String {
        text(Parts(wallMilliseconds)) + "Z"
    }

    /// `2026-11-22T20:59:36.123Z`: for log lines.
    package static func milliseconds(_ wallMilliseconds: Int64) -> String {
        let parts = Parts(wallMilliseconds)
        return text(parts) + "." + padded(parts.millisecond, 3) + "Z"
    }

    private static func text(_ parts: Parts) -> String {
        "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
            + "T\(padded(parts.hour, 2)):\(padded(parts.minute, 2)):\(padded(parts.second, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Parts {
        let year, month, day, hour, minute, second, millisecond: Int64

        init(_ wallMilliseconds: Int64) {
            let dayLength: Int64 = 86_400_000
            let days = floorDivide(wallMilliseconds, dayLength)
            let inDay = wallMilliseconds - days * dayLength
            millisecond = inDay % 1000
            second = inDay / 1000 % 60
            minute = inDay / 60_000 % 60
            hour = inDay / 3_600_000
            // Howard Hinnant's civil_from_days: years begin in March, so that a leap day comes last.
            let shifted = days + 719_468
            let era = floorDivide(shifted, 146_097)
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let monthFromMarch = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
            month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }
    }
}

/// The quotient rounded down, also for times before 1970.
private func floorDivide(_ number: Int64, _ divisor: Int64) -> Int64 {
    number >= 0 ? number / divisor : (number - divisor + 1) / divisor
}
