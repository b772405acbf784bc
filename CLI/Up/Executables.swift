import Foundation

/// Where the executables of this package lie.
enum Executables {
  /// The directory of the running `orderflow`, with the services' executables in it.
  ///
  /// - Throws: ``Failure`` naming those that are missing.
  static func directory() throws(Failure) -> String {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    guard let own = link ?? Bundle.main.executablePath else {
      throw Failure("the path of this executable cannot be found out")
    }
    let directory = URL(fileURLWithPath: own).deletingLastPathComponent().path
    let missing = ServiceName.all.filter { !FileManager.default.isExecutableFile(atPath: "\(directory)/\($0)") }
    guard missing.isEmpty else {
      throw Failure(
        "\(missing.joined(separator: ", ")) not found beside this executable, in \(directory); "
          + "build everything first: swift build")
    }
    return directory
  }
}
