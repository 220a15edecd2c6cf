import ControlLoop
import Testing

/// Leading: how long, by whose clock, and how it ends.
@Suite struct LeaderElectionTermTests {
    private func leader(_ server: LeaseServer, seed: UInt64 = 1) -> Candidate {
        var candidate = Candidate("a", seed: seed)
        while candidate.turn(on: server, now: at(0)) {}
        #expect(candidate.election.isLeading(now: at(0)))
        return candidate
    }

    /// The time that the election waits for.
    private func pause(_ candidate: inout Candidate, _ now: Instant) -> Instant? {
        guard case .wait(let until) = candidate.election.next(now: now) else { return nil }
        return until
    }

    // A term is renewed every 2 to 2.4 s by one write each, without a look before it, and leaves the holder's times of
    // acquiring and the transitions as they are.
    @Test func renewalIsOneWrite() {
        let server = LeaseServer(holder: "", transitions: 7)
        var candidate = leader(server)
        var now = at(0)
        var pauses: [Double] = []
        for round in 1...100 {
            guard let until = pause(&candidate, now) else { return #expect(Bool(false), "no pause") }
            pauses.append(until.since(now) / .seconds(1))
            now = until
            let isAsked = candidate.turn(on: server, now: now)
            #expect(isAsked && server.writes.count == round + 1)
        }
        #expect(pauses.allSatisfy { $0 >= 2 && $0 < 2.4 } && Set(pauses).count > 90)
        #expect(server.lease?.transitions == 8 && server.writes.dropFirst().allSatisfy { !$0.isNewHolder })
        #expect(candidate.turns == [.leads(.taken)] && candidate.election.isLeading(now: now))
    }

    // A term counts from when the request began that renewed it, not from its answer.
    @Test func termCountsFromTheRequest() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        guard case .write(let write, _) = candidate.election.next(now: at(3)) else {
            return #expect(Bool(false), "no renewal")
        }
        _ = candidate.election.next(now: at(7))
        _ = candidate.election.receive(server.answer(to: write), now: at(9.5))
        #expect(candidate.election.isLeading(now: at(12.9)))
        #expect(candidate.election.exclusiveFor(now: at(12)) == .seconds(6))
        #expect(!candidate.election.isLeading(now: at(13)) && candidate.election.exclusiveFor(now: at(13)) == nil)
    }

