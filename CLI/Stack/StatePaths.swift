/// Where `up` keeps what outlives it.
struct StatePaths: Sendable, Hashable {
  static let standardDirectory = ".orderflow"

  let directory: String
  /// Where the services' stores are; the directory itself where nothing else is said.
  let stores: String

  init(directory: String, stores: String? = nil) {
    self.directory = directory
    self.stores = stores ?? directory
  }

  var lock: String { "\(directory)/up.lock" }
  var readyFile: String { "\(directory)/ready.json" }
  /// What the first of the printed `curl` lines leaves for the other two.
  var firstOrder: String { "\(directory)/order.json" }

  /// Shared by all instances of the service.
  func database(of service: String) -> String {
    let words = service.replacing("Service", with: "-service").lowercased()
    return "\(stores)/\(words).sqlite"
  }

  func log(of process: String) -> String { "\(directory)/\(process).log" }
}
