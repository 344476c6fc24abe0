#pragma once
#include <sqlite3.h>

/* sqlite3_db_config is variadic: text in double quotes is never a string, as in PostgreSQL. */
static inline int martlet_sqlite_refuse_double_quoted_strings(sqlite3 *db) {
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    return rc != SQLITE_OK ? rc : sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
}

/* The file under the connection is no longer the one at its path: closing must not touch the log at that path. */
static inline int martlet_sqlite_leave_log_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
