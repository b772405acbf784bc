import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The open event streams of one route: how many there may be, and what wakes them.
///
/// Each stream reads its source a page at a time, and the next page when the client has taken the last one. So a slow
/// client costs a page of memory and nobody else's time; one that does not read at all is cut off. Nothing is missed or
/// repeated: where a stream stands is a number, which the client gives back in `Last-Event-ID` when it comes again.
///
/// Threads: every member may be called from any, and none blocks.
public final class EventStreams: Sendable {
  private struct Open {
    var wakes: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var nextID: UInt64 = 0
  }

  let limits: EventStreamLimits
  private let open = Mutex(Open())

  public init(limits: EventStreamLimits = EventStreamLimits()) {
    self.limits = limits
  }

  /// Has all streams look at their source. To be called after each commit that changes it.
  public func wake() {
    for wakes in open.withLock({ Array($0.wakes.values) }) { wakes.yield() }
  }

  /// How many streams are open.
  public var count: Int { open.withLock { $0.wakes.count } }

  /// Answers with the events of `source` that come from now on, or, with `Last-Event-ID`, all after that one.
  ///
  /// The answer ends when the client goes, when it does not read, and when the service shuts down.
  ///
  /// - Throws: ``Problem`` 503 where too many streams are open, 422 for a `Last-Event-ID` that is none.
  public func respond(
    to request: Request, _ context: ServiceRequestContext, from source: EventStreamSource
  ) async throws -> Response {
    let last = try await source.last()
    // A number from beyond the end is from another life of the store: a restored backup counts on from where it was.
    let start = min(try lastEventID(of: request) ?? last, last)
    let place = try takePlace()
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
      body: ResponseBody { writer in
        let stream = EventStream(place: place, source: source, limits: self.limits, context: context)
        try await stream.run(from: start, &writer)
        try await writer.finish(nil)
      })
  }

  private func lastEventID(of request: Request) throws(Problem) -> Int64? {
    guard let text = request.headers[.lastEventID] else { return nil }
    guard let number = Int64(text), number >= 0 else {
      throw Problem.unprocessable(pointer: "/Last-Event-ID", "is not the id of an event of this stream")
    }
    return number
  }

  private func takePlace() throws(Problem) -> Place {
    let (stream, wakes) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = open.withLock { open -> UInt64? in
      guard open.wakes.count < limits.streams else { return nil }
      open.nextID += 1
      open.wakes[open.nextID] = wakes
      return open.nextID
    }
    guard let id else { throw Problem.unavailable("Too many event streams are open.", retryAfter: 5) }
    return Place(streams: self, id: id, wakes: stream, signals: wakes)
  }

  fileprivate func leave(_ id: UInt64) {
    open.withLock { $0.wakes[id] = nil }
  }

  /// A place among the open streams, given back when the last reference goes: a HEAD is answered without ever asking
  /// for the body.
  final class Place: Sendable {
    let wakes: AsyncStream<Void>
    let signals: AsyncStream<Void>.Continuation
    private let streams: EventStreams
    private let id: UInt64

    fileprivate init(
      streams: EventStreams, id: UInt64, wakes: AsyncStream<Void>, signals: AsyncStream<Void>.Continuation
    ) {
      self.streams = streams
      self.id = id
      self.wakes = wakes
      self.signals = signals
    }

    deinit { streams.leave(id) }
  }
}

extension HTTPField.Name {
  fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID")!
  /// Has proxies pass on what they get.
  fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
