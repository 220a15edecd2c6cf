import BusinessPolicy

/// What is to be recorded together: all of it, or nothing.
///
/// Within one batch removals come before upserts and forgotten profiles before profiles, so that a rule can move.
package struct LedgerBatch: Hashable, Sendable {
    /// Records to make or replace, by place; the last one counts when a place is given twice.
    package var upserts: [OwnedRule]
    package var removals: [RulePlace]
    package var profiles: [ProfileRecord]
    /// Profiles whose record goes; rules recorded on them are not touched.
    package var forgottenProfiles: [Int]
    package var journal: [JournalEntry]
    /// Kept only if this module has no copy yet.
    package var firstTouch: ModuleCopy?
    package var conditions: [ConditionRecord]
    /// nil leaves the recorded one as it is.
    package var watchVersion: String?

    package init(
        upserts: [OwnedRule] = [], removals: [RulePlace] = [], profiles: [ProfileRecord] = [],
        forgottenProfiles: [Int] = [], journal: [JournalEntry] = [], firstTouch: ModuleCopy? = nil,
        conditions: [ConditionRecord] = [], watchVersion: String? = nil
    ) {
        self.upserts = upserts
        self.removals = removals
        self.profiles = profiles
        self.forgottenProfiles = forgottenProfiles
        self.journal = journal
        self.firstTouch = firstTouch
        self.conditions = conditions
        self.watchVersion = watchVersion
    }

    /// Nothing to record, so no reason to touch the disk.
    package var isEmpty: Bool { self == LedgerBatch() }
}

/// What is known of a profile from one resync to the next.
package struct ProfileRecord: Hashable, Sendable {
    package var id: Int
    /// As last seen; people may rename it.
    package var name: String
    /// Its QOS module.
    package var moduleID: Int?
    /// The module's `version` when everything wanted was last seen in place; nil when something is owed.
    package var settledVersion: String?
    /// Resyncs in a row that did not find the profile.
    package var missingStrikes: Int

    package init(
        id: Int, name: String, moduleID: Int? = nil, settledVersion: String? = nil, missingStrikes: Int = 0
    ) {
        self.id = id
        self.name = name
        self.moduleID = moduleID
        self.settledVersion = settledVersion
        self.missingStrikes = missingStrikes
    }
}

/// One change that velokube made to one rule on the VCO, for people who ask later.
package struct JournalEntry: Hashable, Sendable {
    /// Wall clock, milliseconds since 1970 UTC.
    package var at: Int64
    package var place: RulePlace
    package var profileName: String
    /// On whose behalf; nil where nobody was left.
    package var owner: Owner?
    package var kind: Change.Kind
    package var reason: String
    /// The rule on the VCO before the change; nil when there was none.
    package var before: JSON?
    /// And after it; nil when it went.
    package var after: JSON?

    package init(
        at: Int64, place: RulePlace, profileName: String, owner: Owner?, kind: Change.Kind, reason: String,
        before: JSON?, after: JSON?
    ) {
        self.at = at
        self.place = place
        self.profileName = profileName
        self.owner = owner
        self.kind = kind
        self.reason = reason
        self.before = before
        self.after = after
    }
}

/// A QOS module byte for byte as it was before velokube first wrote it; never pruned.
package struct ModuleCopy: Hashable, Sendable {
    package var moduleID: Int
    /// Wall clock, milliseconds since 1970 UTC.
    package var at: Int64
    package var version: String
    package var bytes: [UInt8]

    package init(moduleID: Int, at: Int64, version: String, bytes: [UInt8]) {
        self.moduleID = moduleID
        self.at = at
        self.version = version
        self.bytes = bytes
    }
}

/// The conditions last written to one resource.
package struct ConditionRecord: Hashable, Sendable {
    /// uid of the resource.
    package var uid: String
    /// nil forgets the resource.
    package var json: JSON?

    package init(uid: String, json: JSON?) {
        self.uid = uid
        self.json = json
    }
}

/// How much the ledger keeps of what nothing depends on.
package struct LedgerLimits: Hashable, Sendable {
    /// How old a journal entry may become, counted from the newest one.
    package var journalAgeMax: Duration
    /// How many bytes the journal's entries may take together.
    package var journalBytesMax: Int
    /// How large the file may become; nil leaves that to the volume.
    package var fileBytesMax: Int?

    package init(
        journalAgeMax: Duration = .seconds(90 * 24 * 3600), journalBytesMax: Int = 64 << 20, fileBytesMax: Int? = nil
    ) {
        self.journalAgeMax = journalAgeMax
        self.journalBytesMax = journalBytesMax
        self.fileBytesMax = fileBytesMax
    }
}
