import EventSchema
import Foundation

/// Where the executables of this package lie.
enum Executables {
  /// The directory of the running `orderflow`, with the services' executables in it.
  ///
  /// - Throws: ``Failure`` naming those that are missing.
  static func directory() throws(Failure) -> String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? Bundle.main.executablePath
    guard let own else { throw Failure("the path of this executable cannot be found out") }
    let directory = URL(fileURLWithPath: own).deletingLastPathComponent().path
    let missing = ServiceName.all.filter { !FileManager.default.isExecutableFile(atPath: "\(directory)/\($0)") }
    guard missing.isEmpty else {
      throw Failure(
        "\(missing.joined(separator: ", ")) not found in \(directory), beside this executable; build everything first: swift build")
    }
    return directory
  }
}

/// The topics of the stack on the embedded broker, which nobody can create over the protocol.
enum StackTopics {
  static let names = [
    Topics.orders, Topics.inventory, Topics.deadLetters(of: Topics.orders), Topics.deadLetters(of: Topics.inventory),
  ]

  /// `KAFKA_TOPIC_PARTITIONS`: a whole number, 1 to 1000, default 6, not secret.
  static func partitions(environment: [String: String]) throws(Failure) -> Int {
    guard let text = environment["KAFKA_TOPIC_PARTITIONS"], !text.isEmpty else { return 6 }
    guard let count = Int(text), (1...1000).contains(count) else {
      throw Failure("KAFKA_TOPIC_PARTITIONS is \(text.printable); it has to be a whole number from 1 to 1000")
    }
    return count
  }
}
