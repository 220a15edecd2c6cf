import ControlLoop
import Testing

@Suite struct BackoffTests {
    // Each failure waits longer by the factor, up to the longest delay, for however many failures.
    @Test func growsByItsFactorToItsMaximumWithoutOverflow() {
        var random = SeededRandom(seed: 1)
        var backoff = Backoff(base: .milliseconds(5), factor: 2, max: .seconds(1000), jitter: 0)
        let delays = (0..<2000).map { _ in backoff.next(random: &random) }
        #expect(delays.prefix(4) == [.milliseconds(5), .milliseconds(10), .milliseconds(20), .milliseconds(40)])
        #expect(delays[17] == .milliseconds(5) * (1 << 17))
        #expect(delays.dropFirst(18).allSatisfy { $0 == .seconds(1000) })
    }

    // After a reset the next failure is a first one.
    @Test func resetForgetsFailures() {
        var random = SeededRandom(seed: 1)
        var backoff = Backoff(base: .seconds(1), max: .seconds(60), jitter: 0)
        _ = (backoff.next(random: &random), backoff.next(random: &random))
        backoff.reset()
        #expect(backoff.next(random: &random) == .seconds(1))
    }

    // Jitter lengthens each delay by a random part of itself, and no more than that.
    @Test func jitterLengthensByAPartOfTheDelay() {
        var random = SeededRandom(seed: 7)
        let seconds = (0..<1000).map { _ in
            var backoff = Backoff(base: .seconds(10), max: .seconds(60), jitter: 0.5)
            return backoff.next(random: &random)
        }
        #expect(seconds.allSatisfy { $0 >= .seconds(10) && $0 < .seconds(15) })
        #expect(seconds.contains { $0 < .seconds(10.5) } && seconds.contains { $0 > .seconds(14.5) })
    }

    // A delay never passes a maximum that is lower than the base.
    @Test func maximumBelowTheBaseHolds() {
        var random = SeededRandom(seed: 1)
        var backoff = Backoff(base: .seconds(10), max: .seconds(2), jitter: 0)
        #expect(backoff.next(random: &random) == .seconds(2))
    }

    // The same seed gives the same numbers, another seed others.
    @Test func randomNumbersFollowFromTheSeed() {
        func numbers(_ seed: UInt64) -> [UInt64] {
            var random = SeededRandom(seed: seed)
            return (0..<100).map { _ in random.next() }
        }
        #expect(numbers(42) == numbers(42))
        #expect(Set(numbers(42) + numbers(43)).count == 200)
        #expect(numbers(1_234_567).prefix(2) == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    }
}
