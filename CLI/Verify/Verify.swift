import ArgumentParser
import WireFormat

/// Checks the promises of the whole system from outside.
struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Asks the services and the topics, and checks the system's invariants over all orders.",
    discussion: """
      1 every order has reached its end; 2 reservations fit their orders; 3 stock adds up; 4 one mail per order and \
      kind; 5 everything is published, in order; 6 only what is hopeless is in a dead letter queue. Orders with an \
      open dead letter are listed apart, and so are reservations of orders that OrderService never had.

      Invariants hold once things are quiet, so it waits for that first: until nothing is pending, unpublished or \
      unread, at most --settle seconds. Ends with 1 when an invariant is broken.

      That orders leave on_hand alone cannot be seen in one look; what is checked is available = on_hand - reserved.
      """)

  @Option(
    name: [.customLong("settle"), .customLong("timeout")],
    help: ArgumentHelp("How long to wait for quiet at most; 0 looks at once.", valueName: "seconds"))
  var settle = 10

  @Option(help: ArgumentHelp("How many offenders to print of each invariant.", valueName: "n"))
  var offenders = 5

  @Flag(help: "Prints the verdict as JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func validate() throws {
    guard (0...86_400).contains(settle) else { throw ValidationError("--settle has to be from 0 to 86400 seconds") }
    guard (0...Offenders.kept).contains(offenders) else {
      throw ValidationError("--offenders has to be from 0 to \(Offenders.kept)")
    }
  }

  func run() async throws {
    let stack = try brokerOptions.stack()
    let progress = Progress()
    defer { progress.clear() }
    let unrest = try await Settling(stack: stack, progress: progress).wait(upTo: .seconds(settle))
    progress.clear()
    let verdict = Verdict(on: try await Look(stack: stack, progress: progress).take(isQuiet: unrest == nil))
    progress.clear()
    if json {
      Output.standard.line(bytes: verdict.jsonBytes)
    } else {
      let report = VerdictReport(verdict: verdict, unrest: unrest, offendersShown: offenders)
      for line in report.lines(palette: Output.standard.palette) { Output.standard.line(line) }
    }
    guard verdict.holds else { throw ExitCode.failure }
  }
}
