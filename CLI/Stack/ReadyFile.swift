import Foundation
import WireFormat

/// What `orderflow up` writes when everything is ready, and where the other subcommands find the running stack.
struct ReadyFile: Sendable, Hashable, JSONEncodable {
  var bootstrapServers: String
  var isEmbeddedBroker: Bool
  var orderService: String
  var inventoryService: String
  var notificationService: String
  /// The process of `up` itself.
  var processID: Int32
  /// The running processes of each service, by the executable's name.
  var processIDs: [String: [Int32]]
  /// The base URLs of each service's further instances, by the executable's name.
  var instances: [String: [String]]

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("bootstrap_servers", bootstrapServers)
      json.member("embedded_broker", isEmbeddedBroker)
      json.member("order_service", orderService)
      json.member("inventory_service", inventoryService)
      json.member("notification_service", notificationService)
      json.member("console", String?.none)
      json.member("pid", processID)
      json.member(
        "pids",
        object: { json in
          for (name, ids) in processIDs.sorted(by: { $0.key < $1.key }) { json.member(name: name, ids) }
        })
      json.member(
        "instances",
        object: { json in
          for (name, urls) in instances.sorted(by: { $0.key < $1.key }) { json.member(name: name, urls) }
        })
    }
  }

  /// Reads what ``write(to:)`` wrote, of this version or a later one.
  init(parsing bytes: [UInt8]) throws(Failure) {
    guard let object = try? JSONValue(parsing: bytes).object else { throw Failure("it is not a JSON object") }
    func text(_ name: String) throws(Failure) -> String {
      guard let text = object[name]?.string else { throw Failure("it has no \(name)") }
      return text
    }
    func lists<Element>(_ name: String, _ element: (JSONValue) -> Element?) -> [String: [Element]] {
      let members = object[name]?.object?.members ?? []
      return Dictionary(
        members.map { ($0.name, ($0.value.array ?? []).compactMap(element)) }, uniquingKeysWith: { $1 })
    }
    bootstrapServers = try text("bootstrap_servers")
    isEmbeddedBroker = object["embedded_broker"]?.bool ?? false
    orderService = try text("order_service")
    inventoryService = try text("inventory_service")
    notificationService = try text("notification_service")
    processID = object["pid"]?.number?.int64.flatMap(Int32.init(exactly:)) ?? 0
    processIDs = lists("pids") { $0.number?.int64.flatMap(Int32.init(exactly:)) }
    instances = lists("instances") { $0.string }
  }

  init(
    bootstrapServers: String, isEmbeddedBroker: Bool, orderService: String, inventoryService: String,
    notificationService: String, processID: Int32, processIDs: [String: [Int32]], instances: [String: [String]]
  ) {
    self.bootstrapServers = bootstrapServers
    self.isEmbeddedBroker = isEmbeddedBroker
    self.orderService = orderService
    self.inventoryService = inventoryService
    self.notificationService = notificationService
    self.processID = processID
    self.processIDs = processIDs
    self.instances = instances
  }

  /// Nil when there is no file at `path`.
  static func read(path: String) throws(Failure) -> ReadyFile? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    do {
      return try ReadyFile(parsing: Array(data))
    } catch {
      throw Failure("\(path) cannot be used: \(error)")
    }
  }

  /// Whether the `up` that wrote this is still there. After a SIGKILL the file stays behind.
  var isAlive: Bool {
    processID > 0 && (kill(processID, 0) == 0 || errno == EPERM)
  }

  /// Replaces the file at `path` in one step: a reader sees the old one or the new one, never a half.
  func save(path: String) throws(Failure) {
    do {
      try Data(jsonBytes + [UInt8(ascii: "\n")]).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw Failure("\(path) cannot be written: \(error.localizedDescription)")
    }
  }
}
