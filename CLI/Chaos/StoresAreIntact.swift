import Foundation
import GRDB
import Messaging

/// What SQLite itself says of the stores, once nobody uses them any more.
enum StoresAreIntact {
  static func check(_ paths: StatePaths, number: Int) async throws -> Finding {
    let results = try await DedicatedThread.run(named: "integrity") {
      ServiceName.all.map { service in (service, faults(in: paths.database(of: service))) }
    }
    var offenders = Offenders()
    for (service, faults) in results {
      for fault in faults { offenders.add("\(service)'s store: \(fault)") }
    }
    return Finding(
      number: number, title: "The stores are intact",
      figure: "integrity_check and foreign_key_check of \(results.count) stores, after the stop", offenders: offenders)
  }

  private static func faults(in path: String) -> [String] {
    do {
      let database = try DatabaseQueue(path: path)
      defer { try? database.close() }
      return try database.read { database in
        let integrity = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        let strays = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { "foreign key: \($0)" }
        return integrity + strays
      }
    } catch {
      return ["\(error)"]
    }
  }

  // This module has a Row of its own.
  private typealias Row = GRDB.Row
}
