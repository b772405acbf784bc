import AsyncHTTPClient
import Foundation
import Synchronization
import WireFormat

/// Places the orders of a plan over connections that stay open.
struct LoadGenerator: Sendable {
  let plan: LoadPlan
  let orders: ServiceClient
  let progress: ProgressBar

  /// A request that is refused (429, 503) for this long is given up.
  static let patience = Duration.seconds(60)

  /// Returns when every order has been accepted or given up.
  ///
  /// - Throws: `CancellationError`
  func run() async throws -> LoadIntake {
    let tally = LoadTally(start: .now)
    try await HTTPClient.withHTTPClient(configuration: ServiceClient.http(connections: plan.concurrency)) { http in
      let client = orders.over(http)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<min(plan.concurrency, plan.orders) {
          group.addTask { try await work(with: client, tally) }
        }
        try await group.waitForAll()
      }
    }
    return tally.finish()
  }

  private func work(with client: ServiceClient, _ tally: LoadTally) async throws {
    while let number = tally.next(below: plan.orders) {
      // In an open loop the latency counts from the moment that the plan has for the order: a service that stalls is
      // charged for all the orders that had to wait meanwhile, also for those that were not sent yet.
      let due = plan.dueTime(of: number).map { tally.start + $0 }
      if let due { try await Task.sleep(until: due, tolerance: .zero, clock: .continuous) }
      let start = due ?? .now
      let result = try await place(try plan.order(number), with: client, tally)
      tally.note(result, after: .now - start)
      progress.show(tally.done, "\(Int(Double(tally.done) / tally.elapsed.seconds).grouped)/s")
    }
  }

  private func place(
    _ order: OrderRequest, with client: ServiceClient, _ tally: LoadTally
  ) async throws -> Result<PlacedOrder, Failure> {
    let body = order.jsonBytes
    let deadline = ContinuousClock.now + Self.patience
    while true {
      let answer: ServiceClient.Answer
      do {
        answer = try await client.exchange("POST", "/orders", body: body)
      } catch let error as ServiceClient.NoAnswer {
        return .failure(Failure("no answer: \(error.reason)"))
      }
      if answer.status == 201, let placed = PlacedOrder(answer.body) { return .success(placed) }
      guard answer.isRefusedForNow, .now < deadline else { return .failure(Failure(answer.problem)) }
      tally.noteRefusal(answer.status)
      try await Task.sleep(for: answer.retryAfter ?? .seconds(1))
    }
  }
}

extension ServiceClient.Answer {
  /// Overloaded or full: the same request may succeed later, and has had no effect.
  var isRefusedForNow: Bool { status == 429 || status == 503 }
}

extension Duration {
  /// Seconds with a fraction.
  var seconds: Double { self / .seconds(1) }
}

/// An order as its acceptance told it.
struct PlacedOrder: Sendable, Hashable {
  var id: String
  var createdAt: Timestamp

  init?(_ body: [UInt8]) {
    guard let order = (try? JSONElement(parsing: body))?.object, let id = order["order_id"]?.string,
      let createdAt = order["created_at"]?.timestamp
    else { return nil }
    self.id = id
    self.createdAt = createdAt
  }
}

/// What came of placing the orders.
struct LoadIntake: Sendable {
  var accepted: [PlacedOrder] = []
  var latencies = LatencyHistogram()
  var elapsed = Duration.zero
  /// Answers that asked to come again later, by their status.
  var refusals: [Int: Int] = [:]
  /// Orders that were given up, and the first few reasons.
  var failed = Offenders()

  var acceptedPerSecond: Double { elapsed > .zero ? Double(accepted.count) / elapsed.seconds : 0 }
}

/// Gathers what the connections report. Any thread.
private final class LoadTally: Sendable {
  let start: ContinuousClock.Instant
  private let taken = Atomic(0)
  private let finished = Atomic(0)
  private let intake = Mutex(LoadIntake())

  init(start: ContinuousClock.Instant) {
    self.start = start
  }

  var done: Int { finished.load(ordering: .relaxed) }
  var elapsed: Duration { max(.now - start, .microseconds(1)) }

  func next(below end: Int) -> Int? {
    let number = taken.add(1, ordering: .relaxed).oldValue
    return number < end ? number : nil
  }

  func note(_ result: Result<PlacedOrder, Failure>, after latency: Duration) {
    intake.withLock { intake in
      switch result {
      case .success(let order):
        intake.accepted.append(order)
        intake.latencies.record(latency)
      case .failure(let failure):
        intake.failed.add(failure.description)
      }
    }
    finished.add(1, ordering: .relaxed)
  }

  func noteRefusal(_ status: Int) {
    intake.withLock { $0.refusals[status, default: 0] += 1 }
  }

  func finish() -> LoadIntake {
    intake.withLock { intake in
      intake.elapsed = .now - start
      return intake
    }
  }
}
