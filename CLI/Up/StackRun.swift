import Foundation
import MessagingKafka

/// One life of the stack: from the broker's start to the last child's end.
struct StackRun: Sendable {
  var plans: [ServicePlan]
  var executables: String
  var environment: ChildEnvironment
  var readyFiles: [String]
  var hasDemoStock: Bool
  var screen: Screen

  private enum Ending: Sendable {
    case asked
    case failed(Failure, lastLines: [String])
  }

  /// Starts every process, says when all is ready, and keeps it so until a signal comes.
  ///
  /// - Throws: ``Failure`` when the start failed, or something had to be killed at the end. Nothing runs then.
  func run(signals: EndSignals, lifeline: DescriptorPipe) async throws {
    let (endings, ending) = AsyncStream.makeStream(of: Ending.self)
    let supervisor = Supervisor(
      executables: executables, environment: environment, lifeline: lifeline.readEnd, screen: screen,
      giveUp: { ending.yield(.failed($0, lastLines: $1)) })
    let fleet = try ServiceFleet(plans: plans, environment: environment, screen: screen, supervisor: supervisor)
    let start = Task {
      do {
        try await becomeReady(fleet)
      } catch let failure as Failure {
        ending.yield(.failed(failure, lastLines: []))
      } catch {}
    }
    // The first signal asks, any further one kills.
    let listener = Task {
      var isFirst = true
      for await _ in signals.received {
        if isFirst { ending.yield(.asked) } else { await fleet.kill() }
        isFirst = false
      }
    }
    defer { listener.cancel() }

    let reason = await endings.first { _ in true } ?? .asked
    start.cancel()
    screen.line("Stopping the services")
    for path in readyFiles { unlink(path) }
    let wasKilled = await fleet.stop()
    if case .failed(let failure, let lastLines) = reason {
      for line in lastLines { screen.line("  \(line)") }
      throw failure
    }
    if wasKilled { throw Failure("not every service ended in order; what was killed is finished at the next start") }
  }

  private func becomeReady(_ fleet: ServiceFleet) async throws {
    try await fleet.waitUntilReady()
    let file = fleet.readyFile
    let stack = Stack(file)
    if hasDemoStock {
      let inventory = ServiceClient(
        name: ServiceName.inventory, baseURL: stack.inventoryService,
        token: AccessToken.token(for: ["read", "stock"], environment: environment.inherited))
      let missing = try await DemoStock.putMissing(into: inventory)
      screen.line("Demo stock: \(DemoStock.products.count) products, \(missing) of them new")
    }
    try await fleet.supervisor.announce(file, at: readyFiles)
    let greeting = Greeting(
      stack: stack, paths: environment.paths, hasDemoStock: hasDemoStock,
      wantsToken: environment.inherited["API_TOKENS"]?.isEmpty == false)
    for line in greeting.lines(palette: screen.output.palette) { screen.line(line) }
  }
}
