import ArgumentParser
import WireFormat

/// Places many orders, follows them to their end, and says how long each stretch of the way took.
struct Load: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Places many orders, follows each to its last mail, and reports rates and latencies.",
    discussion: """
      Without --rate each connection sends its next order when it has its answer (a closed loop). With --rate orders \
      are due at fixed moments, and their latency counts from there, so that a service that stalls is not flattered \
      by orders that could not be sent meanwhile.

      The products load-product-1, -2, ... are made where they are missing, and restocked where they would not do. \
      Requests that are refused for now (429, 503) are sent again after Retry-After, and counted. Ends with 1 when an \
      order was not accepted in the end, or got lost on its way.
      """)

  @Option(help: ArgumentHelp("How many orders.", valueName: "n"))
  var orders: Int

  @Option(help: ArgumentHelp("Orders a second. (default: as fast as they are answered)", valueName: "orders/s"))
  var rate: Double?

  @Option(
    help: ArgumentHelp("Connections, each with one request at a time. (default: 16; with --rate 256)", valueName: "n"))
  var concurrency: Int?

  @Option(help: ArgumentHelp("How many customers.", valueName: "n"))
  var customers = 100

  @Option(help: ArgumentHelp("How many products.", valueName: "n"))
  var products = 10

  @Option(
    help: ArgumentHelp("How long nothing may happen before what is missing counts as lost.", valueName: "seconds"))
  var timeout = 60

  @Flag(help: "Prints the report as JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard (1...10_000_000).contains(orders) else { throw ValidationError("--orders has to be from 1 to 10000000") }
    guard rate.map({ $0 >= 0.01 && $0 <= 1_000_000 }) ?? true else {
      throw ValidationError("--rate has to be from 0.01 to 1000000 orders a second")
    }
    guard concurrency.map((1...4096).contains) ?? true else {
      throw ValidationError("--concurrency has to be from 1 to 4096")
    }
    guard (1...1_000_000).contains(customers) else { throw ValidationError("--customers has to be from 1 to 1000000") }
    guard (1...10_000).contains(products) else { throw ValidationError("--products has to be from 1 to 10000") }
    guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout has to be from 1 to 86400 seconds") }
  }

  func run() async throws {
    let services = try stackOptions.stack().clients
    let plan = LoadPlan(
      orders: orders, pace: rate.map { .openLoop(ordersPerSecond: $0) } ?? .closedLoop,
      concurrency: concurrency ?? (rate == nil ? 16 : 256), customers: customers, products: products)
    _ = try await plan.prepareStock(in: services.inventory)
    let bar = ProgressBar("placing orders", of: orders)
    let intake = try await LoadGenerator(plan: plan, orders: services.order, progress: bar).run()
    bar.clear()
    let ends = try await LoadFollower(services: services, patience: .seconds(timeout)).follow(intake.accepted)
    let report = LoadReport(plan: plan, intake: intake, ends: ends)
    if json {
      Output.standard.line(bytes: report.jsonBytes)
    } else {
      for line in report.lines(palette: Output.standard.palette) { Output.standard.line(line) }
    }
    guard report.holds else { throw ExitCode.failure }
  }
}
