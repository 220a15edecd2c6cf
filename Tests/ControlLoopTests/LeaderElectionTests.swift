import ControlLoop
import Testing

/// Taking the Lease: who may, when, and what it says of the ledger.
@Suite struct LeaderElectionTests {
    /// What one election asks for at the start, until it has to wait; each request is answered from the Lease.
    private func settle(_ candidate: inout Candidate, _ server: LeaseServer, _ seconds: Double) {
        for _ in 0..<10 where candidate.turn(on: server, now: at(seconds)) {}
    }

    // A Lease that is not there, or that nobody holds, is had at once; in the second case it has changed hands.
    @Test(arguments: [false, true]) func freeLeaseIsTaken(isThere: Bool) {
        let server = isThere ? LeaseServer(holder: "", transitions: 4) : LeaseServer(nil)
        var candidate = Candidate("a")
        let before = server.lease
        settle(&candidate, server, 0)
        #expect(candidate.election.isLeading(now: at(0)))
        #expect(server.lease?.holder.hasPrefix("a_") == true)
        #expect(server.lease?.transitions == (before.map { $0.transitions + 1 } ?? 0))
        #expect(server.lease?.duration == .seconds(15) && server.lease?.lastLedgerID == "a")
        #expect(server.writes.last?.isNewHolder == true)
    }

