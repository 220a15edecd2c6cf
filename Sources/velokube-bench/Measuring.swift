import ControlLoop
import Glibc
import HTTPTransport
import Operator

/// What one run of the body uses of the processor, in seconds: the best of so many.
///
/// Not the time that passes, so that a busy machine counts as little as can be.
func best(of runs: Int, _ body: () async throws -> Void) async rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<runs {
        let start = processorSeconds()
        try await body()
        best = min(best, processorSeconds() - start)
    }
    return best
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = Time.live.now()
    try await body()
    return Double(Time.live.now().since(start).nanoseconds) / 1e9
}

/// What this process has used of the processors so far, in seconds.
func processorSeconds() -> Double {
    Double(nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID)) / 1e9
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

/// One line of the table: what, how much, of which unit.
func row(_ what: String, _ value: Double, _ unit: String) {
    let decimals = value < 100 ? 100.0 : 1.0
    let rounded = (value * decimals).rounded() / decimals
    let figure = decimals == 1 ? String(Int(rounded)) : String(rounded)
    print(what.padded(to: 58), figure.padded(to: -10), unit)
}

extension String {
    /// Filled up with blanks: on the right, or for a negative width on the left.
    fileprivate func padded(to width: Int) -> String {
        let blanks = String(repeating: " ", count: max(0, abs(width) - count))
        return width > 0 ? self + blanks : blanks + self
    }
}

/// What the kernel says of this process's memory, in MB.
struct Memory {
    /// Resident now, and the most that ever was.
    var resident: Double
    var peak: Double

    static func now() -> Memory {
        var memory = Memory(resident: 0, peak: 0)
        guard let file = fopen("/proc/self/status", "r") else { return memory }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, let kilobytes = Double(words[1]) else { continue }
            if words[0] == "VmRSS:" { memory.resident = kilobytes / 1024 }
            if words[0] == "VmHWM:" { memory.peak = kilobytes / 1024 }
        }
        return memory
    }
}

/// A measurement that shows what must not be, or cannot be made.
struct Unfit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
