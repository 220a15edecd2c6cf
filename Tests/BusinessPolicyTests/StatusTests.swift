import BusinessPolicy
import Testing

@Suite struct StatusTests {
    static let rule = Status.RuleReference(profile: "P", segment: "S", name: "n", moduleVersion: "100")
    static let programmed = Verdict(acceptance: .accepted(warnings: []), programming: .programmed(rule))

    static func status(
        _ verdict: Verdict, after old: Status = Status(), generation: Int = 1, handled: String? = nil,
        now: String = "t1"
    ) -> Status {
        old.updated(by: verdict, generation: generation, handledReconcileAt: handled, now: now)
    }

    static func refused(
        _ reason: Verdict.RefusalReason, _ programming: Verdict.Programming = .unchanged(rule: nil)
    ) -> Verdict {
        Verdict(acceptance: .refused(reason, message: "why"), programming: programming)
    }

    static func waiting(
        _ reason: Verdict.WaitReason, message: String = "why", rule: Status.RuleReference? = nil
    ) -> Verdict {
        Verdict(
            acceptance: .accepted(warnings: []), programming: .waiting(reason, message: message, rule: rule))
    }

    // A rule that was read back makes all three conditions true, for this generation, and nothing stalled.
    @Test func programmedRuleIsReady() {
        let status = Self.status(Self.programmed, generation: 4)
        #expect(status.summary == ["Accepted=True/Accepted", "Programmed=True/Programmed", "Ready=True/Ready"])
        #expect(status.observedGeneration == 4 && status.conditions.allSatisfy { $0.observedGeneration == 4 })
        #expect(status.rule?.programmedAt == "t1" && status.rule?.moduleVersion == "100")
        #expect(status.conditions.allSatisfy { $0.lastTransitionTime == "t1" && !$0.message.isEmpty })
    }

    // The same verdict again, later and with a module version moved by somebody else, changes nothing.
    @Test func nothingNewGivesTheSameStatus() {
        let first = Self.status(Self.programmed, handled: "h")
        var moved = Self.rule
        moved.moduleVersion = "200"
        let verdict = Verdict(acceptance: .accepted(warnings: []), programming: .programmed(moved))
        #expect(Self.status(verdict, after: first, handled: "h", now: "t2") == first)
        #expect(Self.status(verdict, after: first, handled: nil, now: "t2") == first)
        for verdict in [Self.waiting(.unreachable), Self.refused(.invalidSpec), Self.refused(.paused)] {
            let once = Self.status(verdict, after: first, now: "t2")
            #expect(Self.status(verdict, after: once, now: "t3") == once)
        }
    }

    // A new generation that is read back in the same place is a new success: its own time and version.
    @Test func newGenerationHasItsOwnTime() {
        let first = Self.status(Self.programmed)
        var moved = Self.rule
        moved.moduleVersion = "200"
        let verdict = Verdict(acceptance: .accepted(warnings: []), programming: .programmed(moved))
        let second = Self.status(verdict, after: first, generation: 2, now: "t2")
        #expect(second.rule?.programmedAt == "t2" && second.rule?.moduleVersion == "200")
        #expect(second.conditions.allSatisfy { $0.lastTransitionTime == "t1" })
        var elsewhere = moved
        elsewhere.segment = "T"
        let third = Self.status(
            Verdict(acceptance: .accepted(warnings: []), programming: .programmed(elsewhere)), after: second,
            generation: 2, now: "t3")
        #expect(third.rule?.programmedAt == "t3")
    }

    // Drift that is healed does not forget when the generation was first programmed.
    @Test func driftKeepsTheFirstTime() {
        let first = Self.status(Self.programmed)
        let drifted = Self.status(Self.waiting(.drifted, rule: Self.rule), after: first, now: "t2")
        #expect(drifted.summary.last == "Ready=False/Drifted" && drifted.rule?.programmedAt == "t1")
        let healed = Self.status(Self.programmed, after: drifted, now: "t3")
        #expect(healed.rule?.programmedAt == "t1")
        #expect(healed.condition(.programmed)?.lastTransitionTime == "t3")
        #expect(healed.condition(.accepted)?.lastTransitionTime == "t1")
    }

    // A rule that still stands under an older spec is named, but not as programmed for this generation.
    @Test func waitingForANewGenerationHasNoTime() {
        let first = Self.status(Self.programmed)
        let bare = Status.RuleReference(profile: "P", segment: "S", name: "n")
        let waiting = Self.status(Self.waiting(.pending, rule: bare), after: first, generation: 2, now: "t2")
        #expect(waiting.rule == bare)
        #expect(Self.status(Self.programmed, after: waiting, generation: 2, now: "t3").rule?.programmedAt == "t3")
    }

