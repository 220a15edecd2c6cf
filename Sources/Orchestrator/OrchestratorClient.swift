import BusinessPolicy
import HTTPTransport

/// The VCO as velokube uses it: five methods of the REST-like interface.
///
/// It decides nothing and repeats nothing. Every call ends in a value or in one `OrchestratorError`, whose case says
/// what the caller may do next. After a 429 it turns calls away by itself until the pause is over, because that limit
/// is the VCO's, not one profile's.
package final class OrchestratorClient: Sendable {
    /// How a call went: its method (`configuration/getConfiguration`), its `CallResult`, its nanoseconds. One for which
    /// there was no credential is told of too, though it was not sent: it is tried again and again like any other.
    package typealias CallObserver =
        @Sendable (_ method: String, _ result: String, _ duration: Int64) -> Void

    /// The VCO limits requests in flight; its own advice is a handful.
    package static let callsInFlightMax = 4
    /// Modules are hundreds of kilobytes at times; a reply larger than this is no module.
    package static let replyBytesMax = 64 << 20
    /// Reads: the VCO answers these from its database.
    static let readTimeouts = HTTPRequest.Timeouts(
        connect: .seconds(10), firstByte: .seconds(30), idle: .seconds(30), whole: .seconds(60))
    /// Updates: the VCO recomputes what hangs on a profile; giving up early costs an unknown outcome.
    static let updateTimeouts = HTTPRequest.Timeouts(
        connect: .seconds(10), firstByte: .seconds(60), idle: .seconds(30), whole: .seconds(120))

    private let configuration: OrchestratorConfiguration
    private let transport: any HTTPTransport
    private let now: @Sendable () -> Int64
    private let onCall: CallObserver
    private let credentials: Credentials
    private let limiter = CallLimiter(callsMax: callsInFlightMax)
    private let pause = Locked(CallPause())
    /// Which of the two lists of profiles worked last.
    private let listMethod = Locked(OrchestratorMethod.profiles)

    package init(
        configuration: OrchestratorConfiguration, transport: any HTTPTransport,
        now: @escaping @Sendable () -> Int64, onCall: @escaping CallObserver = { _, _, _ in }
    ) {
        self.configuration = configuration
        self.transport = transport
        self.now = now
        self.onCall = onCall
        self.credentials = Credentials(configuration, now: now)
    }

    /// A number that changes when the content of the token's or the CA's file has changed: what was refused before may
    /// be accepted now.
    package func credentialGeneration() -> Int {
        credentials.generation()
    }

    /// Looks at the files of the token and the CA again at the next call, however young what we have is.
    package func invalidateCredentials() {
        credentials.invalidate()
    }

    /// What `body` makes of the token; nil while there is none that can be used.
    package func withToken<Value>(_ body: (String) -> Value?) -> Value? {
        (try? credentials.current()).flatMap { body($0.token) }
    }
}

// MARK: - Methods

extension OrchestratorClient {
    /// Every profile of the enterprise.
    ///
    /// The documented method comes first, then the portal's own; the one that works is remembered.
    package func profiles() async throws(OrchestratorError) -> [ProfileSummary] {
        let first = listMethod.withLock { $0 }
        do {
            return try await profiles(by: first)
        } catch {
            guard Reply.suggestsAnotherMethod(error) else { throw error }
            let second: OrchestratorMethod = first == .profiles ? .profilesPolicies : .profiles
            let profiles: [ProfileSummary]
            do {
                profiles = try await self.profiles(by: second)
            } catch let other {
                // Both refused: the first refusal is the one to act on. Any other trouble is worth a retry.
                throw Reply.suggestsAnotherMethod(other) ? error : other
            }
            listMethod.withLock { $0 = second }
            return profiles
        }
    }

    /// One profile by its id; nil when the VCO says that there is none.
    package func profile(id: Int) async throws(OrchestratorError) -> ProfileSummary? {
        let answer: Answer
        do {
            answer = try await call(.profile, [.init("id", .int(id))])
        } catch {
            guard Self.saysAbsent(error) else { throw error }
            return nil
        }
        guard !answer.json.isNothing else { return nil }
        let profile = try answer.profile(answer.json)
        guard profile.id == id else {
            throw .unreadable(answer.wording("answered with profile \(profile.id) when asked for \(id)"))
        }
        return profile
    }

    /// The cheap read of a profile's QOS module, without the document; nil when it has none.
    package func moduleSummary(profileID: Int) async throws(OrchestratorError) -> ModuleSummary? {
        let answer = try await call(.modules, Self.moduleQuery(profileID) + [.init("noData", .bool(true))])
        return try answer.module(ofProfile: profileID)?.summary
    }

    /// A profile's QOS module with its document byte for byte; nil when it has none.
    package func module(profileID: Int) async throws(OrchestratorError) -> QOSModule? {
        let answer = try await call(.modules, Self.moduleQuery(profileID))
        guard let found = try answer.module(ofProfile: profileID) else { return nil }
        let data = try answer.data(at: found.index)
        return QOSModule(id: found.summary.id, version: found.summary.version, data: data)
    }

    /// Says, when it is asked, how long a write may take that begins now; nil if none may begin any more.
    package typealias WritePermit = @Sendable () -> Duration?

