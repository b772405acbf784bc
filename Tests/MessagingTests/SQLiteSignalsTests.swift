import Foundation
import Messaging
import Synchronization
import TestSupport
import Testing

@testable import MessagingSQLite

/// Two instances over one file: what one commits, the other hears of.
@Suite("Signals between instances", .timeLimit(.minutes(1)))
struct SQLiteSignalsTests {
  @Test func aCommitHereWakesTheRelayThere() async throws {
    let folder = try StoreFolder()
    let (here, there) = (try Instance(in: folder), try Instance(in: folder))
    let broker = InMemoryBroker(topics: [RelayWorld.topic: 3])
    var configuration = OutboxRelayConfiguration()
    configuration.slowPoll = .seconds(3600)
    let relay = OutboxRelay(
      store: there.outbox, broker: broker, configuration: configuration, holder: .currentProcess(name: "there"),
      logger: quietLogger)
    there.signals.onNews { if $0.isOutboxWaiting { relay.wake() } }

    try await running(here.signals, there.signals, relay) {
      try await here.untilOthers(1)
      _ = try await eventually("the lease") { relay.status().holdsLease ? true : nil }
      for number in 1...20 {
        try await here.append("event-\(number)")
        let arrived = try await onThread {
          broker.waitForRecords(number, of: RelayWorld.topic, atMost: .seconds(10))
        }
        #expect(arrived, "the relay slept through commit \(number)")
      }
    }
  }

  @Test func aChangeIsToldByItsKeyAfterItsCommitOnly() async throws {
    let folder = try StoreFolder()
    let (here, there) = (try Instance(in: folder), try Instance(in: folder))
    struct Refused: Error {}

    try await running(here.signals, there.signals) {
      try await here.untilOthers(1)
      await #expect(throws: Refused.self) {
        try await here.database.write { [signals = here.signals] transaction in
          signals.tellChange(of: "undone", after: transaction)
          throw Refused()
        }
      }
      #expect(there.heard.isEmpty)
      try await here.database.write { [signals = here.signals] transaction in
        signals.tellChange(of: "a", after: transaction)
        signals.tellChange(of: "b", after: transaction)
      }
      let news = try await there.firstNews()
      #expect(news.changedKeys.isSuperset(of: ["a", "b"]))
      #expect(!news.mayBeIncomplete)
    }
  }

  @Test func moreChangesThanADatagramHoldsMeanLookAgain() async throws {
    let folder = try StoreFolder()
    let (here, there) = (try Instance(in: folder), try Instance(in: folder))

    try await running(here.signals, there.signals) {
      try await here.untilOthers(1)
      try await here.database.write { [signals = here.signals] transaction in
        for number in 0..<1000 { signals.tellChange(of: "order-\(number)", after: transaction) }
      }
      #expect(try await there.firstNews().mayBeIncomplete)
    }
  }

  @Test func instancesComeAndGoAndAGoodbyeMakesTheOthersLook() async throws {
    let folder = try StoreFolder()
    let (first, second) = (try Instance(in: folder), try Instance(in: folder))

    try await running(first.signals) {
      try await running(second.signals) {
        try await first.untilOthers(1)
        try await second.untilOthers(1)
      }
      try await first.untilOthers(0)
      #expect(try await first.firstNews().isOutboxWaiting)
    }
    #expect(try sockets(in: folder).isEmpty)
  }

  @Test func theSocketOfADeadProcessIsRemoved() async throws {
    let folder = try StoreFolder()
    let instance = try Instance(in: folder)
    let dead = try SignalSocket(folder: instance.folder)
    dead.abandon()
    #expect(try sockets(in: folder) == [dead.name])

    try await running(instance.signals) {
      try await instance.untilOthers(0)
      let left = try await eventually("one socket, our own") {
        let names = try sockets(in: folder)
        return names.contains(dead.name) ? nil : names
      }
      #expect(left.count == 1)
    }
  }

  @Test func whoDoesNotListenCostsNothingAndIsToldLaterThatHeMissedSomething() async throws {
    let folder = try StoreFolder()
    let instance = try Instance(in: folder)
    try FileManager.default.createDirectory(atPath: instance.folder, withIntermediateDirectories: true)
    let deaf = try SignalSocket(folder: instance.folder)

    try await running(instance.signals) {
      try await instance.untilOthers(1)
      let start = ContinuousClock.now
      for _ in 0..<5_000 { instance.signals.tellOutboxIsWaiting() }
      #expect(ContinuousClock.now - start < .seconds(5))

      let missed = try #require(deaf.receive())
      #expect(missed.count < 5_000 && !missed.contains(.lookAgain))
      instance.signals.tellOutboxIsWaiting()
      instance.signals.tellOutboxIsWaiting()
      #expect(deaf.receive() == [.lookAgain, .appended])
    }
    deaf.close()
  }

  @Test(arguments: [20, 90, 100, 108, 200, 240])
  func aDatabaseMayLieDeeperThanASocketsAddressHolds(length: Int) async throws {
    let folder = try StoreFolder()
    let deep = folder.path + "/" + String(repeating: "d", count: length)
    try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
    let (here, there) = (try Instance(path: deep + "/store.sqlite"), try Instance(path: deep + "/store.sqlite"))

    try await running(here.signals, there.signals) {
      #if os(Linux)
        try await here.untilOthers(1)
        here.signals.tellOutboxIsWaiting()
        #expect(try await there.firstNews().isOutboxWaiting)
      #endif
    }
  }

  @Test func aFolderWithoutSocketsAndAStoreInMemoryWorkWithoutSignals() async throws {
    let folder = try StoreFolder()
    let instance = try Instance(in: folder)
    try Data("in the way".utf8).write(to: URL(fileURLWithPath: instance.folder))
    let memory = InstanceSignals(beside: try SQLiteDatabase.inMemory(migrations: []), logger: quietLogger)

    try await running(instance.signals, memory) {
      instance.signals.tellOutboxIsWaiting()
      memory.tellOutboxIsWaiting()
      #expect(instance.signals.otherInstances == 0 && memory.otherInstances == 0)
    }
  }

  @Test func signalsSurviveTheirBytesAndNothingElseIsOne() {
    let signals: [InstanceSignal] = [
      .hello("1-2.socket"), .goodbye("1-2.socket"), .appended, .changed(["a", "b"]), .lookAgain,
    ]
    for signal in signals { #expect(InstanceSignal(signal.bytes) == signal) }
    #expect(InstanceSignal([]) == nil)
    #expect(InstanceSignal(Array("?".utf8)) == nil)
    for name in ["", ".socket/..", "../x.socket", "a/b.socket", "a\0.socket", "x.socket.new"] {
      #expect(!SignalSocket.isName(name), "\(name)")
    }
  }
}

