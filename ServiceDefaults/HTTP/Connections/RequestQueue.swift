import HTTPTypes
import NIOCore
import Synchronization

/// What has arrived on one connection, in order, for the one task that serves it.
///
/// While ``limit`` requests wait the connection is not read. What a reading brings is taken whole, so more can be there: as
/// many as fit NIO's 256 KiB a reading, or the kernel's buffer when the client has ended its side.
final class RequestQueue: Sendable {
  enum Arrival: Sendable {
    case request(HTTPRequest, body: ByteBuffer)
    /// No request, or one without its end. Nothing behind it can be understood.
    case unreadable(any Error)
    /// The client sends nothing more.
    case end
  }

  private struct State {
    var arrived = CircularBuffer<Arrival>(initialCapacity: 0)
    var consumer: CheckedContinuation<Arrival, Never>?
    /// Whether what was taken last is still being answered.
    var isServing = false
    var isOver = false
    var isReadHeld = false

    /// Whether a read was held back and may go on.
    mutating func releaseRead() -> Bool {
      guard isReadHeld, arrived.count < RequestQueue.limit else { return false }
      isReadHeld = false
      return true
    }
  }

  /// Pipelining is rare, and a request is small.
  private static let limit = 4

  private let channel: any Channel
  private let state = Mutex(State())

  init(of channel: any Channel) { self.channel = channel }

  /// Whether everything that has arrived was answered.
  var isIdle: Bool { state.withLock { !$0.isServing && $0.arrived.isEmpty } }

  /// What arrives after the end is dropped.
  func add(_ arrival: Arrival) {
    let consumer = state.withLock { state -> CheckedContinuation<Arrival, Never>? in
      guard !state.isOver else { return nil }
      if case .request = arrival {} else { state.isOver = true }
      guard let consumer = state.consumer else {
        state.arrived.append(arrival)
        return nil
      }
      state.consumer = nil
      state.isServing = true
      return consumer
    }
    consumer?.resume(returning: arrival)
  }

  /// The next arrival, waited for; after the last one ``Arrival/end``.
  func next() async -> Arrival {
    await withCheckedContinuation { consumer in
      let (arrival, reads) = state.withLock { state -> (Arrival?, Bool) in
        state.isServing = !state.arrived.isEmpty
        guard let arrival = state.arrived.popFirst() else {
          if state.isOver { return (.end, false) }
          state.consumer = consumer
          return (nil, false)
        }
        return (arrival, state.releaseRead())
      }
      if reads { channel.read() }
      if let arrival { consumer.resume(returning: arrival) }
    }
  }

  /// Nobody asks for requests any more: the connection is read to its end, and what comes is dropped.
  func close() {
    let reads = state.withLock { state in
      state.isOver = true
      state.arrived.removeAll()
      return state.releaseRead()
    }
    if reads { channel.read() }
  }

  /// Whether the connection may be read now; where not, it will be once there is room.
  func admitsRead() -> Bool {
    state.withLock { state in
      state.isReadHeld = state.arrived.count >= Self.limit
      return !state.isReadHeld
    }
  }
}
