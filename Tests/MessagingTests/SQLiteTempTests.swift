import Foundation
import GRDB
import Messaging
import MessagingSQLite
import Testing

@Suite struct TempTwoProcesses {
  @Test func hammer() async throws {
    guard let path = ProcessInfo.processInfo.environment["HAMMER"] else { return }
    let name = ProcessInfo.processInfo.environment["HAMMER_NAME"] ?? "x"
    let n = Int(ProcessInfo.processInfo.environment["HAMMER_N"] ?? "200")!
    var configuration = SQLiteConfiguration()
    configuration.checkpointSize = 256 << 10
    configuration.checkpointSizeUnderLoad = 1 << 20
    let database = try SQLiteDatabase.open(path: path, migrations: MessagingMigrations.all, configuration: configuration)
    let outbox = SQLiteOutbox(database: database)
    let start = ContinuousClock.now
    let worst = Mutex0()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for t in 0..<64 {
        group.addTask {
          for i in 0..<n {
            let s = ContinuousClock.now
            try await database.write { try outbox.append(outboxMessage("\(name)-\(t)-\(i)", key: "\(name)-\(t)"), in: $0) }
            worst.note(ContinuousClock.now - s)
            if t == 0 && i % 10 == 0 { print("acked \(name)-\(t)-\(i)"); fflush(nil) }
          }
        }
      }
      try await group.waitForAll()
    }
    let s = database.statistics
    print("HAMMER \(name): \(64 * n) in \(ContinuousClock.now - start), commits \(s.commits) checkpoints \(s.checkpoints) failed \(s.failedWrites) worst \(worst.value)")
    try database.close()
  }
}
final class Mutex0: @unchecked Sendable { let l = NSLock(); var value = Duration.zero; func note(_ d: Duration) { l.lock(); if d > value { value = d }; l.unlock() } }
