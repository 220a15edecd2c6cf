import Kubernetes
import Testing

@Suite struct KubernetesTimestampTests {
    /// Known moments, leap days, the ends of centuries and the moments before 1970 are written as RFC 3339 has them.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (999, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (1_767_323_045_000, "2026-01-02T03:04:05Z"),
        (951_782_399_999, "2000-02-28T23:59:59Z"),
        (951_782_400_000, "2000-02-29T00:00:00Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59Z"),
        (1_735_689_599_000, "2024-12-31T23:59:59Z"),
        (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        (Int64.max, "9999-12-31T23:59:59Z"),
        (Int64.min, "0000-01-01T00:00:00Z"),
    ])
    func moments(milliseconds: Int64, text: String) {
        #expect(timestamp(milliseconds: milliseconds) == text)
    }

    /// What was written is read back, and what no clock shows is not read.
    @Test func readBack() {
        for moment: Int64 in [0, -1000, 951_782_399_000, 951_782_400_000, 4_107_542_400_000, 253_402_300_799_000] {
            #expect(Kubernetes.milliseconds(timestamp: timestamp(milliseconds: moment)) == moment)
        }
        for text in [
            "", "2026-01-02", "2026-01-02T03:04:05.000Z", "2026-13-02T03:04:05Z", "2026-01-02T24:04:05Z",
            "2026-01-02 03:04:05Z", "2026-01-02T03:04:0xZ",
        ] {
            #expect(Kubernetes.milliseconds(timestamp: text) == nil, "\(text)")
        }
    }

    /// Log lines show milliseconds, also of moments before 1970.
    @Test func milliseconds() {
        #expect(timestamp(milliseconds: 1_767_323_045_007, fraction: .milliseconds) == "2026-01-02T03:04:05.007Z")
        #expect(timestamp(milliseconds: -1, fraction: .milliseconds) == "1969-12-31T23:59:59.999Z")
    }

    /// A Lease's times have six digits after the second.
    @Test func microseconds() {
        #expect(timestamp(milliseconds: 1_767_323_045_007, fraction: .microseconds) == "2026-01-02T03:04:05.007000Z")
        #expect(timestamp(milliseconds: 0, fraction: .microseconds) == "1970-01-01T00:00:00.000000Z")
    }

    /// Every day of four centuries follows the one before, by a calendar that counts months.
    @Test func daysFollowEachOther() {
        var (year, month, day) = (1900, 1, 1)
        for number in Int64(-25567)..<(146_097 - 25567) {
            let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
            let text = timestamp(milliseconds: number * 86_400_000 + 43_200_000)
            if text != "\(year)-\(two(month))-\(two(day))T12:00:00Z" {
                Issue.record("day \(number) is \(text), not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                (month, day) = (month + 1, 1)
            }
            if month > 12 {
                (year, month) = (year + 1, 1)
            }
        }
    }
}
