import ControlLoop

/// One Lease, as the API server keeps it.
final class LeaseServer {
    var lease: LeaderElection.Lease?
    /// The writes that had an effect.
    private(set) var writes: [LeaderElection.Write] = []
    private var version = 1

    init(_ lease: LeaderElection.Lease?) {
        self.lease = lease
    }

    convenience init(
        holder: String, duration: Duration? = .seconds(15), transitions: Int = 0, lastLedgerID: String? = nil
    ) {
        self.init(
            LeaderElection.Lease(
                uid: "uid", resourceVersion: "1", holder: holder, duration: duration, transitions: transitions,
                renewTime: "2020-01-01T00:00:00.000000Z", lastLedgerID: lastLedgerID))
    }

    /// The holder renews it.
    func renew() {
        touch()
        lease?.renewTime = "renewal \(version)"
    }

    /// Somebody writes to it.
    func touch() {
        version += 1
        lease?.resourceVersion = "\(version)"
    }

    func answer(to write: LeaderElection.Write) -> LeaderElection.Reply {
        guard write.replacing?.resourceVersion == lease?.resourceVersion, write.replacing?.uid == lease?.uid else {
            return .conflict
        }
        version += 1
        let new = LeaderElection.Lease(
            uid: lease?.uid ?? "uid \(version)", resourceVersion: "\(version)", holder: write.holder,
            duration: write.leaseDuration, transitions: write.transitions, renewTime: "write \(version)",
            lastLedgerID: write.ledgerID)
        lease = new
        writes.append(write)
        return .written(new)
    }
}

/// One process that takes part in the election.
struct Candidate {
    var election: LeaderElection
    /// What it was told of, in order.
    var turns: [LeaderElection.Turn] = []
    /// How often its ledger was to start over.
    var emptied = 0
    var canEmpty = true
    /// Its requests have their effect, and it never hears of it.
    var losesAnswers = false
    /// Its requests do not arrive.
    var isCutOff = false

    init(_ ledgerID: String, seed: UInt64 = 1) {
        election = LeaderElection(ledgerID: ledgerID, random: SeededRandom(seed: seed))
    }

    /// Makes one request and takes its answer; false when there is none to make now.
    mutating func turn(on server: LeaseServer, now: Instant) -> Bool {
        let reply: LeaderElection.Reply
        switch election.next(now: now) {
        case .wait, .end: return false
        case .emptyLedger:
            emptied += 1
            reply = canEmpty ? .emptied : .failed
        case .read: reply = isCutOff || losesAnswers ? .failed : .lease(server.lease)
        case .write(let write, _):
            let answer: LeaderElection.Reply = isCutOff ? .failed : server.answer(to: write)
            reply = losesAnswers ? .failed : answer
        }
        if let turn = election.receive(reply, now: now) { turns.append(turn) }
        return true
    }
}
