/// Finds what was probably meant.
enum Spelling {
    /// The known word that the fewest slips of the hand lead away from; nil when none is near.
    static func nearest(to word: String, among known: [String]) -> String? {
        let slips = known.map { (word: $0, count: Self.slips(from: Array($0.lowercased().utf8), to: word)) }
        guard let best = slips.min(by: { $0.count < $1.count }), best.count <= max(1, best.word.utf8.count / 3) else {
            return nil
        }
        return best.word
    }

    /// Letters left out, put in, exchanged for others, or swapped with the next one.
    private static func slips(from known: [UInt8], to word: String) -> Int {
        // Longer ones are no slips of a known word, which are all short.
        let word = Array(word.lowercased().utf8.prefix(64))
        var rows = [Array(0...word.count)]
        for (row, letter) in known.enumerated() {
            var counts = [row + 1]
            for (column, other) in word.enumerated() {
                var count = min(
                    counts[column] + 1, rows[row][column + 1] + 1, rows[row][column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == word[column - 1], known[row - 1] == other {
                    count = min(count, rows[row - 1][column - 1] + 1)
                }
                counts.append(count)
            }
            rows.append(counts)
        }
        return rows[known.count][word.count]
    }
}
