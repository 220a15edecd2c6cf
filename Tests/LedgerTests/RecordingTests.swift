import BusinessPolicy
import Testing

@testable import Ledger

@Suite struct RecordingTests {
    let folder = TemporaryFolder()

    /// What was committed is there after closing and opening, to the last byte.
    @Test func everythingComesBack() async throws {
        let ledger = try await open(folder.ledger)
        for number in 1...6 { try await ledger.commit(mixedBatch(number)) }
        let before = try await Everything(ledger)
        await ledger.close()

        let again = try await open(folder.ledger)
        #expect(try await Everything(again) == before)
        #expect(await again.opening == .existing)
        #expect(await again.id == ledger.id)
        #expect(before.rules.contains(rule(6)))
        #expect(before.profiles.map(\.id) == [5, 6])
        #expect(before.journal.first == entry(6))
        #expect(before.conditions[4] == nil && before.conditions[5] == document(5))
        #expect(before.watchVersion == "6")
    }

    /// Memory says the same before a restart as after it.
    @Test func memoryIsTheSameAfterOpening() async throws {
        let ledger = try await open(folder.ledger)
        for number in 1...6 { try await ledger.commit(mixedBatch(number)) }
        let before = await ledger.allRules()
        await ledger.close()
        #expect(await ledger.allRules() == before)
        let again = try await open(folder.ledger)
        #expect(await again.allRules() == before)
        #expect(await again.rules(onProfile: 2) == before.filter { $0.place.profileID == 2 })
        #expect(await again.rules(ownedBy: "uid-6") == before.filter { $0.owner.uid == "uid-6" })
    }

    /// A ledger that starts over forgets all that could be out of date, keeps its name and its history, and goes on.
    @Test func startingOverKeepsHistoryAlone() async throws {
        let ledger = try await open(folder.ledger)
        for number in 1...6 { try await ledger.commit(mixedBatch(number)) }
        let id = await ledger.id
        let before = try await Everything(ledger)
        try await ledger.startOver()

        var expected = before
        (expected.rules, expected.profiles, expected.watchVersion) = ([], [], nil)
        expected.conditions = expected.conditions.map { _ in nil }
        #expect(try await Everything(ledger) == expected)
        #expect(before.firstTouches.contains { $0 != nil } && !before.journal.isEmpty && !before.rules.isEmpty)

        try await ledger.commit(mixedBatch(7))
        let after = try await Everything(ledger)
        await ledger.close()
        let again = try await open(folder.ledger)
        #expect(try await Everything(again) == after)
        #expect(await again.id == id)
        #expect(after.rules.contains(rule(7)) && after.journal.count == before.journal.count + 1)
    }