/// One instance of a service, as far as its signals go.
private final class Instance: Sendable {
  let database: SQLiteDatabase
  let outbox: SQLiteOutbox
  let signals: InstanceSignals
  let folder: String
  private let news: Mutex<[InstanceNews]>

  convenience init(in folder: StoreFolder) throws {
    try self.init(path: folder.store)
  }

  init(path: String) throws {
    database = try SQLiteDatabase.open(path: path, migrations: MessagingMigrations.all)
    outbox = SQLiteOutbox(database: database)
    signals = InstanceSignals(beside: database, logger: quietLogger)
    folder = path + "-instances"
    news = Mutex([])
    outbox.onCommit { [signals] in signals.tellOutboxIsWaiting() }
    signals.onNews { [weak self] news in self?.news.withLock { $0.append(news) } }
  }

  deinit {
    try? database.close()
  }

  var heard: [InstanceNews] { news.withLock { $0 } }

  func append(_ id: String) async throws {
    try await database.write { [outbox] in try outbox.append(outboxMessage(id, key: id), in: $0) }
  }

  func untilOthers(_ count: Int) async throws {
    _ = try await eventually("\(count) other instances", every: .milliseconds(5)) {
      signals.otherInstances == count ? true : nil
    }
  }

  func firstNews() async throws -> InstanceNews {
    try await eventually("news", every: .milliseconds(5)) { heard.first }
  }
}

private func sockets(in folder: StoreFolder) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.store + "-instances")
}

/// Runs services until `body` has ended.
private func running(_ services: any Runnable..., body: () async throws -> Void) async throws {
  let tasks = services.map { service in Task { try? await service.run() } }
  let result: Result<Void, any Error>
  do { result = .success(try await body()) } catch { result = .failure(error) }
  for task in tasks { task.cancel() }
  for task in tasks { await task.value }
  try result.get()
}

private protocol Runnable: Sendable {
  func run() async throws
}

extension InstanceSignals: Runnable {}
extension OutboxRelay: Runnable {}
