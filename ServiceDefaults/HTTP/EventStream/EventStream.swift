import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// One client's event stream.
struct EventStream: Sendable {
  let place: EventStreams.Place
  let source: EventStreamSource
  let limits: EventStreamLimits
  let context: ServiceRequestContext
  private let clock = ContinuousClock()

  init(
    place: EventStreams.Place, source: EventStreamSource, limits: EventStreamLimits, context: ServiceRequestContext
  ) {
    self.place = place
    self.source = source
    self.limits = limits
    self.context = context
  }

  /// Writes events until the client goes or the service shuts down.
  ///
  /// - Throws: when the connection broke.
  func run(from start: Int64, _ writer: inout any ResponseBodyWriter) async throws {
    let stop: @Sendable () -> Void = { place.signals.finish() }
    var writer = WatchedWriter(writer)
    try await withGracefulShutdownHandler {
      try await context.whenClientDisconnects(stop) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          let watch = writer.watch
          group.addTask { try await tick(watch) }
          defer { group.cancelAll() }
          try await pass(on: start, &writer)
        }
      }
    } onGracefulShutdown: {
      stop()
    }
  }

  private func pass(on start: Int64, _ writer: inout WatchedWriter) async throws {
    var position = start
    var lastWrite = clock.now
    try await writer.write(ByteBuffer(string: ": open\nretry: 1000\n\n"))
    place.signals.yield()
    for await _ in place.wakes {
      var isBehind = true
      while isBehind, !Task.isShuttingDownGracefully {
        guard let events = await page(after: position) else { return }
        isBehind = events.count >= limits.page
        guard let last = events.last else { break }
        position = last.id
        var buffer = ByteBuffer()
        for event in events { event.write(to: &buffer) }
        try await writer.write(buffer)
        lastWrite = clock.now
      }
      if clock.now - lastWrite >= limits.heartbeat {
        try await writer.write(ByteBuffer(string: ":\n\n"))
        lastWrite = clock.now
      }
      try await clock.sleep(for: limits.pace)
    }
  }

  /// Nil when the source fails: the stream ends, and a client that comes again goes on at its last id.
  private func page(after position: Int64) async -> [ServerSentEvent]? {
    do {
      return try await source.events(position, limits.page)
    } catch {
      context.logger.warning(
        "Event stream ended: its source failed", metadata: ["error": "\(error)", "position": "\(position)"])
      return nil
    }
  }

  /// Wakes the stream now and then, and ends the connection of a client that does not read.
  private func tick(_ watch: WriteWatch) async throws {
    while true {
      try await clock.sleep(for: min(limits.safetyNet, limits.patience))
      if let start = watch.start, clock.now - start >= limits.patience {
        context.logger.notice("Event stream cut off: its client does not read")
        return context.channel.close(promise: nil)
      }
      place.signals.yield()
    }
  }
}

/// Since when a write has been waiting for its client.
private final class WriteWatch: Sendable {
  private let waitingSince = Mutex<ContinuousClock.Instant?>(nil)

  var start: ContinuousClock.Instant? {
    get { waitingSince.withLock { $0 } }
    set { waitingSince.withLock { $0 = newValue } }
  }
}

/// Writes, and lets others see how long it takes. A write returns when the kernel has taken it: only its buffers are ahead
/// of the client.
private struct WatchedWriter {
  let watch = WriteWatch()
  private var writer: any ResponseBodyWriter

  init(_ writer: any ResponseBodyWriter) { self.writer = writer }

  mutating func write(_ buffer: ByteBuffer) async throws {
    watch.start = .now
    try await writer.write(buffer)
    watch.start = nil
  }
}
