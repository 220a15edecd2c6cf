/// Who of several processes may act, settled by a Lease that they all read and write.
///
/// A value like the informer: `next` names the one request to make, `receive` takes the reply. Clocks of two machines
/// are never compared: another's renewals are timed by when they are seen here, and our own term by when the request
/// that renewed it began. Others wait longer than we lead, and that difference is what keeps two from acting at once.
package struct LeaderElection: Sendable {
    private enum State {
        /// Standing by, about to look. Leads to `waiting`, or to `emptying` and `taking` when the Lease can be had.
        case looking
        /// Standing by. Leads to `looking`.
        case waiting(until: Instant)
        /// The Lease can be had, and our ledger is out of date. Leads to `taking`, or to `waiting`.
        case emptying(Lease?)
        /// Writing ourselves into the Lease. Leads to `leading`; to `waiting` when it could not be had.
        case taking(Lease?, since: Instant?)
        /// Leading, and renewing. Leads to `releasing`, or to `ended`.
        case leading(Term)
        /// Giving the Lease back. Leads to `ended`.
        case releasing(Sight, tries: Int)
        /// No more requests.
        case ended(Ending)
    }

    /// A time of leading.
    private struct Term {
        /// When the request of the last renewal that succeeded began.
        var renewedAt: Instant
        var sight: Sight
        /// When the next request is due.
        var dueAt: Instant
        /// When the renewal under way began.
        var requestedAt: Instant?
        /// The last write met one of somebody else.
        var isContested = false
    }

    /// What is known of the Lease.
    private enum Sight {
        /// It may have changed: look before writing.
        case unknown
        case absent
        case seen(Lease)

        var lease: Lease? {
            if case .seen(let lease) = self { lease } else { nil }
        }
    }

    /// Tries to give the Lease back; after them it runs out by itself.
    private static let releaseTriesMax = 3

    private let ledgerID: String
    private let identity: String
    private let timing: Timing
    private var state = State.looking
    private var random: SeededRandom
    private var backoff: Backoff
    /// The Lease as last seen in another's hands, and when it was first seen so.
    private var observed: (lease: Lease, at: Instant)?
    /// The ledger was started over: nothing in it can be out of date.
    private var isLedgerEmptied = false

    /// - Parameters:
    ///   - ledgerID: of the ledger that this process alone has open; another process with it has ended.
    ///   - random: also tells this process from others with that ledger.
    package init(ledgerID: String, timing: Timing = Timing(), random: SeededRandom) {
        self.ledgerID = ledgerID
        self.timing = timing
        self.random = random
        identity = "\(ledgerID)_\(String(self.random.next(), radix: 16))"
        backoff = Backoff(base: timing.retryPeriod, factor: 1.5, max: timing.leaseDuration, jitter: Timing.jitter)
    }

    /// Whether we may act now. Once false after it was true, it stays false.
    package func isLeading(now: Instant) -> Bool {
        guard case .leading(let term) = state else { return false }
        return now < term.renewedAt + timing.renewDeadline
    }

    /// How long nobody else can lead, if we lead: what is begun now must have its effect within this time.
    package func exclusiveFor(now: Instant) -> Duration? {
        guard isLeading(now: now), case .leading(let term) = state else { return nil }
        return (term.renewedAt + timing.leaseDuration).since(now)
    }

    /// The one request to make now.
    package mutating func next(now: Instant) -> Request {
        expire(now: now)
        switch state {
        case .looking:
            return .read(within: timing.requestMax)
        case .waiting(let until):
            guard now >= until else { return .wait(until: until) }
            state = .looking
            return next(now: now)
        case .emptying:
            return .emptyLedger
        case .taking(let lease, let since):
            state = .taking(lease, since: since ?? now)
            return .write(write(to: lease, holder: identity), within: timing.requestMax)
        case .leading(let term):
            return renewal(term, now: now)
        case .releasing(.seen(let lease), _):
            return .write(write(to: lease, holder: ""), within: timing.requestMax)
        case .releasing:
            return .read(within: timing.requestMax)
        case .ended(let ending):
            return .end(ending)
        }
    }

    /// Takes the reply to the request that `next` named; says what it changed, if anybody should know.
    package mutating func receive(_ reply: Reply, now: Instant) -> Turn? {
        expire(now: now)
        switch reply {
        case .lease(let lease): return receiveLease(lease, now: now)
        case .written(let lease): return receiveWritten(lease, now: now)
        case .emptied:
            guard case .emptying(let lease) = state else { return nil }
            isLedgerEmptied = true
            state = .taking(lease, since: nil)
            return nil
        case .conflict:
            receiveConflict(now: now)
            return nil
        case .failed:
            receiveFailure(now: now)
            return nil
        }
    }

    /// Gives the Lease back if we have it; `next` names the requests. To be called when nothing is left to be done.
    package mutating func stop(now: Instant) {
        expire(now: now)
        switch state {
        case .looking, .waiting, .emptying, .taking(_, since: nil): state = .ended(.stopped)
        // A write that nobody has answered may have had its effect.
        case .taking: state = .releasing(.unknown, tries: Self.releaseTriesMax)
        case .leading(let term):
            state = .releasing(term.requestedAt == nil ? term.sight : .unknown, tries: Self.releaseTriesMax)
        case .releasing, .ended: break
        }
    }

    /// Ends a term that was not renewed in time, for good: whoever wakes up after it has to start anew.
    private mutating func expire(now: Instant) {
        guard case .leading(let term) = state, now >= term.renewedAt + timing.renewDeadline else { return }
        state = .ended(.lost(.notRenewed))
    }

    private mutating func renewal(_ term: Term, now: Instant) -> Request {
        guard now >= term.dueAt else { return .wait(until: term.dueAt) }
        let left = (term.renewedAt + timing.renewDeadline).since(now)
        let limit = min(timing.requestMax, left)
        switch term.sight {
        case .unknown:
            return .read(within: limit)
        case .absent, .seen:
            var term = term
            term.requestedAt = term.requestedAt ?? now
            state = .leading(term)
            return .write(write(to: term.sight.lease, holder: identity), within: limit)
        }
    }

    private func write(to lease: Lease?, holder: String) -> Write {
        let isNew = lease?.holder != holder && !holder.isEmpty
        return Write(
            replacing: lease, holder: holder, isNewHolder: isNew,
            transitions: (lease?.transitions ?? 0) + (isNew && lease != nil ? 1 : 0), ledgerID: ledgerID,
            leaseDuration: timing.leaseDuration)
    }

    private mutating func retryDelay() -> Duration {
        timing.retryPeriod * (1 + Double.random(in: 0..<Timing.jitter, using: &random))
    }
}

