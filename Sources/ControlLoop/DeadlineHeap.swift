/// Keys in the order of their deadlines, each at most once; what is as early comes out in the order it went in.
///
/// A binary heap that knows where each key stands, so that a deadline can be moved: every operation is O(log n).
struct DeadlineHeap<Key: Hashable & Sendable>: Sendable {
    private struct Item: Sendable {
        let key: Key
        var deadline: Instant
        let turn: Int

        func isBefore(_ other: Item) -> Bool {
            deadline == other.deadline ? turn < other.turn : deadline < other.deadline
        }
    }

    private var items: [Item] = []
    private var places: [Key: Int] = [:]
    private var turns = 0

    /// The earliest deadline; nil when empty.
    var earliest: Instant? { items.first?.deadline }

    var count: Int { items.count }

    /// Puts a key in, or moves it to another deadline.
    mutating func set(_ key: Key, to deadline: Instant) {
        if let place = places[key] {
            items[place].deadline = deadline
            settle(place)
        } else {
            turns += 1
            items.append(Item(key: key, deadline: deadline, turn: turns))
            places[key] = items.count - 1
            settle(items.count - 1)
        }
    }

    /// Takes out the earliest key if its deadline has come.
    mutating func popDue(now: Instant) -> (key: Key, deadline: Instant)? {
        guard let first = items.first, first.deadline <= now else { return nil }
        remove(first.key)
        return (first.key, first.deadline)
    }

    /// Takes out a key, if it is there.
    mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        let last = items.removeLast()
        guard place < items.count else { return }
        items[place] = last
        places[last.key] = place
        settle(place)
    }

    /// Takes out all keys, in order.
    mutating func removeAll() -> [Key] {
        let keys = items.sorted { $0.isBefore($1) }.map(\.key)
        self = DeadlineHeap()
        return keys
    }

    /// Moves the item at a place up or down until the heap is in order again.
    private mutating func settle(_ start: Int) {
        var place = start
        while place > 0, items[place].isBefore(items[(place - 1) / 2]) {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
        while let child = smallerChild(of: place), items[child].isBefore(items[place]) {
            exchange(place, child)
            place = child
        }
    }

    private func smallerChild(of place: Int) -> Int? {
        let left = 2 * place + 1
        guard left < items.count else { return nil }
        let right = left + 1
        return right < items.count && items[right].isBefore(items[left]) ? right : left
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        items.swapAt(one, other)
        places[items[one].key] = one
        places[items[other].key] = other
    }
}