    /// A record may have nothing but a place and an owner: that is what is known when the ledger was lost.
    @Test func bareRecordComesBack() async throws {
        let bare = OwnedRule(
            place: RulePlace(profileID: 3, segmentID: 0, name: ""), owner: Owner(namespace: "", name: "", uid: ""),
            profileName: "", segmentName: "", wanted: nil, order: 0)
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [bare]))
        await ledger.close()
        #expect(try await open(folder.ledger).allRules() == [bare])
    }

    /// Names are kept as they are, with quotes, zero bytes and any script.
    @Test(arguments: ["a'b\"c;--", "a\0b", "Ünïcödé 🛰", "-1", "  ", "?1"])
    func oddNamesComeBack(name: String) async throws {
        var odd = rule(1)
        odd.place.name = name
        odd.owner.uid = name
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [odd]))
        await ledger.close()
        let again = try await open(folder.ledger)
        #expect(try await again.storedRule(at: odd.place) == odd)
        #expect(await again.rules(ownedBy: name).count == 1)
        try await again.commit(LedgerBatch(removals: [odd.place]))
        await again.close()
        #expect(try await open(folder.ledger).allRules() == [])
    }

    /// Two spellings of one name in Unicode are one rule, in memory as in the file.
    @Test func equalNamesAreOneRule() async throws {
        var composed = rule(1)
        composed.place.name = "caf\u{e9}"
        var decomposed = composed
        decomposed.place.name = "cafe\u{301}"
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [composed]))
        try await ledger.commit(LedgerBatch(upserts: [decomposed]))
        await ledger.close()
        let again = try await open(folder.ledger)
        #expect(await again.allRules().map { Array($0.place.name.utf8) } == [Array(decomposed.place.name.utf8)])
        try await again.commit(LedgerBatch(removals: [composed.place]))
        await again.close()
        #expect(try await open(folder.ledger).allRules() == [])
    }

    /// A rule read from memory and written back loses nothing of what memory does not hold.
    @Test func shortFormDoesNotWipeTheFull() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [rule(1)]))
        var read = try #require(await ledger.allRules().first)
        #expect(read.sent == nil)
        #expect(read.readBack == .object([JSON.Member("ruleLogicalId", .string("id-1"))]))
        read.intent = .delete
        try await ledger.commit(LedgerBatch(upserts: [read]))

        var expected = rule(1)
        expected.intent = .delete
        #expect(try await ledger.storedRule(at: read.place) == expected)
    }

    /// A new read-back replaces the old one, and a read-back of nothing takes it away.
    @Test func readBackIsReplacedOrCleared() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [rule(1)]))
        var changed = rule(1)
        changed.readBack = document(2)
        changed.sent = document(3)
        try await ledger.commit(LedgerBatch(upserts: [changed]))
        #expect(try await ledger.storedRule(at: changed.place) == changed)
        changed.readBack = nil
        try await ledger.commit(LedgerBatch(upserts: [changed]))
        #expect(try await ledger.storedRule(at: changed.place) == changed)
    }

    /// A removed rule leaves nothing behind that a new one in its place could inherit.
    @Test func newRuleInAnOldPlaceIsNew() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [rule(1)]))
        var fresh = rule(1, uid: "another")
        fresh.sent = nil
        fresh.readBack = rule(1).short.readBack
        try await ledger.commit(LedgerBatch(upserts: [fresh], removals: [fresh.place]))
        #expect(try await ledger.storedRule(at: fresh.place) == fresh)
        #expect(await ledger.rules(ownedBy: "uid-1") == [])
        #expect(await ledger.rules(ownedBy: "another").count == 1)
    }

    /// Reads are sorted, whatever order things were written in.
    @Test func readsAreSorted() async throws {
        let ledger = try await open(folder.ledger)
        var rules = (1...20).map { rule($0, profile: $0 % 3, uid: "one") }
        rules.reverse()
        try await ledger.commit(LedgerBatch(upserts: rules))
        let all = await ledger.allRules()
        let keys = all.map { [String($0.place.profileID), String($0.place.segmentID), $0.place.name] }
        #expect(keys.count == 20)
        #expect(keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(await ledger.rules(ownedBy: "one") == all)
        #expect(await ledger.rules(onProfile: 1) == all.filter { $0.place.profileID == 1 })
    }

    /// Equal templates are one document in the file, and it goes with the last rule that uses it.
    @Test func templatesAreShared() async throws {
        let ledger = try await open(folder.ledger)
        var other = rule(9)
        other.template = document(99)
        try await ledger.commit(LedgerBatch(upserts: (1...8).map { rule($0) } + [other]))
        #expect(try documents() == 2)
        try await ledger.commit(LedgerBatch(removals: [other.place]))
        #expect(try documents() == 1)
        // The same template once more: it must come back under whatever number it then has.
        try await ledger.commit(LedgerBatch(upserts: [other]))
        var changed = rule(1)
        changed.template = document(99)
        try await ledger.commit(LedgerBatch(upserts: [changed]))
        #expect(try documents() == 2)
        #expect(try await ledger.storedRule(at: changed.place) == changed)
        try await ledger.commit(LedgerBatch(removals: (1...9).map { rule($0).place }))
        #expect(try documents() == 0)
    }

    /// The first copy of a module is the one that stays.
    @Test func firstTouchIsKept() async throws {
        let first = ModuleCopy(moduleID: 4, at: 1, version: "1", bytes: Array("{ }".utf8))
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(firstTouch: first))
        try await ledger.commit(LedgerBatch(firstTouch: ModuleCopy(moduleID: 4, at: 2, version: "2", bytes: [])))
        #expect(try await ledger.firstTouch(moduleID: 4) == first)
        #expect(try await ledger.firstTouch(moduleID: 5) == nil)
    }

    /// A thousand rules are one transaction: the WAL has one commit mark more.
    @Test func aThousandRulesAreOneTransaction() async throws {
        let ledger = try await open(folder.ledger)
        try await ledger.commit(LedgerBatch(upserts: [rule(0)]))
        let marks = commitMarks()
        try await ledger.commit(LedgerBatch(upserts: (1...1000).map { rule($0) }))
        #expect(commitMarks() == marks + 1)
        #expect(await ledger.commitCount == 2)
        #expect(await ledger.allRules().count == 1001)
    }

    /// Nothing to record is no write.
    @Test func emptyBatchCostsNothing() async throws {
        let ledger = try await open(folder.ledger)
        let before = contents(of: folder.ledger + "-wal")
        try await ledger.commit(LedgerBatch())
        #expect(await ledger.commitCount == 0)
        #expect(contents(of: folder.ledger + "-wal") == before)
    }

    /// Many tasks may call at once; what each committed is there.
    @Test func callersMayComeAtOnce() async throws {
        let ledger = try await open(folder.ledger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await ledger.commit(LedgerBatch(upserts: [rule(number)]))
                    _ = await ledger.rules(onProfile: 1)
                }
            }
            try await group.waitForAll()
        }
        #expect(await ledger.allRules().count == 200)
        #expect(await ledger.commitCount == 200)
    }

    /// Counts documents over a second connection, as anybody could.
    private func documents() throws -> Int? {
        try Connection(path: folder.ledger).number("SELECT COUNT(*) FROM document")
    }

    /// How many frames of the WAL end a transaction: their header's second word is not zero.
    private func commitMarks() -> Int {
        guard let wal = contents(of: folder.ledger + "-wal") else { return 0 }
        return stride(from: 32, to: wal.count - 24, by: 24 + 4096).count { wal[$0 + 4..<$0 + 8].contains { $0 != 0 } }
    }
}
