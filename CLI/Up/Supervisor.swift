import Foundation

/// Keeps the service processes running until it is told to stop: one that dies is started again, with a growing wait
/// between. Says on the screen what happens.
actor Supervisor {
  /// A child that has died this often in a row before the stack was ever ready will not come up by itself.
  static let deathsDuringStart = 3
  /// A service ends within 10 s of a SIGTERM; beyond this it is killed.
  static let patience = Duration.seconds(15)

  private let executables: String
  private let environment: ChildEnvironment
  private let lifeline: Int32
  private let screen: Screen
  /// Told, with the last lines it wrote, when a child cannot be kept running. At most once a child.
  private let giveUp: @Sendable (_ reason: Failure, _ lastLines: [String]) -> Void
  private let restarts: RestartPolicy
  private let onEnd: @Sendable (ProcessEnd) -> Void
  private var running: [ServicePlan: ChildProcess] = [:]
  private var isStarting = true
  private var isStopping = false
  /// Whether ``kill()`` found something to kill.
  private(set) var hasKilled = false
  private var announcement: (file: ReadyFile, paths: [String])?

  /// - Parameters:
  ///   - executables: the directory of the services' executables.
  ///   - lifeline: the read end of a pipe whose write end only this process holds.
  ///   - restarts: how soon a child that died is started again.
  ///   - onEnd: told of every child that ends before ``stop()``.
  init(
    executables: String, environment: ChildEnvironment, lifeline: Int32, screen: Screen,
    restarts: RestartPolicy = RestartPolicy(), onEnd: @escaping @Sendable (ProcessEnd) -> Void = { _ in },
    giveUp: @escaping @Sendable (_ reason: Failure, _ lastLines: [String]) -> Void
  ) {
    self.executables = executables
    self.environment = environment
    self.lifeline = lifeline
    self.screen = screen
    self.restarts = restarts
    self.onEnd = onEnd
    self.giveUp = giveUp
  }

  /// Runs `plan`'s process again and again; returns once it has ended after ``stop()``. Cancellation ends the wait
  /// before a restart.
  func keepRunning(_ plan: ServicePlan, log: ProcessLog) async {
    var policy = restarts
    while !isStopping {
      let startedAt = ContinuousClock.now
      let exit: ChildProcess.Exit
      let process: pid_t
      do {
        let child = try start(plan)
        process = child.processID
        if policy.deathsInARow > 0 { say(plan, "runs again (process \(child.processID))", .green) }
        exit = try await child.run { log.take($0) }
      } catch {
        return giveUp(Failure("\(plan.processName): \(error)"), [])
      }
      log.finish()
      noteEnd(of: plan, exit)
      guard !isStopping else { return }
      onEnd(ProcessEnd(plan: plan, process: process, startedAt: startedAt, exit: exit, lastLines: log.lastLines))
      let delay = policy.delay(afterLifeOf: .now - startedAt)
      if isStarting, policy.deathsInARow >= Self.deathsDuringStart {
        return giveUp(
          Failure("\(plan.processName) does not come up: \(exit), \(policy.deathsInARow) times in a row"),
          log.lastLines)
      }
      say(plan, "ended (\(exit)); starts again in \(delay.brief)", .red)
      try? await Task.sleep(for: delay)
    }
  }

  /// Everything is ready: from now on children are started again for ever, and `file` at `paths` names the processes
  /// there are.
  func announce(_ file: ReadyFile, at paths: [String]) throws {
    guard !isStopping else { return }
    isStarting = false
    announcement = (file, paths)
    try writeAnnouncement()
  }

  /// Asks every child to end, and starts none any more.
  func stop() {
    isStopping = true
    announcement = nil
    for child in running.values {
      child.send(SIGTERM)
      // One that is stopped would not hear it.
      child.send(SIGCONT)
    }
  }

  /// Ends what is still running at once; returns the names.
  func kill() -> [String] {
    isStopping = true
    hasKilled = hasKilled || !running.isEmpty
    for child in running.values { child.send(SIGKILL) }
    return running.keys.map(\.processName).sorted()
  }

  /// Sends `signal` to the process that runs `plan` now.
  ///
  /// - Returns: that process, nil when none runs.
  func send(_ signal: Int32, to plan: ServicePlan) -> ChildProcess? {
    guard let child = running[plan] else { return nil }
    child.send(signal)
    return child
  }

  private func start(_ plan: ServicePlan) throws -> ChildProcess {
    let child = try ChildProcess(
      executable: "\(executables)/\(plan.service)", environment: environment.variables(for: plan), lifeline: lifeline)
    running[plan] = child
    updateAnnouncement()
    return child
  }

  private func noteEnd(of plan: ServicePlan, _ exit: ChildProcess.Exit) {
    running[plan] = nil
    updateAnnouncement()
    guard isStopping else { return }
    say(plan, exit == .exited(0) ? "stopped" : "ended: \(exit)", exit == .exited(0) ? .grey : .yellow)
  }

  private func updateAnnouncement() {
    do {
      try writeAnnouncement()
    } catch {
      screen.line(screen.output.palette.paint("\(error)", .red))
    }
  }

  private func writeAnnouncement() throws(Failure) {
    guard var announcement else { return }
    let inOrder = running.sorted { $0.key.instance < $1.key.instance }
    announcement.file.processIDs = Dictionary(grouping: inOrder, by: \.key.service)
      .mapValues { $0.map(\.value.processID) }
    for path in announcement.paths { try announcement.file.save(path: path) }
  }

  private func say(_ plan: ServicePlan, _ text: String, _ colour: Colour) {
    screen.line(screen.output.palette.paint("\(plan.processName) \(text)", colour))
  }
}

/// The end of a child that nobody had asked to stop for good.
struct ProcessEnd: Sendable, Hashable {
  var plan: ServicePlan
  var process: Int32
  var startedAt: ContinuousClock.Instant
  var exit: ChildProcess.Exit
  /// The last lines it wrote, the oldest first.
  var lastLines: [String]
}
