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
