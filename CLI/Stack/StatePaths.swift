/// Where `up` keeps what outlives it.
struct StatePaths: Sendable, Hashable {
  static let standardDirectory = ".orderflow"

  let directory: String

  var lock: String { "\(directory)/up.lock" }
  var readyFile: String { "\(directory)/ready.json" }
  /// What the first of the printed `curl` lines leaves for the other two.
  var firstOrder: String { "\(directory)/order.json" }

  /// Shared by all instances of the service.
  func database(of service: String) -> String {
    let words = service.replacing("Service", with: "-service").lowercased()
    return "\(directory)/\(words).sqlite"
  }

  func log(of process: String) -> String { "\(directory)/\(process).log" }
}
