extension LeaderElection {
    /// How long everything takes; the values that Kubernetes' own components use.
    package struct Timing: Hashable, Sendable {
        /// Others may take the Lease when they have seen no renewal for so long.
        package var leaseDuration: Duration
        /// We stop to lead when no renewal has succeeded for so long. The rest of `leaseDuration` is the margin in
        /// which what was begun has its effect.
        package var renewDeadline: Duration
        /// Between two renewals, and between two looks of who stands by.
        package var retryPeriod: Duration

        /// The largest part of itself that a pause is lengthened by.
        static let jitter = 0.2

        package init(
            leaseDuration: Duration = .seconds(15), renewDeadline: Duration = .seconds(10),
            retryPeriod: Duration = .seconds(2)
        ) {
            precondition(
                retryPeriod < renewDeadline && renewDeadline < leaseDuration,
                "a term has room for a second try, and ends before others may begin theirs")
            self.leaseDuration = leaseDuration
            self.renewDeadline = renewDeadline
            self.retryPeriod = retryPeriod
        }

        /// The longest that one request may take: a second one must fit before the deadline.
        var requestMax: Duration { renewDeadline / 2 }
    }

    /// The Lease as it was read.
    package struct Lease: Hashable, Sendable {
        /// What a write to it is guarded with.
        package var uid: String
        package var resourceVersion: String
        /// Empty when nobody has it.
        package var holder: String
        /// How long it lasts without a renewal; nil when it does not say.
        package var duration: Duration?
        package var transitions: Int
        /// By the holder's clock; only ever compared with itself.
        package var renewTime: String?
        /// The ledger of who led last, also when nobody leads.
        package var lastLedgerID: String?

        package init(
            uid: String, resourceVersion: String, holder: String, duration: Duration?, transitions: Int,
            renewTime: String?, lastLedgerID: String?
        ) {
            self.uid = uid
            self.resourceVersion = resourceVersion
            self.holder = holder
            self.duration = duration
            self.transitions = transitions
            self.renewTime = renewTime
            self.lastLedgerID = lastLedgerID
        }

        /// Whether nobody has renewed it in between. Its version tells nothing: a changed label is no sign of life.
        package func isSameRenewal(as other: Lease) -> Bool {
            uid == other.uid && holder == other.holder && renewTime == other.renewTime
                && transitions == other.transitions && duration == other.duration
        }
    }

    /// The one thing to do now. Asking again before it is answered gives the same.
    package enum Request: Hashable, Sendable {
        /// Get the Lease; answer with `lease` or `failed`.
        case read(within: Duration)
        /// Answer with `written`, `conflict` or `failed`.
        case write(Write, within: Duration)
        /// Another has led since our ledger did: start it over, so that it is rebuilt. Answer with `emptied` or
        /// `failed`.
        case emptyLedger
        /// Nothing before this time; then ask again.
        case wait(until: Instant)
        /// It is over.
        case end(Ending)
    }

    /// A write of the Lease that may only succeed while it is as it was read.
    package struct Write: Hashable, Sendable {
        /// Nil when it is to be made.
        package var replacing: Lease?
        /// Empty to release it.
        package var holder: String
        /// The holder changes to us: the time of acquiring is written too.
        package var isNewHolder: Bool
        package var transitions: Int
        /// To be noted as the ledger of who led last.
        package var ledgerID: String
        package var leaseDuration: Duration
    }

    /// What came of a request.
    package enum Reply: Hashable, Sendable {
        /// As read; nil when there is none.
        case lease(Lease?)
        /// As it is after the write.
        case written(Lease)
        /// It was not any more as it was read, or somebody else made it first: nothing was written.
        case conflict
        case emptied
        /// Whether it had its effect is not known.
        case failed
    }

    /// What others should know of.
    package enum Turn: Hashable, Sendable {
        /// Somebody else leads.
        case standsBy(behind: String)
        case leads(Acquisition)
    }

    /// What became of our ledger when we began to lead.
    package enum Acquisition: Hashable, Sendable {
        /// Nobody else has led since it did: it is right.
        case continued
        /// Somebody else may have: it was started over, and is rebuilt from the resources and the VCO.
        case taken
    }

    /// How it was over.
    package enum Ending: Hashable, Sendable {
        /// We led, and must not write any more.
        case lost(Loss)
        /// We were asked to stop while we did not lead.
        case stopped
        /// We were asked to stop, and anybody can take the Lease at once.
        case released
        /// As before, but it could not be written: the Lease runs out by itself.
        case unreleased
    }

    package enum Loss: Hashable, Sendable {
        /// No renewal succeeded in time; or the process stood still for so long.
        case notRenewed
        case taken(by: String)
    }
}
