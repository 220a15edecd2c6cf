/// Texts that were read a little while ago, so that one which comes again is held in memory once.
///
/// Thousands of resources name a handful of profiles, moments and messages. The pool has a fixed number of places, each
/// for the last text that fell on it: it cannot grow, and a text that misses merely costs its own memory.
package struct StringPool: Sendable {
    /// Shorter texts lie inside their `String` and take no memory of their own; longer ones are seldom the same.
    private static let lengths = 16...512
    /// A power of two.
    private static let placeCount = 2048

    private var places: [String] = []

    package init() {}

    /// The text of these bytes, which are UTF-8.
    mutating func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard Self.lengths.contains(bytes.count) else { return String(decoding: bytes, as: UTF8.self) }
        if places.isEmpty { places = Array(repeating: "", count: Self.placeCount) }
        let place = Self.place(of: bytes)
        // Nil, for a text that lies elsewhere, would be a miss.
        let isHeld = places[place].utf8.withContiguousStorageIfAvailable { held in
            held.count == bytes.count && Self.areEqual(held, bytes)
        }
        if isHeld == true { return places[place] }
        let text = String(decoding: bytes, as: UTF8.self)
        places[place] = text
        return text
    }

    private static func areEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    /// FNV-1a.
    private static func place(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & (placeCount - 1)
    }
}
