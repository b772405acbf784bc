import EventSchema
import Foundation
import Messaging
import MessagingKafka
import WireFormat

/// A stack of its own that is loaded and broken according to a plan, then left in peace and judged.
struct ChaosRun: Sendable {
  /// How long services may take to be ready, at the start and after the last fault.
  static let readinessPatience = Duration.seconds(60)
  /// A service that died is started again after this long at most: there is more to break.
  static let restartDelay = Duration.milliseconds(500)

  var plan: ChaosPlan
  var instances: Int
  var ordersPerSecond: Double
  /// How long the stack may take to become quiet.
  var settle: Duration
  var paths: StatePaths
  var disk: SmallDisk?
  var say: @Sendable (String) -> Void

  /// The parts of the running stack.
  private struct Stage: Sendable {
    var fleet: ServiceFleet
    var broker: EmbeddedBroker
    var stack: Stack
    var record: FaultRecord
    /// Yields when a service cannot be kept running.
    var failures: AsyncStream<Failure>
  }

  /// Returns the verdict, or throws why there is none. Nothing runs any more then.
  ///
  /// - Throws: ``Failure``, `CancellationError`.
  func run() async throws -> ChaosVerdict {
    let lock = try StateLock(paths)
    defer { withExtendedLifetime(lock) {} }
    let lifeline = try DescriptorPipe()
    let broker = try EmbeddedBroker(topics: Topics.all.map { ($0, ChaosPlan.partitions) })
    let result: Result<ChaosVerdict, any Error>
    do {
      let stage = try makeStage(broker, lifeline)
      do {
        var verdict = try await firstOf(stage.failures) { try await act(on: stage) }
        _ = await stage.fleet.stop()
        let number = verdict.verdict.findings.count + 1
        verdict.verdict.findings.append(try await StoresAreIntact.check(paths, number: number))
        result = .success(verdict)
      } catch {
        _ = await stage.fleet.stop()
        result = .failure(error)
      }
    } catch {
      result = .failure(error)
    }
    try? await DedicatedThread.run(named: "broker-close") { broker.close() }
    return try result.get()
  }

  private func makeStage(_ broker: EmbeddedBroker, _ lifeline: DescriptorPipe) throws -> Stage {
    let path = paths.log(of: "chaos")
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    let screen = Screen(output: Output(descriptor: descriptor))
    var inherited = ProcessInfo.processInfo.environment
    for name in ["API_TOKENS", "RATE_LIMIT", "SMTP_URL", "CONFIG_FILE", MountNamespace.mark] { inherited[name] = nil }
    let environment = ChildEnvironment(
      inherited: inherited, bootstrapServers: broker.bootstrapServers, isEmbeddedBroker: true, paths: paths,
      lifeline: ChildProcess.lifelineDescriptor, isTerminal: true)
    let free = try Ports.free(ServicePlan.freePortsNeeded(portBase: 0, instances: instances))
    let (failures, failure) = AsyncStream.makeStream(of: Failure.self)
    let record = FaultRecord()
    let supervisor = Supervisor(
      executables: try Executables.directory(), environment: environment, lifeline: lifeline.readEnd, screen: screen,
      restarts: RestartPolicy(maximumDelay: Self.restartDelay), onEnd: { record.note($0) },
      giveUp: { reason, lines in
        failure.yield(Failure(([reason.description] + lines).joined(separator: "\n  ")))
      })
    let fleet = try ServiceFleet(
      plans: ServicePlan.stack(portBase: 0, instances: instances, free: free), environment: environment,
      screen: screen, supervisor: supervisor)
    return Stage(
      fleet: fleet, broker: broker, stack: Stack(fleet.readyFile), record: record, failures: failures)
  }

