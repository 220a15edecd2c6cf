import HTTPTransport

import enum BusinessPolicy.JSON

/// A VeloCloud Orchestrator without a network: both of its interfaces over one method table, seeded from the fixtures.
///
/// It reads no clock and draws no random number: the time comes in with each call, so that a run can be replayed.
package final class OrchestratorSimulator: Sendable {
    private let core: Locked<OrchestratorCore>
    private let isNetworkBasedSeeded: Bool

    /// A VCO as it is delivered; `token` nil takes any token that is not empty.
    package init(token: String? = nil, modes: OrchestratorModes = .init(), includingNetworkBased: Bool = false) {
        isNetworkBasedSeeded = includingNetworkBased
        var core = OrchestratorCore(state: OrchestratorState(includingNetworkBased: includingNetworkBased))
        core.token = token
        core.modes = modes
        self.core = Locked(core)
    }

    /// How a call ends.
    package enum Answer: Hashable, Sendable {
        case reply(SimulatedReply)
        /// The connection ends without a byte of an answer.
        case drop

        /// The reply, if there is one.
        package var reply: SimulatedReply? {
            if case .reply(let reply) = self { reply } else { nil }
        }
    }

    /// A call that has arrived and waits for its latency; it must be finished, or it counts as in flight for ever.
    package struct Ticket: Sendable {
        fileprivate var arrival: OrchestratorCore.Arrival
        /// How long it takes.
        package var latency: Duration { .milliseconds(arrival.latency) }
        /// The full name of the method, or `-`.
        package var method: String { arrival.call.method }
    }

    /// Takes a request in: quota and faults are decided now, the work is done by `finish`.
    package func begin(_ request: SimulatedRequest, now: Int64) -> Ticket {
        core.withLock { Ticket(arrival: $0.begin(request, now: now)) }
    }

    /// Does the work of a call and answers it.
    package func finish(_ ticket: Ticket, now: Int64) -> Answer {
        core.withLock { $0.finish(ticket.arrival, now: now) }
    }

    /// Both steps at once, for callers that do not wait.
    package func answer(_ request: SimulatedRequest, now: Int64) -> Answer {
        finish(begin(request, now: now), now: now)
    }
}

/// What tests and the control endpoint do to it.
extension OrchestratorSimulator {
    /// How it behaves.
    package var modes: OrchestratorModes {
        get { core.withLock { $0.modes } }
        set { core.withLock { $0.modes = newValue } }
    }

    /// The one token that is right; nil takes any that is not empty.
    package func setToken(_ token: String?) {
        core.withLock { $0.token = token }
    }

    /// Lets a fault befall coming calls.
    package func inject(_ rule: FaultRule) {
        core.withLock { $0.faults.add(rule) }
    }

    /// Lets a fault befall the next calls, of one method or of any; `calls` nil until the faults are cleared.
    package func inject(_ fault: OrchestratorFault, method: String? = nil, calls: Int? = 1, skipping: Int = 0) {
        inject(FaultRule(fault, method: method, calls: calls, skipping: skipping))
    }

    package func clearFaults() {
        core.withLock { $0.faults.clear() }
    }

    /// Faults that still wait for their calls.
    package var faults: [FaultRule] {
        core.withLock { $0.faults.rules }
    }

    /// Does something in the portal now. With `isQuiet` the document changes though `version` stays.
    package func edit(_ edit: PortalEdit, isQuiet: Bool = false, now: Int64) throws(PortalEdit.Failure) {
        try core.withLock { core throws(PortalEdit.Failure) in
            try core.state.apply(edit, isQuiet: isQuiet, now: now)
        }
    }

    /// Does something in the portal just before the next call of a method takes effect; left out if it cannot be done.
    package func edit(_ edit: PortalEdit, isQuiet: Bool = false, beforeNext method: String) {
        core.withLock { $0.pendingEdits.append((method, edit, isQuiet)) }
    }

    /// Everything as it was delivered, with the default modes, no faults and an empty log; the token stays.
    package func reset() {
        core.withLock { core in
            var fresh = OrchestratorCore(state: OrchestratorState(includingNetworkBased: isNetworkBasedSeeded))
            fresh.token = core.token
            // Calls in flight are still to be finished.
            fresh.limiter = core.limiter
            core = fresh
        }
    }

    /// What it was asked so far.
    package var log: CallLog {
        core.withLock { $0.log }
    }

    package func clearLog() {
        core.withLock { $0.log = CallLog() }
    }

    /// Its profiles, as they are.
    package var profiles: [ProfileView] {
        core.withLock { $0.state.profiles.map { ProfileView($0) } }
    }

    /// One profile, as it is.
    package func profile(_ key: ProfileKey) -> ProfileView? {
        core.withLock { core in core.state.index(of: key).map { ProfileView(core.state.profiles[$0]) } }
    }
}