    // Whatever is in the way names itself in Ready, what stands first first; what a human must mend is stalled.
    @Test(arguments: Verdict.RefusalReason.allCases)
    func refusalIsTheFirstReason(_ reason: Verdict.RefusalReason) {
        let status = Self.status(Self.refused(reason, .waiting(.unreachable, message: "down", rule: nil)))
        let stalled = reason == .paused ? [] : ["Stalled=True/\(reason.rawValue)"]
        #expect(
            status.summary == [
                "Accepted=False/\(reason.rawValue)", "Programmed=False/Unreachable", "Ready=False/\(reason.rawValue)",
            ] + stalled)
        #expect(status.condition(.ready)?.message == "why")
        #expect(status.condition(.stalled)?.message == (reason == .paused ? nil : "why"))
    }

    // The same for what keeps the rule from the VCO; only what time does not mend is stalled.
    @Test(arguments: Verdict.WaitReason.allCases)
    func waitIsTheReason(_ reason: Verdict.WaitReason) {
        let status = Self.status(Self.waiting(reason))
        let isStalled = [.profileNotFound, .segmentNotFound, .rejectedByOrchestrator, .authFailed].contains(reason)
        #expect(
            status.summary == [
                "Accepted=True/Accepted", "Programmed=False/\(reason.rawValue)", "Ready=False/\(reason.rawValue)",
            ] + (isStalled ? ["Stalled=True/\(reason.rawValue)"] : []))
    }

    // Stalled goes when the reason goes.
    @Test func stalledGoes() {
        let stalled = Self.status(Self.refused(.nameConflict))
        #expect(stalled.condition(.stalled) != nil)
        #expect(Self.status(Self.programmed, after: stalled).condition(.stalled) == nil)
    }

    // A refused resource that never had a rule waits for its acceptance.
    @Test func refusedResourceWaits() {
        for programming in [Verdict.Programming.unchanged(rule: nil), .waiting(.pending, message: "", rule: nil)] {
            let status = Self.status(Self.refused(.invalidSpec, programming))
            #expect(status.condition(.programmed)?.reason == "Pending")
            #expect(status.condition(.programmed)?.message == "Waits for Accepted: why")
            #expect(status.rule == nil)
        }
    }

    // Pausing keeps Programmed and the rule as they were.
    @Test func pausingKeepsProgrammed() {
        let first = Self.status(Self.programmed)
        let paused = Self.status(
            Self.refused(.paused, .unchanged(rule: first.rule)), after: first, generation: 2, now: "t2")
        #expect(paused.condition(.programmed) == first.condition(.programmed) && paused.rule == first.rule)
        #expect(paused.summary == ["Accepted=False/Paused", "Programmed=True/Programmed", "Ready=False/Paused"])
        #expect(paused.observedGeneration == 2)
    }

    // An outage after success leaves a resource ready; a new generation is not ready by its predecessor's success.
    @Test func oldSuccessIsNotNewReadiness() {
        let first = Self.status(Self.programmed)
        let same = Verdict(acceptance: .accepted(warnings: []), programming: .unchanged(rule: first.rule))
        #expect(Self.status(same, after: first, now: "t2") == first)
        let second = Self.status(same, after: first, generation: 2, now: "t2")
        #expect(second.condition(.programmed) == first.condition(.programmed))
        #expect(second.condition(.ready)?.isTrue == false && second.condition(.ready)?.reason == "Pending")
        let rejected = Self.status(Self.waiting(.rejectedByOrchestrator))
        #expect(Self.status(same, after: rejected, generation: 2).condition(.stalled) == nil)
        #expect(Self.status(same, after: rejected).condition(.stalled) != nil)
    }

    // Warnings are read where people look: in Accepted and in Ready.
    @Test func warningsAreShown() {
        let verdict = Verdict(acceptance: .accepted(warnings: ["mind this"]), programming: .programmed(Self.rule))
        let status = Self.status(verdict)
        #expect(status.condition(.accepted)?.message.contains("Warning: mind this.") == true)
        #expect(status.condition(.ready)?.message.contains("Warning: mind this.") == true)
    }

    // Messages are capped, and a capped one stays equal to itself.
    @Test func messagesAreCapped() {
        let verdict = Self.waiting(.rejectedByOrchestrator, message: String(repeating: "é", count: 5000))
        let status = Self.status(verdict)
        #expect(status.conditions.allSatisfy { $0.message.unicodeScalars.count <= 1024 })
        #expect(status.condition(.programmed)?.message.hasSuffix("é…") == true)
        #expect(Self.status(verdict, after: status, now: "t2") == status)
    }

    // What is written is read back the same, and what is not set is taken away by the patch.
    @Test func jsonRoundTrips() throws {
        #expect(
            Status().json.serializedText()
                == #"{"observedGeneration":null,"rule":null,"conditions":[],"lastHandledReconcileAt":null}"#)
        var adopted = Self.rule
        adopted.isAdopted = true
        for verdict in [
            Self.programmed, Self.refused(.foreignRule), Self.waiting(.pending, rule: adopted),
            Verdict(acceptance: .accepted(warnings: []), programming: .programmed(adopted)),
        ] {
            let status = Self.status(verdict, handled: "h")
            #expect(Status(json: try JSON.parse(status.json.serialized())) == status)
        }
        let json = Self.status(Self.programmed).json
        #expect(json["rule"]?["adopted"] == .null && json["conditions"]?[0]?["status"] == .string("True"))
    }

    // A status in odd shape never fails: what cannot be read is dropped, the rest is kept and put in order.
    @Test func oddStatusIsReadLeniently() throws {
        let status = Status(
            json: try parse(
                #"""
                {"observedGeneration":"1","rule":{"profile":"P"},"conditions":[1,{"type":"Ready","status":"True"},
                {"type":"Mine","status":"True"},{"type":"Accepted","status":"Unknown","reason":5}],
                "lastHandledReconcileAt":3}
                """#))
        #expect(status.observedGeneration == nil && status.rule == nil && status.lastHandledReconcileAt == nil)
        #expect(status.summary == ["Accepted=False/", "Ready=True/"])
        for odd in ["null", "[]", "3", #"{"conditions":{}}"#] { #expect(Status(json: try parse(odd)) == Status()) }
        #expect(Status(json: nil) == Status())
    }
}

extension Status {
    var summary: [String] {
        conditions.map { "\($0.type.rawValue)=\($0.isTrue ? "True" : "False")/\($0.reason)" }
    }
}
