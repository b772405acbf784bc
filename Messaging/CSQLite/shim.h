#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/* Swift cannot call C's variadic functions. */

/* SQLITE_MISUSE once SQLite is in use: then nothing has changed. */
static inline int csqlite_end_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
