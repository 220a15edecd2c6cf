/// Wall-clock milliseconds since 1970 as Kubernetes writes times: RFC 3339, UTC, whole seconds
/// (`2026-01-02T03:04:05Z`), or with a fraction.
///
/// Arithmetic alone, because formatters of Foundation would bring tens of megabytes into the binary. Times before the
/// year 0 or after 9999 are held at those ends: RFC 3339 has no others.
package func timestamp(milliseconds: Int64, fraction: TimestampFraction = .none) -> String {
    let seconds = max(-62_167_219_200, min(253_402_300_799, floorDivide(milliseconds, 1000)))
    let days = floorDivide(seconds, 86400)
    let second = seconds - days * 86400
    let (year, month, day) = civilDate(daysSince1970: days)
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
        + "T" + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
        + fraction.text(of: (milliseconds % 1000 + 1000) % 1000) + "Z"
}

/// What follows the seconds of a timestamp.
package enum TimestampFraction: Sendable {
    case none
    /// `.678`, for log lines.
    case milliseconds
    /// `.678000`: a MicroTime of Kubernetes has six digits, no more and no fewer.
    case microseconds

    fileprivate func text(of milliseconds: Int64) -> String {
        switch self {
        case .none: ""
        case .milliseconds: "." + padded(milliseconds, 3)
        case .microseconds: "." + padded(milliseconds, 3) + "000"
        }
    }
}

/// Wall-clock milliseconds since 1970 of a time that Kubernetes wrote: RFC 3339 in UTC and whole seconds, as all times
/// in `metadata` are. Nil for anything else.
package func milliseconds(timestamp text: String) -> Int64? {
    let bytes = Array(text.utf8)
    let form = Array("0000-00-00T00:00:00Z".utf8)
    guard bytes.count == form.count else { return nil }
    var fields: [Int64] = [0]
    for (byte, expected) in zip(bytes, form) {
        if expected != UInt8(ascii: "0") {
            guard byte == expected else { return nil }
            fields.append(0)
        } else {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            fields[fields.count - 1] = fields[fields.count - 1] * 10 + Int64(byte - UInt8(ascii: "0"))
        }
    }
    let (year, month, day) = (fields[0], fields[1], fields[2])
    guard (1...12).contains(month), (1...31).contains(day), fields[3] < 24, fields[4] < 60, fields[5] < 61 else {
        return nil
    }
    // Years that begin in March, so that the leap day is their last.
    let marchYear = month > 2 ? year : year - 1
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let leapDays = floorDivide(marchYear, 4) - floorDivide(marchYear, 100) + floorDivide(marchYear, 400)
    let days = marchYear * 365 + leapDays + dayOfYear - 719_468
    return ((days * 24 + fields[3]) * 60 + fields[4]) * 60_000 + fields[5] * 1000
}

/// The date of the proleptic Gregorian calendar, counted in eras of 400 years that begin on a first of March.
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSince1970 + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value % divisor < 0 ? value / divisor - 1 : value / divisor
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
