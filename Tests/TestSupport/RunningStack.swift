import Foundation
import WireFormat

/// `orderflow up` as a user starts it, on free ports and in a folder of its own.
public final class RunningStack: Sendable {
  public let up: ChildProcess
  public let folder: URL
  public let bootstrapServers: String
  public let orders: ServiceClient
  public let inventory: ServiceClient
  public let notifications: ServiceClient
  /// What its clients and its tools send, where the services want a token.
  public let token: String?
  /// Every instance of each service by executable, the first included.
  public let instances: [String: [ServiceClient]]
  /// The children's process ids by executable, in the order of the instances, as they were when all was ready.
  public let processIDs: [String: [Int32]]
  private let readyFile: URL

  /// Starts the stack and waits until it says that it is ready.
  ///
  /// The broker is the embedded one, unless `KAFKA_BOOTSTRAP_SERVERS` names another.
  ///
  /// - Parameters:
  ///   - token: one of the tokens in `environment`'s `API_TOKENS`.
  ///   - launcher: a command that becomes `orderflow up` in the same process, in a view of the file system of its own;
  ///     ``folder`` is then the way into that view.
  public init(
    folder: URL? = nil, arguments: [String] = [], environment: [String: String] = [:], token: String? = nil,
    launcher: [String] = []
  ) async throws {
    var folder = try folder ?? temporaryFolder()
    var readyFile = folder.appendingPathComponent("ready-\(UUID().uuidString).json")
    var arguments = ["up", "--data-dir", folder.path, "--ready-file", readyFile.path] + arguments
    if !arguments.contains("--port-base") {
      arguments += ["--port-base", String(try freePortBase())]
    }
    if let servers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"] {
      arguments += ["--bootstrap-servers", servers]
    }
    let words = try launcher + [BuiltProduct.url("orderflow").path] + arguments
    guard let program = words[0].hasPrefix("/") ? URL(fileURLWithPath: words[0]) : ChildProcess.find(words[0]) else {
      throw DeadlineExceeded(what: "\(words[0]), which is not on the PATH")
    }
    let up = try ChildProcess(program, Array(words.dropFirst()), environment: environment)
    if !launcher.isEmpty {
      folder = URL(fileURLWithPath: "/proc/\(up.processID)/root\(folder.path)")
      readyFile = folder.appendingPathComponent(readyFile.lastPathComponent)
    }
    let readyPath = readyFile.path
    let ready = try await eventually("ready file of `orderflow up`; it said:\n\(up.text)", within: .seconds(90)) {
      if up.hasEnded { throw DeadlineExceeded(what: "`orderflow up` has ended:\n\(up.text)") }
      return FileManager.default.contents(atPath: readyPath)
    }
    guard let object = try JSONValue(parsing: Array(ready)).object,
      let bootstrapServers = object["bootstrap_servers"]?.string,
      let orders = object["order_service"]?.string,
      let inventory = object["inventory_service"]?.string,
      let notifications = object["notification_service"]?.string,
      let pids = object["pids"]?.object
    else {
      throw DeadlineExceeded(what: "a ready file as the contract says: \(String(decoding: ready, as: UTF8.self))")
    }
    self.up = up
    self.folder = folder
    self.bootstrapServers = bootstrapServers
    self.orders = ServiceClient(base: orders, token: token)
    self.inventory = ServiceClient(base: inventory, token: token)
    self.notifications = ServiceClient(base: notifications, token: token)
    self.token = token
    let further = object["instances"]?.object
    instances = Dictionary(
      uniqueKeysWithValues: [
        ("OrderService", self.orders), ("InventoryService", self.inventory),
        ("NotificationService", self.notifications),
      ].map { name, first in
        let urls = (further?[name]?.array ?? []).compactMap(\.string)
        return (name, [first] + urls.map { ServiceClient(base: $0, token: token) })
      })
    processIDs = Self.processIDs(pids)
    self.readyFile = readyFile
  }

  /// The children there are now: `up` writes its ready file anew when one has died or was started again.
  public func currentProcessIDs() throws -> [String: [Int32]] {
    let object = try JSONValue(parsing: Array(try Data(contentsOf: readyFile))).object
    return Self.processIDs(object?["pids"]?.object ?? JSONObject())
  }

  private static func processIDs(_ object: JSONObject) -> [String: [Int32]] {
    Dictionary(
      uniqueKeysWithValues: ["OrderService", "InventoryService", "NotificationService"].map { name in
        (name, (object[name]?.array ?? []).compactMap { $0.number?.int64 }.map { Int32(truncatingIfNeeded: $0) })
      })
  }

  /// Stops everything as Ctrl-C does, and returns the exit status.
  public func stop(signal: Int32 = SIGINT) async throws -> Int32 {
    up.send(signal)
    return try await up.waitForExit(within: .seconds(30))
  }

  /// `orderflow <arguments>` against this stack.
  public func tool(_ arguments: String..., within limit: Duration = .seconds(180)) async throws
    -> (status: Int32, output: String)
  {
    try await ChildProcess.run(
      BuiltProduct.url("orderflow"), arguments + ["--data-dir", folder.path],
      environment: token.map { ["ORDERFLOW_TOKEN": $0] } ?? [:], within: limit)
  }

  /// Puts `onHand` pieces of a product in stock.
  public func stock(_ product: String, onHand: Int) async throws {
    let answer = try await inventory.send(
      "PUT", "/products/\(product)", json: #"{"name":"\#(product)","on_hand":\#(onHand)}"#)
    guard (200...201).contains(answer.status) else {
      throw DeadlineExceeded(what: "stock of \(product): \(String(decoding: answer.body, as: UTF8.self))")
    }
  }
}

/// A folder for one test, in the one that `scripts/run-tests` removes after a run without failures. The name is short: a
/// socket's path has little room.
public func temporaryFolder() throws -> URL {
  let name = "orderflow-\(UUID().uuidString.prefix(13))"
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// The first of four consecutive ports that were free a moment ago.
public func freePortBase() throws -> Int {
  for _ in 0..<100 {
    let base = Int.random(in: 20000..<32000)
    if (base..<base + 4).allSatisfy(isFree) { return base }
  }
  throw DeadlineExceeded(what: "four free ports in a row")
}

private func isFree(_ port: Int) -> Bool {
  #if canImport(Glibc)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  #else
    let descriptor = socket(AF_INET, SOCK_STREAM, 0)
  #endif
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(port).bigEndian
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