    // A Lease that is renewed is left alone for ever, however old the time is that stands in it.
    @Test func renewedLeaseIsLeftAlone() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "b_1")
        for second in 0..<200 {
            if second % 10 == 0 { server.renew() }
            settle(&candidate, server, Double(second))
            #expect(!candidate.election.isLeading(now: at(Double(second))))
        }
        #expect(server.writes.isEmpty && candidate.turns == [.standsBy(behind: "b_1")])
    }

    // One that nobody has renewed before our eyes for its duration is taken at that very time, and not before.
    @Test func silentLeaseIsTakenAfterItsDuration() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "b_1", duration: .seconds(20), transitions: 2)
        settle(&candidate, server, 100)
        for second in stride(from: 100.1, to: 120, by: 0.1) { settle(&candidate, server, second) }
        #expect(server.writes.isEmpty)
        #expect(candidate.election.next(now: at(119.95)) == .wait(until: at(120)))
        settle(&candidate, server, 120)
        #expect(candidate.election.isLeading(now: at(120)) && server.lease?.transitions == 3)
    }

    // One that somebody deletes is left alone as long: its holder writes on until the next renewal shows that.
    @Test func deletedLeaseIsNotTakenAtOnce() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "b_1", duration: .seconds(15))
        settle(&candidate, server, 0)
        server.lease = nil
        for second in 1..<15 { settle(&candidate, server, Double(second)) }
        #expect(server.writes.isEmpty)
        settle(&candidate, server, 15)
        #expect(candidate.election.isLeading(now: at(15)))
    }

    // What a Lease does not say of its duration is our own; a label that changes on it is no sign of life.
    @Test func labelIsNoRenewal() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "b_1", duration: nil)
        for second in 0..<15 {
            server.touch()
            settle(&candidate, server, Double(second))
        }
        #expect(server.writes.isEmpty)
        settle(&candidate, server, 15)
        #expect(candidate.election.isLeading(now: at(15)))
    }

    // A Lease that changes hands between two others is one that lives.
    @Test func otherHolderCountsAnew() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "b_1")
        settle(&candidate, server, 0)
        server.lease?.holder = "c_1"
        server.touch()
        settle(&candidate, server, 14)
        settle(&candidate, server, 16.5)
        settle(&candidate, server, 28.9)
        #expect(server.writes.isEmpty)
        #expect(candidate.turns == [.standsBy(behind: "b_1"), .standsBy(behind: "c_1")])
        settle(&candidate, server, 29)
        #expect(candidate.election.isLeading(now: at(29)))
    }

    // Of two that see it run out at once one has it; the other looks again and stands by.
    @Test func oneOfTwoWins() {
        var (first, second) = (Candidate("a", seed: 1), Candidate("b", seed: 2))
        let server = LeaseServer(holder: "c_1")
        settle(&first, server, 0)
        settle(&second, server, 0)
        // Both look before either writes.
        for _ in 0..<2 {
            _ = first.turn(on: server, now: at(15))
            _ = second.turn(on: server, now: at(15))
        }
        settle(&first, server, 15)
        settle(&second, server, 15)
        #expect(first.election.isLeading(now: at(15)) && !second.election.isLeading(now: at(15)))
        settle(&second, server, 17.5)
        #expect(second.turns.last == .standsBy(behind: server.lease?.holder ?? ""))
        #expect(server.writes.count == 1)
    }

    // A process before us with our ledger has ended, since we have the ledger now: its Lease is ours at once.
    @Test func ownLedgersLeaseIsTakenAtOnce() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "a_1", transitions: 1, lastLedgerID: "a")
        settle(&candidate, server, 0)
        #expect(candidate.election.isLeading(now: at(0)))
        #expect(candidate.turns == [.leads(.continued)] && candidate.emptied == 0)
        #expect(server.lease?.transitions == 2 && server.lease?.holder != "a_1")
        // A name that only begins like ours is another's.
        var other = Candidate("a")
        let others = LeaseServer(holder: "ab_1", lastLedgerID: "ab")
        settle(&other, others, 0)
        #expect(!other.election.isLeading(now: at(0)))
    }

    // Released by us, and taken by nobody since: the ledger is right. Led by another since, or unknown: it starts over,
    // and that before the Lease says that our ledger led.
    @Test(arguments: [("", "a", true), ("", "b", false), ("", nil, false), ("a_1", "b", false), ("a_1", nil, false)])
    func ledgerIsEmptiedUnlessItLedLast(holder: String, last: String?, isRight: Bool) {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: holder, lastLedgerID: last)
        if !isRight {
            _ = candidate.turn(on: server, now: at(0))
            #expect(candidate.election.next(now: at(0)) == .emptyLedger)
            #expect(server.writes.isEmpty)
        }
        settle(&candidate, server, 0)
        #expect(candidate.emptied == (isRight ? 0 : 1))
        #expect(candidate.turns == [.leads(isRight ? .continued : .taken)])
        #expect(server.lease?.lastLedgerID == "a")
    }

    // A ledger that cannot be emptied does not lead; it is tried again, later each time.
    @Test func withoutEmptiedLedgerNobodyLeads() {
        var candidate = Candidate("a")
        candidate.canEmpty = false
        let server = LeaseServer(nil)
        for second in 0..<60 { settle(&candidate, server, Double(second)) }
        #expect(server.writes.isEmpty && (3...10).contains(candidate.emptied))
        candidate.canEmpty = true
        settle(&candidate, server, 80)
        #expect(candidate.election.isLeading(now: at(80)))
    }

    // An empty ledger is emptied once: a write that met another's does not ask for it again.
    @Test func ledgerIsEmptiedOnce() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "")
        _ = candidate.turn(on: server, now: at(0))
        _ = candidate.turn(on: server, now: at(0))
        server.touch()
        settle(&candidate, server, 0)
        #expect(!candidate.election.isLeading(now: at(0)))
        settle(&candidate, server, 3)
        #expect(candidate.turns == [.leads(.taken)] && candidate.emptied == 1)
    }

    // A lost answer to the write that took the Lease: the next look shows that it is ours.
    @Test func lostAnswerIsFoundOut() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "", lastLedgerID: "a")
        _ = candidate.turn(on: server, now: at(0))
        candidate.losesAnswers = true
        _ = candidate.turn(on: server, now: at(0))
        #expect(!candidate.election.isLeading(now: at(0)) && server.lease?.holder.hasPrefix("a_") == true)
        candidate.losesAnswers = false
        settle(&candidate, server, 3)
        #expect(candidate.election.isLeading(now: at(3)) && candidate.turns == [.leads(.continued)])
    }

    // An answer that took longer than a term lasts gives none; it is taken up by another write.
    @Test func lateAnswerGivesNoTerm() {
        var candidate = Candidate("a")
        let server = LeaseServer(holder: "", lastLedgerID: "a")
        _ = candidate.turn(on: server, now: at(0))
        guard case .write(let write, _) = candidate.election.next(now: at(0)) else {
            return #expect(Bool(false), "no write")
        }
        let turn = candidate.election.receive(server.answer(to: write), now: at(10))
        #expect(turn == nil && !candidate.election.isLeading(now: at(10)))
        settle(&candidate, server, 10)
        #expect(candidate.election.isLeading(now: at(10)) && server.writes.count == 2)
    }

    // While the API server fails who stands by asks ever less often, to a limit; not all at the same time.
    @Test func failuresBackOff() {
        var pauses: Set<Double> = []
        for seed in 0..<20 as Range<UInt64> {
            var candidate = Candidate("a", seed: seed)
            var now = at(0)
            var waits: [Double] = []
            for _ in 0..<12 {
                guard case .read = candidate.election.next(now: now) else { return #expect(Bool(false), "no look") }
                _ = candidate.election.receive(.failed, now: now)
                guard case .wait(let until) = candidate.election.next(now: now) else {
                    return #expect(Bool(false), "no pause")
                }
                waits.append(until.since(now) / .seconds(1))
                now = until
            }
            #expect(waits.allSatisfy { $0 >= 2 && $0 <= 18 } && waits[0] <= 2.4 && waits[11] >= 15, "\(waits)")
            pauses.insert(waits[0])
        }
        #expect(pauses.count == 20)
    }
}
