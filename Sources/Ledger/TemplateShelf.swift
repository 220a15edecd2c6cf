import BusinessPolicy

/// The templates in use, each held once however many rules share it.
///
/// Found by their bytes: two templates are one only if they are spelt alike.
struct TemplateShelf {
    /// One template: the number of its row and its value, which all of its rules share.
    struct Item {
        var id: Int
        var json: JSON
    }

    private var items: [[UInt8]: Item] = [:]
    private var keys: [Int: [UInt8]] = [:]

    subscript(bytes: [UInt8]) -> Item? { items[bytes] }
    subscript(id: Int) -> JSON? { keys[id].flatMap { items[$0]?.json } }

    mutating func add(_ item: Item, bytes: [UInt8]) {
        items[bytes] = item
        keys[item.id] = bytes
    }

    mutating func remove(_ id: Int) {
        guard let bytes = keys.removeValue(forKey: id) else { return }
        items[bytes] = nil
    }
}
