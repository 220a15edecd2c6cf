import BusinessPolicy
import ControlLoop
import Glibc
import HTTPTransport
import Ledger
import Operator
import Simulation
import Testing

/// The process dies at each of its requests in turn, and the next one makes good what was begun.
@Suite struct CrashTests {
    /// What users did while velokube was down: the work in which it dies.
    enum Story: CaseIterable {
        /// One changed, one deleted, one new.
        case changes
        /// One moved to another profile, one renamed.
        case moves
    }

    /// When the process dies: before the request reaches its server, or after it had its effect and before the reply.
    enum Death: CaseIterable {
        case before
        case after
    }

    struct Died: Error {}

    /// For every request: what stands in the end is the same as without a death, and when all resources are deleted
    /// nothing is left behind. With the ledger as it was on disk at that moment, and without it.
    @Test(arguments: Story.allCases, [false, true])
    func diesAtEachRequest(_ story: Story, _ isLedgerLost: Bool) async throws {
        let expected = try await outcome(of: story, nil, isLedgerLost: false)
        var number = 1
        while let before = try await outcome(of: story, (number, .before), isLedgerLost: isLedgerLost) {
            #expect(before == expected, "died before request \(number)")
            let after = try await outcome(of: story, (number, .after), isLedgerLost: isLedgerLost)
            if let after { #expect(after == expected, "died after request \(number)") }
            number += 1
        }
        #expect(number > 8, "so few requests cannot be the whole story")
    }

    /// What the world looks like in the end; nil when the process had no request of that number to die at.
    private func outcome(
        of story: Story, _ death: (number: Int, when: Death)?, isLedgerLost: Bool
    ) async throws -> Outcome? {
        let world = try World(clock: WorldClock(rate: 10))
        let foreign = world.foreign
        try await world.run {
            for name in ["keep", "edit", "gone", "move"] {
                world.apiServer.apply(name, spec: world.spec(name: name))
            }
            try await world.untilReady(["keep", "edit", "gone", "move"])
        }
        let places = begin(story, world)
        if let death {
            guard try await die(world, death.number, death.when, places) else { return nil }
            if isLedgerLost { world.loseLedger() }
        }
        var outcome = Outcome()
        // A rule whose record and status are both lost is taken back only where adoption is allowed.
        try await world.run(isLedgerLost ? World.adopting : World.Settings()) {
            try await world.until("all is as wanted") { isDone(places, world) }
            outcome.rules = world.rules(101) + world.rules(102)
            outcome.foreign = world.foreign == foreign
            for name in places.keys { world.apiServer.delete(name) }
            try await world.until("all are gone") { world.apiServer.objects().isEmpty }
        }
        // A rule that was written and not yet told of is found as if it had been there before, once the ledger is lost.
        outcome.orphans = isLedgerLost ? 0 : world.rules(101).count + world.rules(102).count
        return outcome
    }

    /// What is compared.
    struct Outcome: Equatable {
        var rules: [JSON] = []
        /// The WAN team's rules are as they were, byte for byte.
        var foreign = true
        var orphans = 0
    }

    /// What users do; returns where each resource's rule is to be in the end, as `profile/name`.
    private func begin(_ story: Story, _ world: World) -> [String: String] {
        switch story {
        case .changes:
            world.apiServer.apply("edit", spec: world.spec(name: "edit", port: 9090))
            world.apiServer.apply("new", spec: world.spec(name: "new"))
            world.apiServer.delete("gone")
            let here = ["keep", "edit", "move", "new"]
            return Dictionary(uniqueKeysWithValues: here.map { ($0, "\(World.profile)/\($0)") })
        case .moves:
            world.apiServer.apply("move", spec: world.spec(profile: World.otherProfile, name: "move"))
            world.apiServer.apply("edit", spec: world.spec(name: "renamed"))
            return [
                "keep": "\(World.profile)/keep", "gone": "\(World.profile)/gone", "edit": "\(World.profile)/renamed",
                "move": "\(World.otherProfile)/move",
            ]
        }
    }

    private func isDone(_ places: [String: String], _ world: World) -> Bool {
        guard world.apiServer.objects().count == places.count else { return false }
        return places.allSatisfy { name, place in
            guard world.isReady(name), let rule = world.status(name).rule else { return false }
            return "\(rule.profile)/\(rule.name)" == place
        }
    }

    /// Runs until the request of that number, and leaves the ledger as it was on disk then. False when the work was
    /// done before.
    private func die(_ world: World, _ number: Int, _ when: Death, _ places: [String: String]) async throws -> Bool {
        let count = Locked(0)
        let disk = Locked<[String: [UInt8]]?>(nil)
        world.onRequest { [path = world.statePath] request in
            // Watches come and go as they like.
            if request.url.contains("watch=true") { return nil }
            let now = count.withLock { count in
                count += 1
                return count
            }
            if now < number { return nil }
            guard now == number else { return .connect }
            disk.withLock { $0 = World.ledgerFiles(path) }
            return when == .before ? .brokenBefore : .brokenAfter
        }
        do {
            try await world.run {
                try await world.until("died, or all done") { disk.withLock { $0 != nil } || isDone(places, world) }
                throw Died()
            }
        } catch is Died {}
        world.onRequest(nil)
        guard let files = disk.withLock({ $0 }) else { return false }
        world.restoreLedger(files)
        return true
    }
}

extension World {
    /// The rules of our resources on a profile, in their order, without the ids that the VCO gives.
    fileprivate func rules(_ profile: ProfileKey) -> [JSON] {
        let ours: Set = ["keep", "edit", "gone", "move", "new", "renamed"]
        return orchestrator.profile(profile)?.segments.flatMap { segment in
            segment.names.compactMap { name in
                name.flatMap { ours.contains($0) ? segment.rule($0)?.withoutID : nil }
            }
        } ?? []
    }

    /// All other rules, byte for byte, in their order.
    fileprivate var foreign: [[UInt8]] {
        let ours: Set = ["keep", "edit", "gone", "move", "new", "renamed"]
        return orchestrator.profiles.flatMap { profile in
            profile.segments.flatMap { segment in
                zip(segment.names, segment.rules).filter { name, _ in !ours.contains(name ?? "") }.map(\.1)
            }
        }
    }

    static func ledgerFiles(_ path: String) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for suffix in ["", "-wal"] {
            guard let file = fopen(path + suffix, "r") else { continue }
            defer { fclose(file) }
            var content: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = fread(&piece, 1, piece.count, file)
                if count == 0 { break }
                content += piece[..<count]
            }
            files[suffix] = content
        }
        return files
    }

    func restoreLedger(_ files: [String: [UInt8]]) {
        loseLedger()
        for (suffix, content) in files {
            guard let file = fopen(statePath + suffix, "w") else { continue }
            fwrite(content, 1, content.count, file)
            fclose(file)
        }
    }
}
