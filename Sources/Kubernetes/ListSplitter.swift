/// Cuts the body of a list into its items as it arrives; where the chunks end does not matter.
///
/// The server's watch cache answers with all resources in one reply, whatever limit was asked for. So the length of a
/// reply must not matter: only the item that is being received is held. Looks for where values begin and end, no more;
/// whoever parses the items and the envelope finds out whether they are JSON.
struct ListSplitter {
    private enum Place {
        /// Outside the items.
        case envelope
        /// Between the brackets of `items`, but not in one.
        case items
        /// In an item.
        case item
    }

    /// All of the list but its items: in their place stand empty brackets.
    private(set) var envelope: [UInt8] = []
    private var place = Place.envelope
    /// Brackets that are open.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// What has come of an item whose end is in a later chunk.
    private var begun: [UInt8] = []
    /// Where in the envelope the last string of the list itself, and not of something in it, began.
    private var nameStart = 0
    /// Whether that string is `items`, and what comes next is its value.
    private var isItems = false

    private static let itemsName = Array("\"items\"".utf8)

    /// Takes in a chunk and hands out the items that it completes.
    mutating func append<Failure: Error>(
        _ chunk: [UInt8], _ item: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        var index = 0
        while index < chunk.count {
            if place == .item, isInString, !isEscaped {
                index = Self.endOfPlainText(chunk, from: index)
                if index == chunk.count { break }
            }
            let before = place
            advance(chunk[index])
            switch (before, place) {
            case (.envelope, _), (_, .envelope): envelope.append(chunk[index])
            case (.items, .items): if !Self.isBetweenItems(chunk[index]) { envelope.append(chunk[index]) }
            case (.items, .item): start = index
            case (.item, .item): break
            case (.item, .items):
                if begun.isEmpty {
                    try item(chunk[start...index])
                } else {
                    begun += chunk[start...index]
                    try item(begun[...])
                    begun.removeAll(keepingCapacity: true)
                }
                start = index + 1
            }
            index += 1
        }
        if place == .item { begun += chunk[start...] }
    }

    /// Where a string has its next quote or backslash: most of a resource is text.
    private static func endOfPlainText(_ chunk: [UInt8], from start: Int) -> Int {
        var index = start
        while index < chunk.count, chunk[index] != UInt8(ascii: "\""), chunk[index] != UInt8(ascii: "\\") { index += 1 }
        return index
    }

    private mutating func advance(_ byte: UInt8) {
        if isInString { return advanceInString(byte) }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            nameStart = envelope.count
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            if place == .envelope, isItems, byte == UInt8(ascii: "[") { place = .items }
            if place == .items, depth == 3 { place = .item }
            isItems = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if place == .item, depth == 2 { place = .items }
            if place == .items, depth == 1 { place = .envelope }
        default: break
        }
    }

    private mutating func advanceInString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            // The quote itself is not in the envelope yet.
            isItems =
                place == .envelope && depth == 1 && envelope[nameStart...].elementsEqual(Self.itemsName.dropLast())
        }
    }

    /// Commas and white space, which the envelope does without.
    private static func isBetweenItems(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), 0x20, 0x0A, 0x0D, 0x09: true
        default: false
        }
    }
}
