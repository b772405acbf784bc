import Synchronization
import WireFormat

/// A step on the way of an order, as it was seen from here.
struct OrderStep: Sendable, Hashable, JSONEncodable {
  var name: String
  var detail: String
  /// Since just before the order was sent.
  var elapsed: Duration

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("step", name)
      json.member("detail", detail)
      json.member("elapsed_ms", elapsed.milliseconds)
    }
  }
}

/// Prints the steps of an order as they happen, and keeps them. Any thread.
final class OrderSteps: Sendable {
  private let start: ContinuousClock.Instant
  private let output: Output?
  private let steps = Mutex<[OrderStep]>([])

  /// - Parameter output: nil to print nothing.
  init(start: ContinuousClock.Instant, output: Output?) {
    self.start = start
    self.output = output
  }

  func happened(_ name: String, _ detail: String, _ colour: Colour) {
    steps.withLock { steps in
      let step = OrderStep(name: name, detail: detail, elapsed: .now - start)
      steps.append(step)
      guard let output else { return }
      let time = step.elapsed.brief
      let padding = String(repeating: " ", count: max(0, 8 - time.count))
      let column = name.padding(toLength: max(name.count, 12), withPad: " ", startingAt: 0)
      output.line("\(padding)\(time)  \(output.palette.paint(column, colour))  \(detail.printable)")
    }
  }

  /// In the order in which they happened.
  var all: [OrderStep] { steps.withLock { $0 } }
}
