import Foundation
import GRDB
import Messaging
import MessagingSQLite
import Synchronization
import WireFormat

/// A folder that goes when its user does.
final class StoreFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "orderflow-sqlite-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  var store: String { path + "/store.sqlite" }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// Where a store under test lives.
enum StoreKind: String, CaseIterable, Sendable {
  case memory, file

  func open(
    migrations: [SQLiteMigration] = MessagingMigrations.all, configuration: SQLiteConfiguration = SQLiteConfiguration()
  ) throws -> StoreUnderTest {
    let folder = try StoreFolder()
    let database =
      switch self {
      case .memory: try SQLiteDatabase.inMemory(migrations: migrations, configuration: configuration)
      case .file: try SQLiteDatabase.open(path: folder.store, migrations: migrations, configuration: configuration)
      }
    return StoreUnderTest(database: database, folder: folder)
  }
}

/// A store with outbox and inbox, and a clock that the test moves.
final class StoreUnderTest: Sendable {
  static let group = "group-a"

  let database: SQLiteDatabase
  let clock = ManualClock()
  let outbox: SQLiteOutbox
  let inbox: SQLiteInbox
  private let folder: StoreFolder

  init(database: SQLiteDatabase, folder: StoreFolder) {
    self.database = database
    self.folder = folder
    let now = clock.clocks.wall
    outbox = SQLiteOutbox(database: database, retention: .seconds(3600), now: now)
    inbox = SQLiteInbox(database: database, group: Self.group, outbox: outbox, now: now)
  }

  deinit {
    try? database.close()
  }

  func inbox(of group: String) -> SQLiteInbox {
    SQLiteInbox(database: database, group: group, outbox: outbox, now: clock.clocks.wall)
  }

  /// Appends in a transaction of its own.
  func append(_ messages: OutboxMessage...) throws {
    try database.writeBlocking { [outbox] transaction in
      for message in messages { try outbox.append(message, in: transaction) }
    }
  }

  func lease(_ name: String = "relay", duration: Duration = .seconds(3)) throws -> RelayLease {
    guard let lease = try outbox.acquireLease(for: .currentProcess(name: name), duration: duration) else {
      throw LeaseNotGranted()
    }
    return lease
  }

  /// - Returns: how many rows became unpublished.
  func makeEpochReady(_ lease: RelayLease) throws -> Int {
    var rows = 0
    while true {
      let step = try outbox.continueEpoch(lease: lease, limit: 100)
      rows += step.rows
      if step.isReady { return rows }
    }
  }

  func unpublished() throws -> [Int64] {
    try outbox.unpublished(after: 0, limit: 1000).map(\.sequence)
  }

  func count(_ sql: String) throws -> Int {
    try database.readBlocking { try Int.fetchOne($0, sql: sql) ?? -1 }
  }
}

/// What `body` throws, for the writer's thread: `#expect(throws:)` works on a test's own task only.
func error<R>(of body: () throws -> R) -> (any Error)? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}

struct LeaseNotGranted: Error {}
struct Refused: Error {}

func outboxMessage(_ id: String, key: String? = "order-1", topic: String = "orders") -> OutboxMessage {
  OutboxMessage(
    eventID: id, eventType: "ORDER_CREATED",
    message: OutgoingMessage(
      topic: topic, key: key.map { Array($0.utf8) }, value: Array(#"{"event_id":"\#(id)"}"#.utf8),
      headers: [Header("ce_id", id)]))
}

func receipt(_ sequence: Int64, partition: Int32 = 0, offset: Int64?) -> PublicationReceipt {
  PublicationReceipt(
    sequence: sequence, position: RecordPosition(topicPartition: TopicPartition("orders", partition), offset: offset))
}

func inboxEntry(_ id: String, key: String = "order-1", version: Int64? = 1, offset: Int64 = 7) -> InboxEntry {
  InboxEntry(
    identity: EventIdentity(eventID: id, eventType: "ORDER_CREATED", key: key, version: version),
    topicPartition: TopicPartition("orders", 2), offset: offset, attempts: 1)
}

func consumedRecord(
  offset: Int64 = 7, key: [UInt8]? = Array("order-1".utf8), value: [UInt8]? = Array("{}".utf8), headers: [Header] = []
) -> ConsumedRecord {
  ConsumedRecord(
    topicPartition: TopicPartition("orders", 2), offset: offset, timestamp: 1_700_000_000_000, key: key, value: value,
    headers: headers)
}

func parkedRecord(_ id: String, key: String = "order-1", version: Int64, offset: Int64 = 7) -> ParkedRecord {
  ParkedRecord(
    identity: EventIdentity(eventID: id, eventType: "ORDER_CONFIRMED", key: key, version: version),
    record: consumedRecord(offset: offset, value: Array(id.utf8)))
}

func deadLetter(
  _ id: String, key: String? = "order-1", version: Int64? = 1, redrives: Int = 0,
  record: ConsumedRecord = consumedRecord()
) -> DeadLetter {
  DeadLetter(
    consumerGroup: StoreUnderTest.group, eventID: id, eventType: "ORDER_CREATED", key: key, version: version,
    record: record, error: "handler failed", attempts: 3, redrives: redrives,
    failedAt: Timestamp(millisecondsSinceEpoch: 1_795_378_867_000))
}

/// Holds the writer inside a write, so that others gather behind it.
final class HeldWriter: Sendable {
  private let isHeld = DispatchSemaphore(value: 0)
  private let release = DispatchSemaphore(value: 0)
  private let write: Task<Void, any Error>

  /// Returns when the writer is held.
  init(_ database: SQLiteDatabase) async {
    write = Task { [isHeld, release] in
      try await database.write { _ in
        isHeld.signal()
        release.wait()
      }
    }
    await withCheckedContinuation { continuation in
      Thread { [isHeld] in
        isHeld.wait()
        continuation.resume()
      }.start()
    }
  }

  /// Lets the writer go on as soon as `number` writes wait for it.
  func letGo(when number: Int, waitFor database: SQLiteDatabase) async throws {
    while database.statistics.waitingWrites < number { await Task.yield() }
    release.signal()
    try await write.value
  }
}

/// Counts from any thread.
final class Tally: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}
