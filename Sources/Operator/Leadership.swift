import ControlLoop
import HTTPTransport
import Kubernetes
import Ledger
import Logging

/// This process's part in the election of the one that may write: carries out what the pure election asks for, and
/// answers by the local clock whether we lead.
package final class Leadership: Sendable {
    /// The name of the Lease that all replicas of one installation share.
    package static let leaseName = "velokube"
    /// Under this annotation stands the ledger of who led last, also when nobody leads.
    package static let lastLedgerAnnotation = "vcn.cloud/last-ledger"

    private struct State {
        var election: LeaderElection
        var ending: LeaderElection.Ending?
        /// The last failure that was logged: the same one again is no news.
        var failure: String?
        /// The last call broke off or timed out: the connection may be dead.
        var needsFreshConnection = false
    }

    private let client: KubernetesClient
    private let ledger: Ledger
    private let namespace: String
    private let time: Time
    private let log: Logger
    private let state: Locked<State>

    /// `ledgerID` is the id of `ledger`, which this process alone has open.
    package init(
        client: KubernetesClient, ledger: Ledger, ledgerID: String, namespace: String, time: Time, log: Logger,
        seed: UInt64
    ) {
        self.client = client
        self.ledger = ledger
        self.namespace = namespace
        self.time = time
        self.log = log
        state = Locked(
            State(election: LeaderElection(ledgerID: ledgerID, random: SeededRandom(seed: seed))))
    }

    /// Whether this process may write now.
    package var isLeading: Bool {
        let now = time.now()
        return state.withLock { $0.election.isLeading(now: now) }
    }

    /// How long nobody else can write, or nil when this process must not: a write that is begun now has to be over
    /// within that time.
    package var exclusiveFor: Duration? {
        let now = time.now()
        return state.withLock { $0.election.exclusiveFor(now: now) }
    }

    /// How it was over; nil while it goes on.
    package var ending: LeaderElection.Ending? { state.withLock { $0.ending } }

    /// Makes the one request that is due, if any.
    package func step() async -> Wake {
        let reply: LeaderElection.Reply
        switch state.withLock({ [now = time.now()] in $0.election.next(now: now) }) {
        case .wait(let until): return .at(until)
        case .end(let ending):
            end(ending)
            return .whenRung
        case .read(let limit): reply = await read(limit)
        case .write(let write, let limit): reply = await self.write(write, limit)
        case .emptyLedger: reply = await emptyLedger()
        }
        let turn = state.withLock { [now = time.now()] in $0.election.receive(reply, now: now) }
        if let turn { announce(turn) }
        return .again
    }

    /// From here on nothing may be written; the steps that follow give the Lease back, if we have it.
    package func stop() {
        state.withLock { [now = time.now()] in $0.election.stop(now: now) }
    }

    /// Stops, and gives the Lease back: the very last thing that a process does.
    func resign() async {
        stop()
        while ending == nil, case .again = await step() {}
    }

    private func read(_ limit: Duration) async -> LeaderElection.Reply {
        do throws(KubernetesError) {
            let lease = try await client.lease(namespace: namespace, name: Self.leaseName, limits: limits(limit))
            succeeded()
            return .lease(lease.map(LeaderElection.Lease.init))
        } catch {
            return failed(error)
        }
    }

    private func write(_ write: LeaderElection.Write, _ limit: Duration) async -> LeaderElection.Reply {
        let body = LeaseWrite(
            replacing: write.replacing.map { Lease.Version(uid: $0.uid, resourceVersion: $0.resourceVersion) },
            holder: write.holder, durationSeconds: Int(write.leaseDuration.components.seconds),
            transitions: write.transitions, annotations: [Self.lastLedgerAnnotation: write.ledgerID],
            renewedAt: time.wallMilliseconds(), isAcquired: write.isNewHolder)
        do throws(KubernetesError) {
            let lease = try await client.write(
                body, namespace: namespace, name: Self.leaseName, limits: limits(limit))
            succeeded()
            return .written(LeaderElection.Lease(lease))
        } catch {
            guard case .status(let status) = error, status.isConflict || status.isAlreadyExists || status.isLeaseGone
            else { return failed(error) }
            return .conflict
        }
    }

    /// Another has led since: what the ledger says of the VCO is what was, and is built anew from what is.
    private func emptyLedger() async -> LeaderElection.Reply {
        do throws(LedgerError) {
            try await ledger.startOver()
            return .emptied
        } catch {
            log.event(.error, "The ledger cannot be written: this process cannot lead", [.error: "\(error)"])
            return .failed
        }
    }

    private func limits(_ limit: Duration) -> KubernetesClient.CallLimits {
        KubernetesClient.CallLimits(
            whole: limit, usesFreshConnection: state.withLock { $0.needsFreshConnection })
    }

    private func succeeded() {
        state.withLock { state in
            state.needsFreshConnection = false
            state.failure = nil
        }
    }

    private func failed(_ error: KubernetesError) -> LeaderElection.Reply {
        if Task.isCancelled { return .failed }
        let words = "\(error)"
        let isNews = state.withLock { state in
            if case .transport = error { state.needsFreshConnection = true }
            defer { state.failure = words }
            return state.failure != words
        }
        let details: [LogKey: Logger.MetadataValue] = [.lease: .string(label), .error: .string(words)]
        if case .status(let status) = error, status.isForbidden {
            log.event(
                isNews ? .error : .debug,
                "The service account may not get, create and patch the Lease: this process cannot lead", details)
        } else {
            log.event(isNews ? .warning : .debug, "The Lease cannot be read or written", details)
        }
        return .failed
    }

    private func announce(_ turn: LeaderElection.Turn) {
        switch turn {
        case .standsBy(let holder):
            log.event(
                .info, "Another process leads; this one stands by", [.lease: .string(label), .holder: .string(holder)])
        case .leads(.continued):
            log.event(.notice, "This process leads", [.lease: .string(label)])
        case .leads(.taken):
            log.event(
                .notice, "This process leads; its ledger is rebuilt from the resources and the VCO",
                [.lease: .string(label)])
        }
    }

    private func end(_ ending: LeaderElection.Ending) {
        let isNew = state.withLock { state in
            defer { state.ending = ending }
            return state.ending == nil
        }
        guard isNew else { return }
        switch ending {
        case .lost(let loss):
            log.event(
                .error, "Leadership is lost: nothing more is written, and the process ends",
                [.lease: .string(label), .reason: .string(LeadershipLost(loss: loss).reason)])
        case .released: log.event(.info, "The Lease is given back", [.lease: .string(label)])
        case .unreleased:
            log.event(.warning, "The Lease cannot be given back; it runs out by itself", [.lease: .string(label)])
        case .stopped: break
        }
    }

    private var label: String { "\(namespace)/\(Self.leaseName)" }
}

/// Ends the process, to be started anew and to stand by: another may lead now.
package struct LeadershipLost: Error, CustomStringConvertible {
    var loss: LeaderElection.Loss

    var reason: String {
        switch loss {
        case .notRenewed: "the Lease was not renewed in time"
        case .taken(let holder): "the Lease is held by \"\(holder)\""
        }
    }

    package var description: String { "leadership is lost: \(reason)" }
}

extension LeaderElection.Lease {
    init(_ lease: Lease) {
        self.init(
            uid: lease.version.uid, resourceVersion: lease.version.resourceVersion, holder: lease.holder,
            // What no server would take is not believed.
            duration: lease.durationSeconds.flatMap { $0 > 0 ? .seconds($0) : nil }, transitions: lease.transitions,
            renewTime: lease.renewTime, lastLedgerID: lease.annotations[Leadership.lastLedgerAnnotation])
    }
}

extension APIStatus {
    /// The Lease to be written is not there any more.
    fileprivate var isLeaseGone: Bool { provesAbsence(of: Leadership.leaseName, kind: .lease) }
}
