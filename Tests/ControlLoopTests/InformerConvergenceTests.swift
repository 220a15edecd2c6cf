import ControlLoop
import Testing

/// An informer on a model server, with writes of our own, and an account of all that it has told.
private struct InformerWorld {
    var informer: Informer<Thing>
    var server: ModelServer
    var random: SeededRandom
    var now = at(0)
    /// What the informer's words amount to.
    var told: [String: Thing] = [:]
    /// Replies to our writes that have not arrived: what was written, and the version it was made on.
    var unacknowledged: [(written: Thing, version: String)] = []
    /// The newest version that was visible of each object.
    var newest: [String: Int] = [:]
    var requests = 0
    var faults: [String] = []

    init(seed: UInt64, repeatsOldEvents: Bool, streaming: ModelServer.Streaming) {
        random = SeededRandom(seed: seed)
        informer = Informer.fresh(seed: seed)
        server = ModelServer(
            random: SeededRandom(seed: seed &+ 1_000_000), repeatsOldEvents: repeatsOldEvents, streaming: streaming)
    }

    /// One request and all its replies, with changes by others and by us at any point.
    mutating func step() {
        requests += 1
        switch informer.next(now: now) {
        case .wait(let until): now = until
        case .list(let request): receive(server.list(request))
        case .watch(let request):
            for reply in server.watch(request) {
                guard informer.wantsEvents else { break }
                now = now + .milliseconds(Int.random(in: 0...2000, using: &random))
                receive(reply)
                disturb()
            }
        }
        disturb()
    }

    private mutating func disturb() {
        guard server.isFaulty else { return }
        for _ in 0..<Int.random(in: 0...2, using: &random) { server.change() }
        if Bool.random(using: &random), let seen = informer.snapshot?.randomElement(using: &random) {
            if let written = server.patch(seen) { unacknowledged.append((written, seen.resourceVersion)) }
        }
        if Bool.random(using: &random) { acknowledge() }
    }

    mutating func acknowledge() {
        guard !unacknowledged.isEmpty else { return }
        let reply = unacknowledged.removeFirst()
        note(informer.acknowledge(reply.written, replacing: reply.version))
    }

    private mutating func receive(_ reply: Informer<Thing>.Reply) {
        note(informer.receive(reply, now: now))
    }

    private mutating func note(_ affected: [Affected]) {
        for change in affected {
            guard let key = change.old?.key ?? change.new?.key else { return faults.append("a change of nothing") }
            if told[key] != change.old { faults.append("\(key) was told to have been something else") }
            if let new = change.new, let old = change.old, new.uid != old.uid { faults.append("\(key) is another") }
            told[key] = change.new
        }
        check()
    }

    private mutating func check() {
        guard let snapshot = informer.snapshot else {
            if !told.isEmpty { faults.append("told before the first list was complete") }
            return
        }
        if snapshot != told.values.sorted(by: { $0.key < $1.key }) { faults.append("the cache is not what was told") }
        for group in ["g0", "g1", "g2"] {
            let expected = snapshot.filter { $0.groups.contains(group) }
            if informer.objects(indexedBy: group) != expected { faults.append("the index of \(group) is wrong") }
            if informer.indexValues.contains(group) == expected.isEmpty { faults.append("\(group) is listed wrongly") }
            let besides = Set(expected.flatMap(\.groups)).subtracting([group]).sorted()
            if informer.indexValues(beside: group) != besides { faults.append("beside \(group) is something else") }
        }
        for thing in snapshot where !server.repeatsOldEvents {
            let version = Int(thing.resourceVersion) ?? 0
            if version < newest[thing.uid] ?? 0 { faults.append("\(thing.key) went back in time") }
            newest[thing.uid] = version
        }
    }
}

@Suite struct InformerConvergenceTests {
    // Whatever breaks, expires or is repeated: once it stops the cache is the server's state, every change was told in
    // a chain without a gap, and (unless the server itself repeats old changes) nothing ever went back in time.
    @Test(arguments: [true, false], ModelServer.Streaming.allCases)
    func cacheConvergesToTheServersState(repeatsOldEvents: Bool, streaming: ModelServer.Streaming) {
        for seed in 0..<150 as Range<UInt64> {
            var world = InformerWorld(seed: seed, repeatsOldEvents: repeatsOldEvents, streaming: streaming)
            for _ in 0..<40 { world.step() }
            world.server.isFaulty = false
            while !world.unacknowledged.isEmpty { world.acknowledge() }
            for _ in 0..<8 { world.step() }
            let state = world.server.objects.values.sorted { $0.key < $1.key }
            #expect(world.informer.snapshot == state, "seed \(seed)")
            #expect(world.informer.isBlocked == nil, "seed \(seed)")
            #expect(world.faults == [], "seed \(seed)")
            if world.informer.snapshot != state || !world.faults.isEmpty { return }
        }
    }
}
