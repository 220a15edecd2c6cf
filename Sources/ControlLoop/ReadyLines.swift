/// The keys whose time has come, in one line for each priority; within a line first come is first served.
///
/// The higher line goes first, but not always, or a busy one would starve the other: of `share` keys in a row that are
/// taken while both lines wait, one is from the background. So a key that has n before it in its line is taken within
/// `share * (n + 1)` takes, whatever comes meanwhile.
struct ReadyLines<Key: Hashable & Sendable>: Sendable {
    /// Where a key stands, and since when its time has come.
    struct Place: Sendable {
        var priority: WorkPriority
        let since: Instant
        fileprivate var turn: Int
    }

    private struct Item: Sendable {
        let key: Key
        let turn: Int
    }

    /// One key in so many is from the background.
    static var share: Int { 4 }

    private var user = FIFO<Item>()
    private var background = FIFO<Item>()
    private(set) var places: [Key: Place] = [:]
    private var turns = 0
    private var backgroundCount = 0
    /// Users' keys that were taken in a row while the background waited.
    private var usersInARow = 0

    var count: Int { places.count }

    /// Lines a key up. One that stands in a line already keeps its place, unless it is wanted sooner than that: then it
    /// goes to the end of the higher line.
    mutating func append(_ key: Key, _ priority: WorkPriority, since: Instant) {
        if let place = places[key], place.priority >= priority { return }
        turns += 1
        // What may be left of it in the lower line is known by its turn, and passed over.
        if let place = places.updateValue(
            Place(priority: priority, since: places[key]?.since ?? since, turn: turns), forKey: key)
        {
            leave(place.priority)
        }
        switch priority {
        case .user: user.append(Item(key: key, turn: turns))
        case .background:
            background.append(Item(key: key, turn: turns))
            backgroundCount += 1
        }
    }

    /// Takes out the key whose turn it is.
    mutating func popFirst() -> (key: Key, place: Place)? {
        let isBackgroundsTurn = backgroundCount == places.count || usersInARow >= Self.share - 1
        let wanted = backgroundCount > 0 && isBackgroundsTurn ? WorkPriority.background : .user
        while let item = wanted == .user ? user.popFirst() : background.popFirst() {
            guard let place = places[item.key], place.turn == item.turn else { continue }
            places[item.key] = nil
            leave(wanted)
            usersInARow = wanted == .user && backgroundCount > 0 ? usersInARow + 1 : 0
            return (item.key, place)
        }
        return nil
    }

    private mutating func leave(_ priority: WorkPriority) {
        if priority == .background { backgroundCount -= 1 }
    }
}
