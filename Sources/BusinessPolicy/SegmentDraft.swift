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
    private var new: [(key: OrderKey, name: String, value: JSON)] = []

    /// Place among our rules of a segment.
    struct OrderKey: Comparable {
        var order: Int
        var namespace: String
        var name: String

        init(order: Int, owner: Owner) {
            self.order = order
            self.namespace = owner.namespace
            self.name = owner.name
        }

        static func < (left: Self, right: Self) -> Bool {
            (left.order, left.namespace, left.name) < (right.order, right.namespace, right.name)
        }
    }

    /// A rule of ours that is there, and where.
    private struct Standing {
        var index: Int
        var key: OrderKey
        var name: String
    }

    init(_ segment: PolicyDocument.Segment) {
        self.view = SegmentView(segment)
    }

    mutating func rewrite(_ index: Int, as value: JSON) { rewritten[index] = value }

    mutating func remove(_ index: Int) { removed.insert(index) }

    mutating func keep(_ index: Int, order: Int, owner: Owner) {
        ours.append(standing(index, order: order, owner: owner))
    }

    mutating func hold(_ index: Int, order: Int, owner: Owner) {
        held.append(standing(index, order: order, owner: owner))
    }

    mutating func add(_ value: JSON, name: String, order: Int, owner: Owner) {
        new.append((OrderKey(order: order, owner: owner), name, value))
    }

    private func standing(_ index: Int, order: Int, owner: Owner) -> Standing {
        Standing(index: index, key: OrderKey(order: order, owner: owner), name: view.segment.rules[index].name ?? "")
    }

    /// The new sequence of the segment's rules.
    ///
    /// Foreign and held rules keep their positions relative to one another. Ours are put in order among the positions
    /// that ours had; new ones go next to their neighbours.
    func arranged(placement: Placement) -> Arrangement {
        let rules = view.segment.rules
        let positions = ours.map(\.index).sorted()
        let sorted = ours.sorted { $0.key < $1.key }
        let occupants = Dictionary(uniqueKeysWithValues: zip(positions, sorted.map(\.index)))
        let moved = zip(positions, sorted).filter { $0 != $1.index }.map { $1.name }
        let inserts = inserts(positions: positions, sorted: sorted, placement: placement)

        var slots: [Plan.Slot] = []
        slots.reserveCapacity(rules.count + new.count)
        for index in 0...rules.count {
            slots += (inserts[index] ?? []).map(Plan.Slot.rule)
            if index == rules.count || removed.contains(index) { continue }
            let occupant = occupants[index] ?? index
            slots.append(rewritten[occupant].map(Plan.Slot.rule) ?? .kept(occupant))
        }
        let entries = sorted.map { ($0.key, $0.name) } + new.map { ($0.key, $0.name) }
        return Arrangement(slots: slots, moved: moved, sequence: entries.sorted { $0.0 < $1.0 }.map(\.1))
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
    private func inserts(positions: [Int], sorted: [Standing], placement: Placement) -> [Int: [JSON]] {
        let arrivals = new.sorted { $0.key < $1.key }
        guard let first = arrivals.first else { return [:] }
        guard let top = positions.first else {
            let start = start(of: first.key, placement: placement)
            return [start: arrivals.map(\.value)]
        }
        var inserts: [Int: [JSON]] = [:]
        var predecessors = 0
        for arrival in arrivals {
            while predecessors < sorted.count, sorted[predecessors].key < arrival.key { predecessors += 1 }
            let index = predecessors == 0 ? top : positions[predecessors - 1] + 1
            inserts[index, default: []].append(arrival.value)
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