  private func act(on stage: Stage) async throws -> ChaosVerdict {
    let stack = stage.stack
    try await waitUntilReady(stage)
    try await stage.fleet.supervisor.announce(stage.fleet.readyFile, at: [paths.readyFile])
    for product in ChaosLoad.stock { try await product.put(into: stack.clients.inventory) }
    let stray = try await strayRecords(stack)
    stray.start()
    say("ready: \(stack.orderService), \(stage.fleet.plans.count) processes; \(plan.steps.count) faults planned")

    let ledger = ChaosLedger()
    let drops = DropCounter(instances: stack.allInstances)
    let dropping = Task { await drops.run() }
    defer { dropping.cancel() }
    let start = ContinuousClock.now
    let injector = FaultInjector(
      fleet: stage.fleet, broker: stage.broker, stray: stray, disk: disk, record: stage.record, say: say)
    let load = ChaosLoad(
      orders: (stack.instances[ServiceName.order] ?? []).map { ServiceClient(name: ServiceName.order, baseURL: $0) },
      seed: plan.seed, rate: ordersPerSecond, ledger: ledger)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await injector.perform(plan, from: start) }
        group.addTask { try await load.run(until: start + plan.length) }
        try await group.waitForAll()
      }
    } catch {
      await stray.close(patience: .zero)
      throw error
    }
    try heal(stage.broker)
    let quietStart = ContinuousClock.now
    say("\((quietStart - start).stamp)  quiet     no more faults, no more orders; waiting until all settles")
    await stray.close(patience: .seconds(20))
    try await waitUntilReady(stage)
    let unrest = try await settled(stack)
    let quietAfter = ContinuousClock.now - quietStart
    await drops.ask()
    return try await judge(
      stage, ledger.now, drops, unrest: unrest, quietAfter: unrest == nil ? quietAfter : nil)
  }

  private func judge(
    _ stage: Stage, _ ledger: ChaosLedger.Contents, _ drops: DropCounter, unrest: String?, quietAfter: Duration?
  ) async throws -> ChaosVerdict {
    let progress = Progress()
    defer { progress.clear() }
    let observation = try await Look(stack: stage.stack, progress: progress).take(isQuiet: unrest == nil)
    var orders: [LedgerIsKept.Order] = []
    try await stage.stack.clients.order.pages("/orders", member: "orders") { rows in
      for object in rows {
        let row = Row(object: object, list: "OrderService's orders")
        orders.append(
          LedgerIsKept.Order(
            id: try row.text("order_id"), customer: try row.text("customer_id"), status: try row.text("status")))
      }
    }
    var verdict = Verdict(on: observation)
    verdict.findings.append(LedgerIsKept.check(ledger, orders, number: 7))
    verdict.findings.append(StockIsAsItWasPut.check(observation.products, number: 8))
    let faults = stage.record.now
    verdict.findings.append(NobodyDiedByItself.check(faults, number: 9))
    let open = observation.deadLetters.filter(\.isOpen)
    return ChaosVerdict(
      plan: plan, instances: instances, ledger: ledger, faults: faults, duplicatesDropped: await drops.dropped,
      deadLetters: open.reduce(into: [:]) { $0[$1.cause, default: 0] += 1 }, quietAfter: quietAfter, unrest: unrest,
      verdict: verdict, keptAt: nil)
  }

  private func strayRecords(_ stack: Stack) async throws -> StrayRecords {
    let seed = plan.seed
    return try await KafkaAccess.blocking(stack) {
      try StrayRecords(
        broker: KafkaAccess.broker(of: stack, environment: [:]), seed: seed)
    }
  }

  /// Ends what a fault that failed half way may have left, and the errors that no request has met.
  private func heal(_ broker: EmbeddedBroker) throws {
    try broker.setUp()
    try broker.setRoundTripTime(.zero)
    try disk?.makeRoom()
    for request in RequestErrors.Request.allCases { try broker.clearErrors(for: request.kafka) }
  }

  private func waitUntilReady(_ stage: Stage) async throws {
    try await within(Self.readinessPatience, "not every service is ready again") {
      try await stage.fleet.waitUntilReady()
    }
  }

  /// - Returns: what was still on its way at the end; nil when nothing was.
  private func settled(_ stack: Stack) async throws -> String? {
    let progress = Progress()
    defer { progress.clear() }
    return try await Settling(stack: stack, progress: progress).wait(upTo: settle)
  }
}

/// That orders leave `on_hand` alone can be checked by who has put the stock there.
enum StockIsAsItWasPut {
  static func check(_ products: [ObservedProduct], number: Int) -> Finding {
    var offenders = Offenders()
    let found = Dictionary(products.map { ($0.id, $0.onHand) }, uniquingKeysWith: { first, _ in first })
    for product in ChaosLoad.stock where found[product.id] != product.onHand {
      offenders.add(
        "\(product.id): on_hand was \(product.onHand) and is \(found[product.id].map(String.init) ?? "gone")")
    }
    return Finding(
      number: number, title: "Orders leave on_hand alone", figure: "\(ChaosLoad.stock.count) products",
      offenders: offenders)
  }
}

/// Runs `work`, unless a failure comes first.
private func firstOf<Value: Sendable>(
  _ failures: AsyncStream<Failure>, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask(operation: work)
    group.addTask {
      for await failure in failures { throw failure }
      return nil
    }
    defer { group.cancelAll() }
    while let value = try await group.next() {
      if let value { return value }
    }
    throw CancellationError()
  }
}

/// Runs `work` for `limit` at most.
private func within(
  _ limit: Duration, _ complaint: String, _ work: @escaping @Sendable () async throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask(operation: work)
    group.addTask {
      try await Task.sleep(for: limit)
      throw Failure("\(complaint) after \(limit.brief)")
    }
    defer { group.cancelAll() }
    try await group.next()
  }
}
