import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import WireFormat

@testable import Inventory
@testable import Notifications
@testable import Orders

/// What a simulation needs of a service's application, beside what Main needs.
protocol SimulatedApplication: ServiceApplication {
  static var migrations: [SQLiteMigration] { get }
  var messaging: MessagingRuntime { get }

  init(
    configuration: ServiceConfiguration, database: SQLiteDatabase, broker: any Broker, logger: Logger, clocks: Clocks,
    ids: UUIDv7Generator, seed: UInt64?)
}

extension OrderApplication: SimulatedApplication {
  static var migrations: [SQLiteMigration] { OrderMigrations.all }
}

extension InventoryApplication: SimulatedApplication {
  static var migrations: [SQLiteMigration] { InventoryMigrations.all }
}

extension NotificationApplication: SimulatedApplication {
  static var migrations: [SQLiteMigration] { MailMigrations.all }
}

/// A service, whichever it is.
protocol SimulatedServiceRole: AnyObject {
  var name: String { get }
  var group: String { get }
  /// What it reads.
  var topics: [String] { get }
  var database: SQLiteDatabase { get }
  var processes: [SimulatedProcess] { get }

  @discardableResult
  func start(broker: any Broker, clocks: Clocks, trace: Trace, seed: UInt64) -> SimulatedProcess
  func remove(_ process: SimulatedProcess)
}

/// A service: its store, which outlives everybody, and its instances, which come and go.
final class SimulatedService<Application: SimulatedApplication>: SimulatedServiceRole {
  let name: String
  let group: String
  let database: SQLiteDatabase
  private(set) var instances: [(process: SimulatedProcess, application: Application)] = []
  private let configuration: ServiceConfiguration
  private var started = 0

  init(retry: RetryPolicy) throws {
    var configuration = ServiceConfiguration(identity: Application.identity)
    configuration.retry = retry
    self.configuration = configuration
    var store = SQLiteConfiguration()
    store.logger = Logger(label: "store") { _ in SwiftLogNoOpLogHandler() }
    name = Application.identity.name
    group = configuration.consumerGroup
    database = try SQLiteDatabase.inMemory(
      migrations: MessagingMigrations.all + Application.migrations, configuration: store)
  }

  var topics: [String] { Application.identity.consumes }
  var processes: [SimulatedProcess] { instances.map(\.process) }

  /// Another instance, over the same store.
  @discardableResult
  func start(broker: any Broker, clocks: Clocks, trace: Trace, seed: UInt64) -> SimulatedProcess {
    started += 1
    let name = "\(name)#\(started)"
    let application = Application(
      configuration: configuration, database: database, broker: broker, logger: trace.logger(name), clocks: clocks,
      ids: UUIDv7Generator(random: SeededRandom(seed: seed)), seed: seed)
    let process = SimulatedProcess(name: name, group: group, messaging: application.messaging)
    instances.append((process, application))
    return process
  }

  func remove(_ process: SimulatedProcess) {
    instances.removeAll { $0.process === process }
  }
}