    // Without a renewal the term ends after 10 s for good, though the Lease still names us, and though an answer comes.
    @Test func deadlineIsFinal() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        guard case .write(let write, _) = candidate.election.next(now: at(9)) else {
            return #expect(Bool(false), "no renewal")
        }
        #expect(candidate.election.isLeading(now: at(9.9)) && !candidate.election.isLeading(now: at(10)))
        _ = candidate.election.receive(server.answer(to: write), now: at(11))
        #expect(!candidate.election.isLeading(now: at(11)))
        #expect(candidate.election.next(now: at(11)) == .end(.lost(.notRenewed)))
        candidate.election.stop(now: at(12))
        #expect(candidate.election.next(now: at(12)) == .end(.lost(.notRenewed)))
        #expect(server.lease?.holder.hasPrefix("a_") == true)
    }

    // A process that stood still finds out by its clock alone, before it asks anybody.
    @Test func frozenProcessDoesNotLead() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        var other = Candidate("b", seed: 2)
        for second in 0...20 { while other.turn(on: server, now: at(Double(second))) {} }
        #expect(other.election.isLeading(now: at(20)))
        #expect(!candidate.election.isLeading(now: at(20)))
        let isAsked = candidate.turn(on: server, now: at(20))
        #expect(!isAsked && candidate.election.next(now: at(20)) == .end(.lost(.notRenewed)))
    }

    // Never two at once, whatever fails and whoever stands still: who leads begins after the other's term has ended.
    @Test(arguments: 0..<200 as Range<UInt64>) func neverTwo(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let server = LeaseServer(nil)
        var candidates = ["a", "b", "c"].enumerated().map { Candidate($1, seed: seed &* 3 &+ UInt64($0)) }
        var awakeAt = [0.0, 0, 0]
        var terms = 0
        for step in 0..<3000 {
            let now = Double(step) * 0.1
            for index in candidates.indices where now >= awakeAt[index] {
                if Int.random(in: 0..<400, using: &random) == 0 {
                    awakeAt[index] = now + .random(in: 0...30, using: &random)
                    continue
                }
                candidates[index].isCutOff = Int.random(in: 0..<6, using: &random) == 0
                candidates[index].losesAnswers = Int.random(in: 0..<6, using: &random) == 0
                let turns = candidates[index].turns.count
                _ = candidates[index].turn(on: server, now: at(now))
                if candidates[index].turns.count > turns, case .leads = candidates[index].turns.last { terms += 1 }
                if case .end = candidates[index].election.next(now: at(now)) {
                    candidates[index] = Candidate("\(index)", seed: random.next())
                }
            }
            let leaders = candidates.filter { $0.election.isLeading(now: at(now)) }
            guard leaders.count <= 1 else { return #expect(Bool(false), "two at \(now) s, seed \(seed)") }
        }
        #expect(terms > 1, "seed \(seed)")
    }

    // A renewal that fails is tried again within the term, after a look, and soon; the term goes on.
    @Test func failedRenewalIsTriedAgain() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        candidate.losesAnswers = true
        var now = at(2.4)
        _ = candidate.turn(on: server, now: now)
        candidate.losesAnswers = false
        guard let until = pause(&candidate, now) else { return #expect(Bool(false), "no pause") }
        #expect(until.since(now) >= .seconds(2) && until.since(now) <= .seconds(2.4))
        now = until
        guard case .read(let limit) = candidate.election.next(now: now) else { return #expect(Bool(false), "no look") }
        #expect(limit <= at(10).since(now) && limit <= .seconds(5))
        while candidate.turn(on: server, now: now) {}
        #expect(candidate.election.isLeading(now: at(12)))
    }

    // What was waited for an answer that never came is not waited again: a second try fits into the term.
    @Test func slowFailureIsTriedAtOnce() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        _ = candidate.election.next(now: at(2.4))
        _ = candidate.election.receive(.failed, now: at(7.4))
        guard case .read(let limit) = candidate.election.next(now: at(7.4)) else {
            return #expect(Bool(false), "no look")
        }
        #expect(limit == at(10).since(at(7.4)))
    }

    // A write of somebody else's that leaves us the Lease costs a look, and no term; writes keep their pace.
    @Test func labelCostsALook() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        server.touch()
        let isWritten = candidate.turn(on: server, now: at(2.4))
        let isRead = candidate.turn(on: server, now: at(2.4))
        #expect(isWritten && isRead && server.writes.count == 1)
        let until = pause(&candidate, at(2.4))
        #expect(until.map { $0 >= at(4.4) && $0 <= at(4.8) } == true)
        while candidate.turn(on: server, now: at(4.8)) {}
        #expect(server.writes.count == 2 && candidate.election.isLeading(now: at(14)))
    }

    // A Lease that is another's all of a sudden, or nobody's, ends the term at once.
    @Test(arguments: ["b_1", ""]) func takenLeaseEndsTheTerm(holder: String) {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        server.lease?.holder = holder
        server.renew()
        while candidate.turn(on: server, now: at(2.4)) {}
        #expect(!candidate.election.isLeading(now: at(2.4)))
        #expect(candidate.election.next(now: at(2.4)) == .end(.lost(.taken(by: holder))))
        #expect(server.lease?.holder == holder)
    }

    // A Lease that was deleted is made anew, unless another was faster.
    @Test func deletedLeaseIsMadeAnew() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        let holder = server.lease?.holder
        server.lease = nil
        while candidate.turn(on: server, now: at(2.4)) {}
        #expect(candidate.election.isLeading(now: at(12)) && server.lease?.holder == holder)
    }

    // Stopping gives the Lease back, so that others have it at their next look; what our ledger was stays known.
    @Test func releaseLetsOthersIn() {
        let server = LeaseServer(holder: "", transitions: 3)
        var candidate = leader(server)
        candidate.election.stop(now: at(1))
        #expect(!candidate.election.isLeading(now: at(1)))
        while candidate.turn(on: server, now: at(1)) {}
        #expect(candidate.election.next(now: at(1)) == .end(.released))
        #expect(server.lease?.holder == "" && server.lease?.lastLedgerID == "a" && server.lease?.transitions == 4)
        var other = Candidate("b")
        while other.turn(on: server, now: at(1)) {}
        #expect(other.election.isLeading(now: at(1)) && other.turns == [.leads(.taken)])
    }

    // Who stops while a write of his is under way looks what came of it, and gives back what it brought.
    @Test func releaseFindsOut() {
        let server = LeaseServer(holder: "")
        var candidate = Candidate("a")
        _ = candidate.turn(on: server, now: at(0))
        _ = candidate.turn(on: server, now: at(0))
        guard case .write(let write, _) = candidate.election.next(now: at(0)) else {
            return #expect(Bool(false), "no write")
        }
        _ = server.answer(to: write)
        candidate.election.stop(now: at(1))
        while candidate.turn(on: server, now: at(1)) {}
        #expect(candidate.election.next(now: at(1)) == .end(.released) && server.lease?.holder == "")
    }

    // Another's Lease is never given back, and who only stood by writes nothing.
    @Test func othersLeaseIsNotReleased() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        server.lease?.holder = "b_1"
        server.renew()
        candidate.election.stop(now: at(1))
        while candidate.turn(on: server, now: at(1)) {}
        #expect(candidate.election.next(now: at(1)) == .end(.stopped) && server.lease?.holder == "b_1")
        var standby = Candidate("c")
        while standby.turn(on: server, now: at(1)) {}
        standby.election.stop(now: at(2))
        #expect(standby.election.next(now: at(2)) == .end(.stopped) && server.writes.count == 1)
    }

    // A Lease that cannot be given back is left to run out after three tries.
    @Test func releaseEnds() {
        let server = LeaseServer(holder: "")
        var candidate = leader(server)
        candidate.isCutOff = true
        candidate.election.stop(now: at(1))
        var tries = 0
        while candidate.turn(on: server, now: at(1)) { tries += 1 }
        #expect(tries == 3 && candidate.election.next(now: at(1)) == .end(.unreleased))
    }
}
