import Foundation

/// A virtual environment with what tests need that is not ours; made once and kept in `.build`.
public enum PythonEnvironment {
  /// The interpreter of the environment, in which `module` can be imported.
  ///
  /// - Parameter package: what has to be installed for it.
  public static func python(with module: String, of package: String) async throws -> URL {
    let folder = packageRoot.appendingPathComponent(".build/python")
    let python = folder.appendingPathComponent("bin/python")
    if try await canImport(module, python) { return python }
    if try await !canImport("pip", python) {
      guard let system = ChildProcess.find("python3") else { throw CannotBeMade(reason: "python3 is not installed") }
      try await run(system, ["-m", "venv", "--clear", folder.path])
    }
    try await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
    return python
  }

  private static func canImport(_ module: String, _ python: URL) async throws -> Bool {
    guard FileManager.default.isExecutableFile(atPath: python.path) else { return false }
    return try await ChildProcess.run(python, ["-c", "import \(module)"]).status == 0
  }

  private static func run(_ program: URL, _ arguments: [String]) async throws {
    let result = try await ChildProcess.run(program, arguments)
    guard result.status == 0 else { throw CannotBeMade(reason: result.output) }
  }

  public struct CannotBeMade: Error, CustomStringConvertible {
    public let reason: String
    public var description: String { "no Python environment: \(reason)" }
  }
}
