import Messaging

/// What waits for the writer, as a value: jobs come in at one end, batches go out at the other.
struct WriteQueue {
  /// What the writer does next.
  enum Step {
    case write([any WriteJob])
    /// Wait until ``add(_:)`` says that somebody has to be woken.
    case sleep
    case stop
  }

  let maximumBatch: Int
  let maximumWaiting: Int
  private var waiting: [any WriteJob] = []
  private var writerSleeps = false
  private var isStopping = false

  init(maximumBatch: Int, maximumWaiting: Int) {
    self.maximumBatch = max(1, maximumBatch)
    self.maximumWaiting = max(1, maximumWaiting)
  }

  var count: Int { waiting.count }

  /// - Returns: whether the writer has to be woken.
  /// - Throws: `StoreUnavailable` when the queue is full, or will not be worked off any more.
  mutating func add(_ job: any WriteJob) throws -> Bool {
    guard !isStopping else { throw StoreUnavailable("the store is closed") }
    guard waiting.count < maximumWaiting else {
      throw StoreUnavailable("overloaded: \(waiting.count) writes are waiting")
    }
    waiting.append(job)
    return wakeWriter()
  }

  /// What is in the queue will still be written; nothing more comes in.
  ///
  /// - Returns: whether the writer has to be woken.
  mutating func stop() -> Bool {
    isStopping = true
    return wakeWriter()
  }

  mutating func next() -> Step {
    guard !waiting.isEmpty else {
      if isStopping { return .stop }
      writerSleeps = true
      return .sleep
    }
    guard waiting.count > maximumBatch else {
      defer { waiting = [] }
      return .write(waiting)
    }
    defer { waiting.removeFirst(maximumBatch) }
    return .write(Array(waiting.prefix(maximumBatch)))
  }

  private mutating func wakeWriter() -> Bool {
    defer { writerSleeps = false }
    return writerSleeps
  }
}