// MARK: - Replies

extension LeaderElection {
    private mutating func receiveLease(_ lease: Lease?, now: Instant) -> Turn? {
        switch state {
        case .looking:
            return standBy(lease, now: now)
        case .leading(var term):
            guard let lease else {
                // Somebody deleted it. Making it anew can succeed for one alone.
                term.sight = .absent
                state = .leading(term)
                return nil
            }
            guard lease.holder == identity else {
                state = .ended(.lost(.taken(by: lease.holder)))
                return nil
            }
            term.sight = .seen(lease)
            // Who writes to it without taking it is not to be raced with.
            if term.isContested { term.dueAt = now + retryDelay() }
            state = .leading(term)
            return nil
        case .releasing(_, let tries):
            state =
                if let lease, lease.holder == identity { .releasing(.seen(lease), tries: tries) } else {
                    .ended(.stopped)
                }
            return nil
        case .waiting, .emptying, .taking, .ended: return nil  // late
        }
    }

    /// Takes the Lease if it can be had, or waits for that.
    private mutating func standBy(_ lease: Lease?, now: Instant) -> Turn? {
        let before = observed
        if let lease {
            guard !isOurs(lease), !lease.holder.isEmpty else { return take(lease) }
            if before?.lease.isSameRenewal(as: lease) != true { observed = (lease, now) }
        }
        // One that somebody has deleted is its holder's all the same: only the next renewal shows that.
        guard let seen = observed else { return take(lease) }
        let runsOutAt = seen.at + (seen.lease.duration ?? timing.leaseDuration)
        guard now < runsOutAt else { return take(lease) }
        backoff.reset()
        state = .waiting(until: min(now + retryDelay(), runsOutAt))
        return before?.lease.holder == seen.lease.holder ? nil : .standsBy(behind: seen.lease.holder)
    }

    /// Ours by an answer that was lost, or of a process before us: it has ended, or we would not have its ledger.
    private func isOurs(_ lease: Lease) -> Bool {
        lease.holder.hasPrefix("\(ledgerID)_")
    }

    /// The ledger is right if nobody has led since it did, or if there is nothing in it. It is put right before the
    /// Lease names it, so that a crash in between cannot leave a Lease that vouches for an old ledger.
    private mutating func take(_ lease: Lease?) -> Turn? {
        let isRight = isLedgerEmptied || lease?.lastLedgerID == ledgerID
        state = isRight ? .taking(lease, since: nil) : .emptying(lease)
        return nil
    }

    private mutating func receiveWritten(_ lease: Lease, now: Instant) -> Turn? {
        switch state {
        case .taking(_, since: let since?):
            guard now < since + timing.renewDeadline else {
                state = .looking  // too late to lead by; it is ours to take up again
                return nil
            }
            backoff.reset()
            state = .leading(Term(renewedAt: since, sight: .seen(lease), dueAt: since + retryDelay()))
            return .leads(isLedgerEmptied ? .taken : .continued)
        case .leading(var term):
            guard let began = term.requestedAt else { return nil }  // late
            term.renewedAt = began
            term.requestedAt = nil
            term.isContested = false
            term.sight = .seen(lease)
            term.dueAt = began + retryDelay()
            state = .leading(term)
            return nil
        case .releasing:
            state = .ended(.released)
            return nil
        case .looking, .waiting, .emptying, .taking, .ended: return nil  // late
        }
    }

    private mutating func receiveConflict(now: Instant) {
        switch state {
        case .taking:
            state = .waiting(until: now + retryDelay())
        case .leading(var term):
            // Look at once, for it may be another's.
            guard term.requestedAt != nil else { return }
            term.requestedAt = nil
            term.sight = .unknown
            term.isContested = true
            state = .leading(term)
        case .releasing(_, let tries): retryRelease(tries)
        case .looking, .waiting, .emptying, .ended: break  // late
        }
    }

    private mutating func receiveFailure(now: Instant) {
        switch state {
        case .looking, .emptying, .taking:
            state = .waiting(until: now + backoff.next(random: &random))
        case .leading(var term):
            // From its beginning: what was waited for an answer need not be waited once more.
            let began = term.requestedAt ?? term.dueAt
            term.requestedAt = nil
            term.sight = .unknown
            term.dueAt = max(now, began + retryDelay())
            state = .leading(term)
        case .releasing(_, let tries): retryRelease(tries)
        case .waiting, .ended: break  // late
        }
    }

    private mutating func retryRelease(_ tries: Int) {
        state = tries > 1 ? .releasing(.unknown, tries: tries - 1) : .ended(.unreleased)
    }
}
