import HTTPTypes
import NIOCore
import Synchronization

/// What has arrived on one connection, in order, for the one task that serves it.
///
/// A direct route may answer in the task's place what comes while nothing is unanswered. Until it has, the task waits with
/// what comes behind.
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
    enum Answering {
      case task, directRoute
    }

    var arrived = CircularBuffer<Arrival>(initialCapacity: 0)
    /// The task, where it waits. It may still have to come for the first time, and it waits while a direct route answers.
    var consumer: CheckedContinuation<Arrival, Never>?
    /// Who answers what was taken last; nil once it is answered.
    var answering: Answering?
    var isOver = false
    var isReadHeld = false

    /// What the task is to answer now; nil while it has to wait.
    mutating func takeForTask() -> Arrival? {
      guard answering != .directRoute else { return nil }
      let arrival = arrived.popFirst() ?? (isOver ? .end : nil)
      answering = arrival == nil ? nil : .task
      return arrival
    }

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

  /// Whether everything that has arrived was answered, and more may come.
  var isIdle: Bool { state.withLock { $0.answering == nil && $0.arrived.isEmpty && !$0.isOver } }

  /// What arrives after the end is dropped.
  func add(_ arrival: Arrival) {
    let consumer = state.withLock { state -> CheckedContinuation<Arrival, Never>? in
      guard !state.isOver else { return nil }
      if case .request = arrival {} else { state.isOver = true }
      guard state.answering == nil, let consumer = state.consumer.take() else {
        state.arrived.append(arrival)
        return nil
      }
      state.answering = .task
      return consumer
    }
    consumer?.resume(returning: arrival)
  }

  /// The next arrival, waited for; after the last one ``Arrival/end``.
  func next() async -> Arrival {
    await withCheckedContinuation { giveNext(to: $0) }
  }

  private func giveNext(to consumer: CheckedContinuation<Arrival, Never>) {
    let (arrival, reads) = state.withLock { state -> (Arrival?, Bool) in
      let arrival = state.takeForTask()
      if arrival == nil { state.consumer = consumer }
      return (arrival, state.releaseRead())
    }
    if reads { channel.read() }
    if let arrival { consumer.resume(returning: arrival) }
  }

  /// A direct route answers what has just come, and was not added. Only while ``isIdle``.
  ///
  /// What comes until ``endDirectAnswer()`` waits, the connection's end too: the task does not end the connection before.
  func beginDirectAnswer() { state.withLock { $0.answering = .directRoute } }

  /// The direct route's answer is written. What has come meanwhile is the task's.
  func endDirectAnswer() {
    let consumer = state.withLock { state in
      state.answering = nil
      return state.arrived.isEmpty ? nil : state.consumer.take()
    }
    if let consumer { giveNext(to: consumer) }
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
