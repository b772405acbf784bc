import Foundation

/// The executables that lie beside the running tests.
public enum BuiltProduct {
  public static func url(_ name: String) throws -> URL {
    let url = directory.appendingPathComponent(name)
    guard FileManager.default.isExecutableFile(atPath: url.path) else {
      throw MissingProduct(path: url.path)
    }
    return url
  }

  /// `.build/debug`, wherever it is on this machine: the folder of the test bundle.
  private static var directory: URL {
    let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let components = executable.pathComponents
    guard let bundle = components.firstIndex(where: { $0.hasSuffix(".xctest") }) else {
      return Bundle.main.bundleURL
    }
    return URL(fileURLWithPath: NSString.path(withComponents: Array(components[..<bundle])))
  }

  public struct MissingProduct: Error, CustomStringConvertible {
    public let path: String
    public var description: String { "\(path) is not there: `swift build --build-tests` makes it" }
  }
}

/// The root of this checkout.
public let packageRoot = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
