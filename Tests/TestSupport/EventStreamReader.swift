import AsyncHTTPClient
import NIOCore
import WireFormat

/// An event of a stream, as a client of server-sent events sees it.
public struct ReceivedEvent: Sendable, Hashable {
  public var id: String?
  public var name: String?
  public var data: String

  public init(id: String? = nil, name: String? = nil, data: String) {
    self.id = id
    self.name = name
    self.data = data
  }

  /// The data as JSON.
  public func json() throws -> JSONObject? { try JSONValue(parsing: Array(data.utf8)).object }
}

/// Reads an event stream. The connection is closed when the reader goes.
public struct EventStreamReader {
  public let status: Int
  public let contentType: String?
  /// How many comments have come: heartbeats, for the most part.
  public private(set) var comments = 0
  private var body: HTTPClientResponse.Body.AsyncIterator
  private var unread: [UInt8] = []
  private var lines: [String] = []

  fileprivate init(_ response: HTTPClientResponse) {
    status = Int(response.status.code)
    contentType = response.headers.first(name: "content-type")
    body = response.body.makeAsyncIterator()
  }

  /// Waits for the next event; nil at the end of the stream.
  public mutating func next() async throws -> ReceivedEvent? {
    while let line = try await nextLine() {
      if !line.isEmpty {
        lines.append(line)
        continue
      }
      defer { lines = [] }
      if let event = event() { return event }
    }
    return nil
  }

  /// Waits until so many comments have come.
  public mutating func waitForComments(_ count: Int) async throws {
    while comments < count, try await nextLine() != nil {}
  }

  private mutating func nextLine() async throws -> String? {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeFirst(end + 1)
        if line.hasPrefix(":") { comments += 1 }
        return line
      }
      guard let part = try await body.next() else { return nil }
      unread += Array(part.readableBytesView)
    }
  }

  private func event() -> ReceivedEvent? {
    var event = ReceivedEvent(data: "")
    for line in lines where !line.hasPrefix(":") {
      let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
      switch (parts.first, parts.count) {
      case ("id", 2): event.id = parts[1]
      case ("event", 2): event.name = parts[1]
      case ("data", 2): event.data += parts[1]
      default: break
      }
    }
    return event.data.isEmpty ? nil : event
  }
}

extension ServiceClient {
  /// Opens an event stream, and gives it up after `limit`.
  ///
  /// - Parameter lastEventID: what a client sends that was there before.
  public func stream<Result: Sendable>(
    _ path: String, lastEventID: String? = nil, within limit: Duration = .seconds(30),
    _ body: @escaping @Sendable (inout EventStreamReader) async throws -> Result
  ) async throws -> Result {
    var request = HTTPClientRequest(url: base + path)
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    if let lastEventID { request.headers.add(name: "last-event-id", value: lastEventID) }
    let sent = request
    return try await deadline(limit, "the events of \(path)") {
      var reader = EventStreamReader(try await HTTPClient.shared.execute(sent, timeout: .seconds(90)))
      return try await body(&reader)
    }
  }
}
