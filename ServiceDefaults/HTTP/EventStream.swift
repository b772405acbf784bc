import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// One event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).
public struct ServerSentEvent: Sendable {
  /// What a client that comes back says it has had last.
  public var id: Int64
  public var name: String
  /// JSON on one line.
  public var data: [UInt8]

  public init(id: Int64, name: String, data: [UInt8]) {
    self.id = id
    self.name = name
    self.data = data
  }

  func write(to buffer: inout ByteBuffer) {
    buffer.writeString("id: \(id)\nevent: \(name)\ndata: ")
    buffer.writeBytes(data)
    buffer.writeString("\n\n")
  }
}

/// The next events of a stream, and where they end.
public struct EventPage: Sendable {
  public var events: [ServerSentEvent]
  public var position: Int64

  public init(events: [ServerSentEvent], position: Int64) {
    self.events = events
    self.position = position
  }
}

extension Request {
  /// What a client that lost its stream has had last: `Last-Event-ID`. Nil for none, and for what is none of ours.
  public var lastEventID: Int64? {
    HTTPField.Name("Last-Event-ID").flatMap { headers[$0] }.flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }
}

extension Response {
  /// Runs a body with a call that it can be woken by.
  public typealias Wakes =
    @Sendable (_ wake: @escaping @Sendable () -> Void, _ body: () async throws -> Void) async throws -> Void

  /// An answer without an end: events as they happen, until the client goes or the service shuts down.
  ///
  /// Nothing is kept for a slow client: the next page is read when it has taken the last one, so the store is the buffer.
  /// While nothing happens a comment goes out now and then, which finds clients that are gone.
  ///
  /// - Parameters:
  ///   - position: where to begin; nil for what happens from now on.
  ///   - wakes: announces events of this process. Those of other instances are found by looking, once a second.
  ///   - next: the events behind a position. Asked again at once while there are some.
  public static func events(
    resumingAfter position: Int64?, _ context: ServiceRequestContext, heartbeat: Duration = .seconds(15),
    poll: Duration = .seconds(1), wakes: @escaping Wakes,
    next: @escaping @Sendable (_ position: Int64?) async throws -> EventPage
  ) -> Response {
    let body = ResponseBody { writer in
      let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
      let stop: @Sendable () -> Void = { continuation.finish() }
      // Listen first, then look: what happens in between is a signal that waits.
      try await wakes({ continuation.yield() }) {
        try await withGracefulShutdownHandler {
          try await context.whenClientDisconnects(stop) {
            try await withThrowingTaskGroup(of: Void.self) { group in
              group.addTask {
                while (try? await Task.sleep(for: poll)) != nil { continuation.yield() }
              }
              defer { group.cancelAll() }
              try await write(to: &writer, from: position, signals, heartbeat: heartbeat, next: next)
            }
          }
        } onGracefulShutdown: {
          stop()
        }
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"], body: body)
  }

  private static func write(
    to writer: inout any ResponseBodyWriter, from start: Int64?, _ signals: AsyncStream<Void>, heartbeat: Duration,
    next: (Int64?) async throws -> EventPage
  ) async throws {
    var page = try await next(start)
    // Says at once that the stream is open, and how soon to come back.
    try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
    var lastWrite = ContinuousClock.now
    var signals = signals.makeAsyncIterator()
    while true {
      if !page.events.isEmpty {
        var buffer = ByteBuffer()
        for event in page.events { event.write(to: &buffer) }
        try await writer.write(buffer)
        lastWrite = .now
      } else {
        guard await signals.next() != nil else { return }
        if ContinuousClock.now - lastWrite >= heartbeat {
          try await writer.write(ByteBuffer(string: ": still here\n\n"))
          lastWrite = .now
        }
      }
      page = try await next(page.position)
    }
  }
}

extension HTTPField.Name {
  /// Has proxies pass on what they get.
  fileprivate static var xAccelBuffering: Self { .init("X-Accel-Buffering")! }
}
