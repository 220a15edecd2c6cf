/// Wall clock times as the two servers spell them, from milliseconds since 1970 UTC.
enum WallTime {
    /// `2024-12-14T05:50:39Z`: how Kubernetes spells a time.
    static func seconds(_ milliseconds: Int64) -> String {
        text(secondsSince1970: floorDivide(milliseconds, 1000), fraction: "")
    }

    /// `2024-12-14T05:50:39.000Z`, rounded to whole seconds: how a VCO spells `modified`.
    static func rounded(_ milliseconds: Int64) -> String {
        text(secondsSince1970: floorDivide(milliseconds + 500, 1000), fraction: ".000")
    }

    private static func text(secondsSince1970 seconds: Int64, fraction: String) -> String {
        let days = floorDivide(seconds, 86_400)
        let time = seconds - days * 86_400
        let (year, month, day) = date(daysSince1970: days)
        let clock = [time / 3600, time / 60 % 60, time % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock)\(fraction)Z"
    }

    /// The proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
    private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSince1970 + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
