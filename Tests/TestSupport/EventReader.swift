import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization
import WireFormat

/// Reads a stream of server-sent events as a browser does, and keeps what comes.
public final class EventReader: Sendable {
  private struct State {
    var text = ""
    var hasEnded = false
  }

  private let state: StateBox
  private let task: Task<Void, any Error>

  /// Returns when the stream is open.
  public init(_ url: String, lastEventID: String? = nil) async throws {
    var request = HTTPClientRequest(url: url)
    if let lastEventID { request.headers.add(name: "last-event-id", value: lastEventID) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(300))
    guard response.status == .ok, response.headers.first(name: "content-type") == "text/event-stream" else {
      throw NoStream(status: Int(response.status.code))
    }
    let state = StateBox()
    self.state = state
    task = Task {
      defer { state.value.withLock { $0.hasEnded = true } }
      for try await chunk in response.body {
        state.value.withLock { $0.text += String(buffer: chunk) }
      }
    }
    _ = try await eventually("the stream's first words") { state.value.withLock { $0.text.isEmpty } ? nil : true }
  }

  deinit { task.cancel() }

  /// Everything so far, comments too.
  public var text: String { state.value.withLock { $0.text } }

  /// Every event so far, whole ones only.
  public var events: [(id: String, name: String, data: JSONObject?)] {
    let text = text
    guard let end = text.range(of: "\n\n", options: .backwards) else { return [] }
    return text[..<end.lowerBound].components(separatedBy: "\n\n").compactMap { block in
      var fields: [String: String] = [:]
      for line in block.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2 { fields[String(parts[0])] = String(parts[1].drop { $0 == " " }) }
      }
      guard let data = fields["data"] else { return nil }
      return (fields["id"] ?? "", fields["event"] ?? "", try? JSONValue(parsing: Array(data.utf8)).object)
    }
  }

  /// Whether the server has ended it.
  public var hasEnded: Bool { state.value.withLock { $0.hasEnded } }

  private final class StateBox: Sendable {
    let value = Mutex(State())
  }

  public struct NoStream: Error {
    public let status: Int
  }
}
