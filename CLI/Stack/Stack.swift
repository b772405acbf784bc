import Foundation

/// The running stack: where its services and its broker are.
struct Stack: Sendable, Hashable {
  var bootstrapServers: String
  /// Whether the broker is the one that `up` hosts, which cannot do all that Kafka does.
  var isEmbeddedBroker: Bool
  var orderService: String
  var inventoryService: String
  var notificationService: String
  /// The base URLs of every instance, by the service's name; the first one is the service's own.
  var instances: [String: [String]]

  init(_ file: ReadyFile) {
    bootstrapServers = file.bootstrapServers
    isEmbeddedBroker = file.isEmbeddedBroker
    orderService = file.orderService
    inventoryService = file.inventoryService
    notificationService = file.notificationService
    instances = [
      ServiceName.order: [file.orderService] + (file.instances[ServiceName.order] ?? []),
      ServiceName.inventory: [file.inventoryService] + (file.instances[ServiceName.inventory] ?? []),
      ServiceName.notification: [file.notificationService] + (file.instances[ServiceName.notification] ?? []),
    ]
  }

  /// `ORDER_SERVICE_URL`, `INVENTORY_SERVICE_URL`, `NOTIFICATION_SERVICE_URL` and `KAFKA_BOOTSTRAP_SERVERS`, each
  /// with the services' own default: what `docker compose` publishes on this machine.
  init(environment: [String: String]) {
    func value(_ name: String, default standard: String) -> String {
      let value = environment[name] ?? ""
      return value.isEmpty ? standard : value
    }
    bootstrapServers = value("KAFKA_BOOTSTRAP_SERVERS", default: "localhost:9092")
    isEmbeddedBroker = false
    orderService = value("ORDER_SERVICE_URL", default: "http://127.0.0.1:8081")
    inventoryService = value("INVENTORY_SERVICE_URL", default: "http://127.0.0.1:8082")
    notificationService = value("NOTIFICATION_SERVICE_URL", default: "http://127.0.0.1:8083")
    instances = [
      ServiceName.order: [orderService], ServiceName.inventory: [inventoryService],
      ServiceName.notification: [notificationService],
    ]
  }

  /// - Parameters:
  ///   - directory: where `up` keeps its state. Nil: `.orderflow`, and without a running stack there the environment.
  ///   - environment: the process's.
  static func locate(directory: String?, environment: [String: String]) throws(Failure) -> Stack {
    let path = StatePaths(directory: directory ?? StatePaths.standardDirectory).readyFile
    guard let file = try ReadyFile.read(path: path), file.isAlive else {
      guard directory == nil else { throw Failure("no `orderflow up` runs on \(directory ?? "")") }
      return Stack(environment: environment)
    }
    return Stack(file)
  }

  var clients: Services {
    Services(
      order: ServiceClient(name: ServiceName.order, baseURL: orderService),
      inventory: ServiceClient(name: ServiceName.inventory, baseURL: inventoryService),
      notification: ServiceClient(name: ServiceName.notification, baseURL: notificationService))
  }

  /// One client for each running instance.
  var allInstances: [ServiceClient] {
    ServiceName.all.flatMap { name in (instances[name] ?? []).map { ServiceClient(name: name, baseURL: $0) } }
  }
}

/// The services by the names of their executables.
enum ServiceName {
  static let order = "OrderService"
  static let inventory = "InventoryService"
  static let notification = "NotificationService"
  static let all = [order, inventory, notification]
}

/// A client for each service.
struct Services: Sendable {
  var order: ServiceClient
  var inventory: ServiceClient
  var notification: ServiceClient

  var all: [ServiceClient] { [order, inventory, notification] }
}
