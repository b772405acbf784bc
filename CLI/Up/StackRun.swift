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
    let keepers = try plans.enumerated().map { index, plan in
      let log = try log(of: plan, colour: Self.colours[index % Self.colours.count])
      return Task { await supervisor.keepRunning(plan, log: log) }
    }
    let start = Task {
      do {
        try await becomeReady(supervisor)
      } catch let failure as Failure {
        ending.yield(.failed(failure, lastLines: []))
      } catch {}
    }
    // The first signal asks, any further one kills.
    let listener = Task {
      var isFirst = true
      for await _ in signals.received {
        if isFirst { ending.yield(.asked) } else { sayKilled(await supervisor.kill()) }
        isFirst = false
      }
    }
    defer { listener.cancel() }

    let reason = await endings.first { _ in true } ?? .asked
    start.cancel()
    let wasKilled = await stop(supervisor, keepers)
    if case .failed(let failure, let lastLines) = reason {
      for line in lastLines { screen.line("  \(line)") }
      throw failure
    }
    if wasKilled { throw Failure("not every service ended in order; what was killed is finished at the next start") }
  }

  private func becomeReady(_ supervisor: Supervisor) async throws {
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for plan in plans {
        group.addTask {
          screen.line("\(plan.processName): starting on \(plan.url)")
          try await Readiness(client: ServiceClient(name: plan.processName, baseURL: plan.url)).wait {
            screen.line("\(plan.processName): not ready yet: \($0)")
          }
          screen.line("\(plan.processName): ready after \((.now - start).brief)")
        }
      }
      try await group.waitForAll()
    }
    let file = readyFile
    let stack = Stack(file)
    if hasDemoStock {
      let inventory = ServiceClient(
        name: ServiceName.inventory, baseURL: stack.inventoryService,
        token: AccessToken.token(for: ["read", "stock"], environment: environment.inherited))
      let missing = try await DemoStock.putMissing(into: inventory)
      screen.line("Demo stock: \(DemoStock.products.count) products, \(missing) of them new")
    }
    try await supervisor.announce(file, at: readyFiles)
    let greeting = Greeting(
      stack: stack, paths: environment.paths, hasDemoStock: hasDemoStock,
      wantsToken: environment.inherited["API_TOKENS"]?.isEmpty == false)
    for line in greeting.lines(palette: screen.output.palette) { screen.line(line) }
  }

  /// - Returns: whether something had to be killed.
  private func stop(_ supervisor: Supervisor, _ keepers: [Task<Void, Never>]) async -> Bool {
    screen.line("Stopping the services")
    for path in readyFiles { unlink(path) }
    await supervisor.stop()
    for keeper in keepers { keeper.cancel() }
    let deadline = Task {
      try await Task.sleep(for: Supervisor.patience)
      sayKilled(await supervisor.kill())
    }
    for keeper in keepers { await keeper.value }
    deadline.cancel()
    return await supervisor.hasKilled
  }

  private func sayKilled(_ names: [String]) {
    guard !names.isEmpty else { return }
    screen.line(screen.output.palette.paint("Killed \(names.joined(separator: ", "))", .red))
  }

  private var readyFile: ReadyFile {
    func url(_ service: String) -> String { plans.first { $0.service == service }?.url ?? "" }
    return ReadyFile(
      bootstrapServers: environment.bootstrapServers, isEmbeddedBroker: environment.isEmbeddedBroker,
      orderService: url(ServiceName.order), inventoryService: url(ServiceName.inventory),
      notificationService: url(ServiceName.notification), processID: getpid(), processIDs: [:],
      instances: Dictionary(grouping: plans.filter { $0.instance > 1 }, by: \.service).mapValues { $0.map(\.url) })
  }

  private func log(of plan: ServicePlan, colour: Colour) throws -> ProcessLog {
    let width = plans.reduce(0) { max($0, $1.processName.count) }
    return try ProcessLog(path: environment.paths.log(of: plan.processName)) { [screen] line in
      screen.line(line, of: plan.processName, width: width, in: colour)
    }
  }

  private static let colours: [Colour] = [.cyan, .magenta, .blue]
}
