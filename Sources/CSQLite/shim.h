#include <sqlite3.h>

// What Swift cannot call: a variadic function, and a destructor constant that is a cast of -1.

/// Whether closing the last connection folds the WAL into the file; without it, closing leaves both as they are.
static inline int csqlite_set_checkpoint_on_close(sqlite3 *connection, int on) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, (int *)0);
}

/// Binds a copy of a text; no pointer means the empty text, never NULL.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text ? text : "", text ? count : 0, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// Binds a copy of some bytes; no pointer means no bytes, never NULL.
static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes ? bytes : "", bytes ? count : 0, SQLITE_TRANSIENT);
}