    /// Replaces the document of a QOS module, once, on a connection of its own; never repeated here.
    ///
    /// `permit` is asked when nothing but the sending is left to do, however long the call has waited for its turn.
    ///
    /// Only `outcomeUnknown` leaves open whether it happened. `unreachable` and `rateLimited` mean that it did not.
    package func update(
        moduleID: Int, data: [UInt8], permit: WritePermit? = nil
    ) async throws(OrchestratorError) {
        var body = Array("{\"id\":\(moduleID),".utf8)
        if let enterpriseID = configuration.enterpriseID {
            body += "\"enterpriseId\":\(enterpriseID),".utf8
        }
        body += "\"_update\":{\"data\":".utf8
        body += data
        body += "}}".utf8
        _ = try await call(.updateModule, body: body, permit: permit)
    }

    private func profiles(by method: OrchestratorMethod) async throws(OrchestratorError) -> [ProfileSummary] {
        let answer = try await call(method, [])
        guard let elements = answer.json.array else {
            throw .unreadable(answer.wording("answered with no list of profiles. Check --vco-url"))
        }
        var profiles: [ProfileSummary] = []
        profiles.reserveCapacity(elements.count)
        for element in elements {
            // One that cannot be read must not look like one that is gone.
            profiles.append(try answer.profile(element))
        }
        return profiles
    }

    private static func moduleQuery(_ profileID: Int) -> [JSON.Member] {
        [.init("configurationId", .int(profileID)), .init("modules", .array([.string("QOS")]))]
    }

    /// Some releases may answer 400 instead of `null` to an unknown id; only words to that effect count.
    private static func saysAbsent(_ error: OrchestratorError) -> Bool {
        guard case .rejected(let message, let faults) = error, faults.isEmpty else { return false }
        let text = message.lowercased()
        return text.contains("not found") || text.contains("does not exist")
    }
}

// MARK: - One call

extension OrchestratorClient {
    private func call(_ method: OrchestratorMethod, _ members: [JSON.Member]) async throws(OrchestratorError) -> Answer
    {
        var members = members
        if let enterpriseID = configuration.enterpriseID {
            members.append(.init("enterpriseId", .int(enterpriseID)))
        }
        return try await call(method, body: JSON.object(members).serialized())
    }

    private func call(
        _ method: OrchestratorMethod, body: [UInt8], permit: WritePermit? = nil
    ) async throws(OrchestratorError) -> Answer {
        var wording = Wording(host: configuration.address.authority, method: method, token: "")
        guard await limiter.acquire() else {
            throw .unreachable(wording("was cancelled before it was sent"))
        }
        defer { limiter.release() }
        if let remaining = pause.withLock({ $0.remaining(now: now()) }) {
            throw .rateLimited(retryAfter: remaining)
        }
        let current: Credentials.Current
        do {
            current = try credentials.current()
        } catch {
            onCall(method.rawValue, CallResult.noCredential.rawValue, 0)
            throw .authentication(wording(error.words))
        }
        wording.token = current.token
        var request = request(method, body, current)
        if let permit {
            guard let limit = permit() else {
                throw .unreachable(wording("was not sent: another process may lead by now"))
            }
            request.timeouts.whole = request.timeouts.whole.map { min($0, limit) } ?? limit
        }
        let start = now()
        do {
            let reply = try await exchange(request, wording)
            let answer = Answer(json: try reply.result(wording), body: reply.body, wording: wording)
            onCall(method.rawValue, CallResult.ok.rawValue, now() - start)
            return answer
        } catch {
            note(error)
            onCall(method.rawValue, CallResult(error).rawValue, now() - start)
            throw error
        }
    }

    private func request(
        _ method: OrchestratorMethod, _ body: [UInt8], _ current: Credentials.Current
    ) -> HTTPRequest {
        HTTPRequest(
            .post, url: configuration.address.base + "/" + method.rawValue,
            headers: [
                HTTPHeader("Authorization", "Token " + current.token),
                HTTPHeader("Content-Type", "application/json"),
                HTTPHeader("Accept", "application/json"),
            ],
            body: body, timeouts: method.isUpdate ? Self.updateTimeouts : Self.readTimeouts,
            bodyBytesMax: Self.replyBytesMax, security: .init(authorities: current.authorities),
            usesFreshConnection: method.isUpdate)
    }

    private func exchange(_ request: HTTPRequest, _ wording: Wording) async throws(OrchestratorError) -> Reply {
        let response: HTTPResponse
        do {
            response = try await transport.send(request)
        } catch {
            throw wording.lost(error, isCertainlyUnsent: error.isCertainlyUnsent)
        }
        var reply = Reply(status: response.status, headers: response.headers, body: [])
        do {
            reply.body = try await response.body.collect()
        } catch {
            guard reply.isDecidedByStatus else { throw wording.lost(error, isCertainlyUnsent: false) }
        }
        return reply
    }

    /// What one call's failure means for the ones after it.
    private func note(_ error: OrchestratorError) {
        switch error {
        case .rateLimited(let retryAfter):
            pause.withLock { $0.begin(now: now(), retryAfter: retryAfter) }
        case .authentication:
            credentials.invalidate()
        case .unreachable, .permission, .rejected, .failed, .outcomeUnknown, .unreadable:
            break
        }
    }
}
