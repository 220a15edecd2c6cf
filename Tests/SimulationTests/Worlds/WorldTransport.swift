import ControlLoop
import HTTPTransport
import Ledger
import Simulation

/// The operator's network: both simulated servers, with the weather between.
struct WorldTransport: HTTPTransport {
    let world: SeededWorld
    let life: OperatorProcess.Life

    /// What befalls one call.
    enum Trouble {
        case none
        case lost(TransportError)
        case answered(SimulatedReply)
        case replyLost(TransportError)
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        world.count(life)
        guard life.isAlive else { throw .cancelled }
        world.note("#\(life.number) \(request.summary)")
        let request = world.withSmallPages(request)
        if request.isUpdate, !world.leading.contains(where: { $0.life === life }) {
            world.breaks("a write by a process that does not lead")
        }
        let sentAt = world.now
        if request.listsProfiles { life.beginListing() }
        defer { if request.listsProfiles { life.endListing() } }
        await world.interlude(.before(request))
        guard life.isAlive else { throw .cancelled }
        let trouble = world.trouble(of: request)
        if let limit = request.timeouts.whole, world.now.since(sentAt) > limit {
            world.note("  given up after \(limit)")
            throw .timeout("not over within \(limit)")
        }
        switch trouble {
        case .lost(let error):
            world.note("  lost: \(error)")
            throw error
        case .answered(let reply):
            world.note("  answered \(reply.status) on the way")
            return Self.response(reply)
        case .none, .replyLost: break
        }
        let response = try await effect(of: request)
        await world.interlude(.after(request))
        guard life.isAlive else { throw .cancelled }
        if case .replyLost(let error) = trouble {
            world.note("  reply lost: \(error)")
            throw error
        }
        return response
    }

    private func effect(of request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let before = request.isUpdate ? world.orchestrator.profiles : []
        life.keepLedger()
        let response = try await world.network.send(request)
        if request.isUpdate { world.judge(request, by: life, before: before) }
        if request.listsProfiles, response.status == 200 {
            let names = world.orchestrator.profiles.map { ($0.id, $0.name) }
            life.profileNames.withLock { $0 = Dictionary(uniqueKeysWithValues: names) }
        }
        guard request.isWatch, response.status == 200 else { return response }
        world.state.withLock {
            _ = $0.told[request.watchesLimits ? .velocloudLimit : .velocloudBP, default: []].insert(life.number)
        }
        return HTTPResponse(
            status: response.status, headers: response.headers,
            body: world.ragged(try await response.body.collect(), ofLimits: request.watchesLimits))
    }

    private static func response(_ reply: SimulatedReply) -> HTTPResponse {
        HTTPResponse(status: reply.status, headers: reply.headers, body: .whole(reply.body))
    }
}

extension HTTPBody {
    /// A body that comes in these pieces, and then ends or breaks.
    static func pieces(_ pieces: [[UInt8]], breaksWith error: TransportError? = nil) -> HTTPBody {
        let rest = Locked(pieces.filter { !$0.isEmpty }[...])
        return HTTPBody { () async throws(TransportError) in
            if let piece = rest.withLock({ $0.popFirst() }) { return piece }
            if let error { throw error }
            return nil
        }
    }

    static func whole(_ bytes: [UInt8]) -> HTTPBody { .pieces([bytes]) }
}

extension HTTPRequest {
    var isToOrchestrator: Bool { url.hasPrefix("https://vco.") }
    var isUpdate: Bool { url.hasSuffix("configuration/updateConfigurationModule") }
    var listsProfiles: Bool { url.contains("enterprise/getEnterpriseConfigurations") }
    var readsModule: Bool { url.hasSuffix("configuration/getConfigurationModules") }
    /// A read of the document, not of its version alone.
    var readsDocument: Bool { readsModule && !text.contains("noData") }
    var isWatch: Bool { url.contains("watch=") }
    var watchesLimits: Bool { isWatch && url.contains("velocloudlimits") }
    var isList: Bool { !isToOrchestrator && method == .get && url.contains("limit=") }
    var text: String { String(decoding: body ?? [], as: UTF8.self) }

    /// For the trace.
    var summary: String {
        let path = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true).last ?? ""
        let isLong = isUpdate || url.contains("/events")
        return "\(method.rawValue) \(path) \(isLong ? "" : text.prefix(300))"
    }
}

extension SeededWorld {
    var weather: Weather { state.withLock { $0.weather } }

    /// Pages as small as the weather has them, so that a list of a few resources has several.
    func withSmallPages(_ request: HTTPRequest) -> HTTPRequest {
        guard request.isList, weather.pageSize < 500 else { return request }
        var request = request
        request.url = request.url.split(separator: "limit=500", omittingEmptySubsequences: false)
            .joined(separator: "limit=\(weather.pageSize)")
        return request
    }

    /// Decides what goes wrong with a call.
    func trouble(of request: HTTPRequest) -> WorldTransport.Trouble {
        let weather = weather
        if chance(weather.slow) {
            let seconds = draw { Int64.random(in: 1...20, using: &$0) }
            note("  takes \(seconds) s")
            advance(to: now + .seconds(seconds))
        }
        if chance(weather.requestLost) {
            return .lost(
                one(of: [.connect("connection refused"), .broken("connection reset"), .timeout("no first byte")]))
        }
        if chance(weather.refused) {
            guard request.isToOrchestrator else { return .answered(APIFailure.tooManyRequests(retryAfter: 1).reply) }
            return .answered(SimulatedReply(status: 429, body: Array("{\"error\":{\"code\":429}}".utf8)))
        }
        if chance(weather.failing) {
            guard request.isToOrchestrator else { return .answered(APIFailure.serverError.reply) }
            let page = SimulatedReply(
                status: one(of: [500, 502, 503]), headers: [HTTPHeader("Content-Type", "text/html")],
                body: Array("<html>maintenance</html>".utf8))
            return .answered(page)
        }
        if chance(weather.replyLost) { return .replyLost(one(of: [.broken("connection reset"), .timeout("silence")])) }
        return .none
    }

    /// What arrives of a watch that the server has ended: perhaps in pieces, cut, with lines told twice, or with a
    /// bookmark at its end.
    func ragged(_ bytes: [UInt8], ofLimits isOfLimits: Bool) -> HTTPBody {
        var lines = bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
        if chance(300) {
            let bookmark =
                "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"\(isOfLimits ? "VelocloudLimit" : "VelocloudBP")\","
                + "\"apiVersion\":\"vcn.cloud/v1\","
                + "\"metadata\":{\"resourceVersion\":\"\(apiServer.resourceVersion)\"}}}\n"
            if !lines.contains(where: { String(decoding: $0, as: UTF8.self).hasPrefix("{\"type\":\"ERROR\"") }) {
                lines.append(Array(bookmark.utf8))
            }
        }
        guard chance(weather.raggedWatches) else { return .pieces(lines) }
        if chance(500), !lines.isEmpty {
            let again = one(of: lines.indices)
            note("  the watch tells \(lines.count - again) lines twice")
            lines += lines[again...]
        }
        let whole = Array(lines.joined())
        guard chance(500), !whole.isEmpty else { return .pieces(lines) }
        let cut = draw { Int.random(in: 0..<whole.count, using: &$0) }
        let middle = draw { Int.random(in: 0...cut, using: &$0) }
        note("  the watch breaks after \(cut) of \(whole.count) bytes")
        return .pieces([Array(whole[..<middle]), Array(whole[middle..<cut])], breaksWith: .broken("connection reset"))
    }
}
