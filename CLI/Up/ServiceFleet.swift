import Foundation

/// The service processes of one stack, from their start to the last one's end.
struct ServiceFleet: Sendable {
  let plans: [ServicePlan]
  let supervisor: Supervisor
  private let environment: ChildEnvironment
  private let screen: Screen
  private let keepers: [Task<Void, Never>]

  /// Starts a process for each plan; the supervisor starts it again whenever it dies, until ``stop()``.
  ///
  /// - Throws: ``Failure`` when a log file cannot be written.
  init(plans: [ServicePlan], environment: ChildEnvironment, screen: Screen, supervisor: Supervisor) throws {
    self.plans = plans
    self.supervisor = supervisor
    self.environment = environment
    self.screen = screen
    let width = plans.reduce(0) { max($0, $1.processName.count) }
    let logs = try plans.enumerated().map { index, plan in
      let colour = Self.colours[index % Self.colours.count]
      return try ProcessLog(path: environment.paths.log(of: plan.processName)) { line in
        screen.line(line, of: plan.processName, width: width, in: colour)
      }
    }
    keepers = zip(plans, logs).map { plan, log in Task { await supervisor.keepRunning(plan, log: log) } }
  }

  /// Returns when every service is ready, and says so of each.
  ///
  /// - Throws: `CancellationError`
  func waitUntilReady() async throws {
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
  }

  /// Ends every process in order; those that have not ended after ``Supervisor/patience`` are killed.
  ///
  /// - Returns: whether something had to be killed.
  func stop() async -> Bool {
    await supervisor.stop()
    for keeper in keepers { keeper.cancel() }
    let deadline = Task {
      try await Task.sleep(for: Supervisor.patience)
      await kill()
    }
    for keeper in keepers { await keeper.value }
    deadline.cancel()
    return await supervisor.hasKilled
  }

  /// Ends what is still running at once, and says what that was.
  func kill() async {
    let names = await supervisor.kill()
    guard !names.isEmpty else { return }
    screen.line(screen.output.palette.paint("Killed \(names.joined(separator: ", "))", .red))
  }

  /// What `ready.json` says of these processes, without their ids.
  var readyFile: ReadyFile {
    func url(_ service: String) -> String { plans.first { $0.service == service }?.url ?? "" }
    return ReadyFile(
      bootstrapServers: environment.bootstrapServers, isEmbeddedBroker: environment.isEmbeddedBroker,
      orderService: url(ServiceName.order), inventoryService: url(ServiceName.inventory),
      notificationService: url(ServiceName.notification), processID: getpid(), processIDs: [:],
      instances: Dictionary(grouping: plans.filter { $0.instance > 1 }, by: \.service).mapValues { $0.map(\.url) })
  }

  private static let colours: [Colour] = [.cyan, .magenta, .blue]
}
