import NIOCore
import WireFormat

/// An element of an event stream, as browsers' `EventSource` reads it
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
public struct ServerSentEvent: Sendable, Hashable {
  /// The place in the stream, ascending. A client that comes back names the last one it has seen.
  public var id: Int64
  /// What kind of event it is.
  public var name: StaticName
  /// JSON without line breaks, as ``WireFormat/JSONWriter`` makes it.
  public var data: [UInt8]

  public init(id: Int64, name: StaticName, data: some JSONEncodable) {
    self.id = id
    self.name = name
    self.data = data.jsonBytes
  }

  /// A name from the code, never from a client: it may not have a line break.
  public struct StaticName: Sendable, Hashable, ExpressibleByStringLiteral {
    let text: String

    public init(stringLiteral text: String) { self.text = text }
  }

  func write(to buffer: inout ByteBuffer) {
    buffer.writeString("id: \(id)\nevent: \(name.text)\ndata: ")
    buffer.writeBytes(data)
    buffer.writeString("\n\n")
  }
}

/// Where the events of a stream come from: something that is numbered in the order in which it becomes visible.
public struct EventStreamSource: Sendable {
  /// The number of the last event there is; 0 before the first.
  public var last: @Sendable () async throws -> Int64
  /// At most so many events after a number, in their order; fewer only at the end.
  public var events: @Sendable (_ number: Int64, _ limit: Int) async throws -> [ServerSentEvent]

  public init(
    last: @escaping @Sendable () async throws -> Int64,
    events: @escaping @Sendable (_ number: Int64, _ limit: Int) async throws -> [ServerSentEvent]
  ) {
    self.last = last
    self.events = events
  }
}
