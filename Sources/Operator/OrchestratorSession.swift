import ControlLoop
import HTTPTransport
import Orchestrator

/// Why a call to the VCO did not succeed, and when the next one makes sense.
struct SessionError: Error {
    let error: OrchestratorError
    /// Set while the gate is closed: no call is made before this.
    let retryAt: Instant?
    /// No call was made: the gate is closed for what an earlier call has told.
    var isRepeated = false
}

/// The profiles of the enterprise, as last listed.
struct ProfileDirectory: Sendable {
    var profiles: [ProfileSummary]
    var loadedAt: Instant
    /// The resync that the list was made for.
    var epoch: Int

    func named(_ name: String) -> [ProfileSummary] { profiles.filter { $0.name == name } }
    func with(id: Int) -> ProfileSummary? { profiles.first { $0.id == id } }
}

/// Every call to the VCO passes here: one gate for the whole process, one list of profiles for all workers.
final class OrchestratorSession: Sendable {
    private struct State {
        var gate: OutageGate
        var lastError: OrchestratorError?
        var directory: ProfileDirectory?
        var credentialGeneration: Int?
    }

    private let client: OrchestratorClient
    private let time: Time
    private let state: Locked<State>
    private let directoryTurn = CallLimiter(callsMax: 1)
    /// Called once when the VCO is back after an outage.
    private let onRelease: @Sendable () -> Void

    init(
        client: OrchestratorClient, gate: OutageGate, time: Time, onRelease: @escaping @Sendable () -> Void
    ) {
        self.client = client
        self.time = time
        self.onRelease = onRelease
        state = Locked(State(gate: gate))
    }

    /// Makes a call if the gate is open and the pass has time left, and tells the gate how it went.
    func call<Value: Sendable>(
        _ body: @Sendable (OrchestratorClient) async throws(OrchestratorError) -> Value
    ) async throws(SessionError) -> Value {
        if PassScope.isOver(after: PassScope.orchestratorTimeMax, now: time.now()) {
            // That says nothing about other profiles, so the gate is not told.
            let words = "its answers took more than \(PassScope.orchestratorTimeMax) in all"
            throw SessionError(error: .unreachable(words), retryAt: nil)
        }
        let admission = state.withLock { state in
            (state.gate.admit(now: time.now()), state.lastError)
        }
        if case .wait(let until) = admission.0 {
            let error = admission.1 ?? .unreachable("no call has succeeded yet")
            throw SessionError(error: error, retryAt: until, isRepeated: true)
        }
        do {
            let value = try await body(client)
            succeeded()
            return value
        } catch {
            throw failed(error)
        }
    }

    private func succeeded() {
        let isReleased = state.withLock { state in
            state.lastError = nil
            return state.gate.succeeded(now: time.now())
        }
        if isReleased { onRelease() }
    }

    private func failed(_ error: OrchestratorError) -> SessionError {
        let now = time.now()
        if Task.isCancelled {
            // We broke it off ourselves: that says nothing about the VCO.
            state.withLock { $0.gate.abandoned(now: now) }
            return SessionError(error: error, retryAt: now)
        }
        switch error {
        case .rejected, .failed:
            // The VCO answered: what it said concerns one request, not all of them.
            succeeded()
            return SessionError(error: error, retryAt: nil)
        case .unreadable, .outcomeUnknown:
            // Odd, but perhaps for this profile alone: it backs off, and nobody else is held up. Were the gate closed
            // for a lost update, each read that succeeds would open it and send the next one.
            state.withLock { $0.gate.abandoned(now: now) }
            return SessionError(error: error, retryAt: nil)
        case .unreachable:
            return closed(error, now) { $0.unreachable(now: now) }
        case .rateLimited(let retryAfter):
            return closed(error, now) { $0.rateLimited(now: now, retryAfter: retryAfter) }
        case .authentication, .permission:
            return closed(error, now) { $0.refused(now: now) }
        }
    }

    private func closed(
        _ error: OrchestratorError, _ now: Instant, _ close: @Sendable (inout OutageGate) -> Void
    ) -> SessionError {
        let retryAt = state.withLock { state in
            close(&state.gate)
            state.lastError = error
            guard case .wait(let until) = state.gate.admit(now: now) else {
                state.gate.abandoned(now: now)
                return now
            }
            return until
        }
        return SessionError(error: error, retryAt: retryAt)
    }

    /// The list of profiles, made anew once for each resync, or when it is older than `freshness`.
    func directory(
        epoch: Int, notOlderThan freshness: Instant? = nil
    ) async throws(SessionError) -> ProfileDirectory {
        guard await directoryTurn.acquire() else {
            throw SessionError(error: .unreachable("velokube is stopping"), retryAt: nil)
        }
        defer { directoryTurn.release() }
        if let known = state.withLock({ $0.directory }), known.epoch >= epoch,
            freshness.map({ known.loadedAt >= $0 }) ?? true
        {
            return known
        }
        let profiles = try await call { client throws(OrchestratorError) in try await client.profiles() }
        let fresh = ProfileDirectory(profiles: profiles, loadedAt: time.now(), epoch: epoch)
        state.withLock { $0.directory = fresh }
        return fresh
    }

    /// The ids of the profiles of that name, as far as known without a call.
    func lastKnownIDs(of name: String) -> Set<Int> {
        Set(state.withLock { $0.directory }?.named(name).map(\.id) ?? [])
    }

    /// Looks whether the token or the CA has changed; a change ends the wait for a better one at once.
    func checkCredentials() {
        let generation = client.credentialGeneration()
        let now = time.now()
        let isChanged = state.withLock { state in
            defer { state.credentialGeneration = generation }
            guard let known = state.credentialGeneration, known != generation else { return false }
            return state.gate.credentialChanged(now: now)
        }
        if isChanged { onRelease() }
    }
}
