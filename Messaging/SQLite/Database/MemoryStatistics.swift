internal import CSQLite

/// SQLite counts each allocation under one lock for the whole process, for statistics that nobody here reads: a tenth of
/// what a row costs (docs/performance.md).
enum MemoryStatistics {
  /// Asked for before the first connection is opened. In a process that has used SQLite before nothing changes.
  static let areOff = csqlite_end_memory_statistics() == SQLITE_OK
}
