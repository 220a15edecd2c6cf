/// One segment of the document as it is there.
///
/// Apart from the draft, so that whoever looks at it does not make the draft's arrays be copied as they grow.
struct SegmentView {
    let segment: PolicyDocument.Segment
    /// What new rules of this segment are composed from.
    let template: JSON
    private let indicesByName: [String: [Int]]

    init(_ segment: PolicyDocument.Segment) {
        self.segment = segment
        self.template = segment.template ?? builtInTemplate
        var indices: [String: [Int]] = [:]
        for (index, rule) in segment.rules.enumerated() {
            if let name = rule.name { indices[name, default: []].append(index) }
        }
        self.indicesByName = indices
    }

    /// Where rules of that name stand.
    func indices(of name: String) -> [Int] {
        indicesByName[name] ?? []
    }
}

/// What is to become of one segment while a plan is made.
struct SegmentDraft {
    let view: SegmentView
    private var rewritten: [Int: JSON] = [:]
    private var removed: Set<Int> = []
    /// Our rules that stay and may be moved.
    private var ours: [Standing] = []
    /// Our rules on hold: they stand where they stand.
    private var held: [Standing] = []
    private var new: [Arrival] = []

    /// Place among our rules of a segment.
    struct OrderKey: Comparable {
        var order: Int
        var namespace = ""
        var name = ""

        /// Before all others of that number.
        init(firstOf order: Int) { self.order = order }

        init(order: Int, owner: Owner) {
            self.order = order
            self.namespace = owner.namespace
            self.name = owner.name
        }

        static func < (left: Self, right: Self) -> Bool {
            (left.order, left.namespace, left.name) < (right.order, right.namespace, right.name)
        }
    }

    /// A rule that is made.
    private struct Arrival {
        var key: OrderKey
        var name: String
        var value: JSON
    }

    /// A rule of ours that is there, and where.
    private struct Standing {
        var index: Int
        var key: OrderKey
        var name: String
        /// It was there before its resource.
        var isFound: Bool
    }

    init(_ segment: PolicyDocument.Segment) {
        self.view = SegmentView(segment)
    }

    mutating func rewrite(_ index: Int, as value: JSON) { rewritten[index] = value }

    mutating func remove(_ index: Int) { removed.insert(index) }

    mutating func keep(_ index: Int, order: Int, owner: Owner, isFound: Bool) {
        ours.append(standing(index, order: order, owner: owner, isFound: isFound))
    }

    mutating func hold(_ index: Int, order: Int, owner: Owner) {
        held.append(standing(index, order: order, owner: owner, isFound: false))
    }

    mutating func add(_ value: JSON, name: String, order: Int, owner: Owner) {
        new.append(Arrival(key: OrderKey(order: order, owner: owner), name: name, value: value))
    }

    private func standing(_ index: Int, order: Int, owner: Owner, isFound: Bool) -> Standing {
        let name = view.segment.rules[index].name ?? ""
        return Standing(index: index, key: OrderKey(order: order, owner: owner), name: name, isFound: isFound)
    }

    /// The new sequence of the segment's rules.
    ///
    /// Foreign and held rules keep their positions relative to one another. Ours are put in order among the positions
    /// that ours had; new ones go next to their neighbours.
    func arranged(placement: Placement) -> Arrangement {
        let rules = view.segment.rules
        let positions = ours.map(\.index).sorted()
        let sorted = sortedOurs()
        let occupants = Dictionary(uniqueKeysWithValues: zip(positions, sorted))
        let moved = zip(positions, sorted).filter { $0 != $1.index }.map { $1.name }
        let inserts = inserts(positions: positions, sorted: sorted, placement: placement)

        var slots: [Plan.Slot] = []
        slots.reserveCapacity(rules.count + new.count)
        var sequence: [String] = []
        for index in 0...rules.count {
            for arrival in inserts[index] ?? [] {
                slots.append(.rule(arrival.value))
                sequence.append(arrival.name)
            }
            if index == rules.count || removed.contains(index) { continue }
            let occupant = occupants[index]?.index ?? index
            slots.append(rewritten[occupant].map(Plan.Slot.rule) ?? .kept(occupant))
            if let standing = occupants[index] { sequence.append(standing.name) }
        }
        return Arrangement(slots: slots, moved: moved, sequence: sequence)
    }

    /// Our rules in their order. To take a rule over is no reason to move it: one that was found keeps its place among
    /// those of its number, and the others are sorted around it.
    private func sortedOurs() -> [Standing] {
        let made = ours.filter { !$0.isFound }.sorted { $0.key < $1.key }
        guard made.count < ours.count else { return made }
        let standing = ours.sorted { ($0.key.order, $0.index) < ($1.key.order, $1.index) }
        var next = made.makeIterator()
        return standing.map { $0.isFound ? $0 : next.next() ?? $0 }
    }

    struct Arrangement {
        var slots: [Plan.Slot]
        /// Names of rules of ours whose position changes.
        var moved: [String]
        /// Names of all our rules that may be moved, in their order.
        var sequence: [String]
    }

    /// The new rules by the index that they go before.
    ///
    /// Each goes right after its nearest predecessor of ours, else right before the nearest successor. With none of
    /// ours, all go together next to a held rule, or to the top or bottom: were they set apart by rules that cannot
    /// be moved, they might stand out of their own order.
    private func inserts(positions: [Int], sorted: [Standing], placement: Placement) -> [Int: [Arrival]] {
        let arrivals = new.sorted { $0.key < $1.key }
        guard let first = arrivals.first else { return [:] }
        guard let top = positions.first else { return [start(of: first.key, placement: placement): arrivals] }
        // One that was found has no name to be sorted by: it goes with the one before it.
        var keys: [OrderKey] = []
        for standing in sorted {
            let order = standing.key.order
            let before = keys.last.flatMap { $0.order == order ? $0 : nil } ?? OrderKey(firstOf: order)
            keys.append(standing.isFound ? before : standing.key)
        }
        var inserts: [Int: [Arrival]] = [:]
        var predecessors = 0
        for arrival in arrivals {
            while predecessors < keys.count, keys[predecessors] < arrival.key { predecessors += 1 }
            let index = predecessors == 0 ? top : positions[predecessors - 1] + 1
            inserts[index, default: []].append(arrival)
        }
        return inserts
    }

    private func start(of key: OrderKey, placement: Placement) -> Int {
        let predecessor = held.filter { $0.key < key }.max { $0.key < $1.key }
        if let predecessor { return predecessor.index + 1 }
        if let successor = held.min(by: { $0.key < $1.key }) { return successor.index }
        switch placement {
        case .top: return 0
        case .bottom: return view.segment.rules.count
        }
    }
}
