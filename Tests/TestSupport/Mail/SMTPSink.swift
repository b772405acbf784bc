import Foundation
import WireFormat

/// A mail server that is not ours (aiosmtpd) and keeps what it gets. `sink.py` beside this file says whom it refuses.
public final class SMTPSink: Sendable {
  private let process: ChildProcess
  public let port: Int

  /// - Parameter port: 0 takes a free one.
  public init(port: Int = 0, _ options: [String] = []) async throws {
    let python = try await PythonEnvironment.python(with: "aiosmtpd", of: "aiosmtpd")
    let script = packageRoot.appendingPathComponent("Tests/TestSupport/Mail/sink.py").path
    process = try ChildProcess(python, [script, String(port)] + options)
    let line = try await process.waitForLine(containing: "listening ")
    self.port = Int(line.split(separator: " ").last ?? "") ?? port
  }

  /// Every mail so far, in the order of arrival; copies too.
  public var mails: [JSONObject] {
    process.text.split(separator: "\n").filter { $0.hasPrefix("{") }
      .compactMap { try? JSONValue(parsing: Array($0.utf8)).object }
  }

  /// What it has written: for tests that fail.
  public var text: String { process.text }

  /// Ends it at once, as a machine that goes down does.
  public func stop() async throws {
    process.send(SIGKILL)
    _ = try await process.waitForExit()
  }

  public func send(_ signal: Int32) { process.send(signal) }
}

/// A certificate for 127.0.0.1 that nobody knows, made by `openssl`.
public struct TestCertificate: Sendable {
  public let certificate: String
  public let key: String

  public static var canBeMade: Bool { ChildProcess.find("openssl") != nil }

  public init() async throws {
    let folder = try temporaryFolder()
    certificate = folder.appendingPathComponent("certificate.pem").path
    key = folder.appendingPathComponent("key.pem").path
    guard let openssl = ChildProcess.find("openssl") else {
      throw PythonEnvironment.CannotBeMade(reason: "openssl is not installed")
    }
    let made = try await ChildProcess.run(
      openssl,
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
        "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key,
      ])
    guard made.status == 0 else { throw PythonEnvironment.CannotBeMade(reason: made.output) }
  }
}
