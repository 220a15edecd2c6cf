import CSQLite

/// One step of the schema: what turns a file of the version before into one of this version.
///
/// A step that has been released is never edited; a change of the schema is a new step.
struct Migration {
    /// The version that the file has afterwards; each is one more than the one before.
    var version: Int
    var statements: [String]

    /// Every step there is, oldest first.
    static let all: [Migration] = [one]

    /// Marks a SQLite file as a ledger: "velo".
    static let applicationID = 0x7665_6c6f

    /// The tables that there are after the last step.
    static let tables = ["condition", "document", "first_touch", "journal", "meta", "owned_rule", "profile"]

    /// Takes the file from its own version to the last one of `migrations`, each step in a transaction of its own, so
    /// that a crash leaves a file of one version or the next.
    static func run(_ migrations: [Migration], on connection: Connection) throws(SQLiteError) {
        let current = try connection.number("PRAGMA user_version") ?? 0
        for migration in migrations where migration.version > current {
            try connection.transaction { () throws(SQLiteError) in
                for statement in migration.statements { try connection.run(statement) }
                try connection.run("PRAGMA application_id = \(applicationID)")
                try connection.run("PRAGMA user_version = \(migration.version)")
            }
        }
    }

    /// Large values stand last in their rows: reading what is before them then does not touch their pages.
    private static let one = Migration(
        version: 1,
        statements: [
            "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
            // The whole bytes are the key: a hash would need an answer to collisions, and there are few documents.
            "CREATE TABLE document (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE) STRICT",
            """
            CREATE TABLE owned_rule (
                profile_id INTEGER NOT NULL, segment_id INTEGER NOT NULL, name TEXT NOT NULL,
                owner_namespace TEXT NOT NULL, owner_name TEXT NOT NULL, owner_uid TEXT NOT NULL,
                profile_name TEXT NOT NULL, segment_name TEXT NOT NULL, rule_order INTEGER NOT NULL,
                intent TEXT, owner_absent INTEGER NOT NULL,
                hostname TEXT, port_low INTEGER, port_high INTEGER, transport TEXT, service_class TEXT, priority TEXT,
                bandwidth_cap INTEGER, link_policy TEXT, service_group TEXT,
                template INTEGER REFERENCES document (id),
                read_back_hint BLOB, original BLOB, sent BLOB, read_back BLOB,
                PRIMARY KEY (profile_id, segment_id, name)
            ) STRICT
            """,
            "CREATE INDEX owned_rule_template ON owned_rule (template)",
            """
            CREATE TABLE profile (
                id INTEGER PRIMARY KEY, name TEXT NOT NULL, module_id INTEGER, settled_version TEXT,
                missing_strikes INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE journal (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, size INTEGER NOT NULL,
                profile_id INTEGER NOT NULL, segment_id INTEGER NOT NULL, name TEXT NOT NULL,
                profile_name TEXT NOT NULL, owner_namespace TEXT, owner_name TEXT, owner_uid TEXT,
                kind TEXT NOT NULL, reason TEXT NOT NULL, before BLOB, after BLOB
            ) STRICT
            """,
            "CREATE INDEX journal_at ON journal (at, size)",
            """
            CREATE TABLE first_touch (
                module_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, version TEXT NOT NULL, bytes BLOB NOT NULL
            ) STRICT
            """,
            "CREATE TABLE condition (uid TEXT NOT NULL PRIMARY KEY, json BLOB NOT NULL) STRICT",
        ])
}
