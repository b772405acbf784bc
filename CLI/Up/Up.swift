import ArgumentParser
import EventSchema
import Foundation
import Messaging
import MessagingKafka

/// Runs the whole system on this machine.
struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts the broker, the topics and the three services, and keeps them running.",
    discussion: """
      The services listen on 127.0.0.1: OrderService on the port base + 1, InventoryService on + 2, \
      NotificationService on + 3 (the base itself is kept for the console). A service that dies is started again. \
      State and one log file a process lie in the data directory and survive a restart; a second `up` on the same \
      directory is refused. Environment variables are handed on to the services, except those that `up` sets itself \
      (HTTP_HOST, HTTP_PORT, DATABASE_PATH, KAFKA_BOOTSTRAP_SERVERS, KAFKA_CONSUMER_GROUP). Where API_TOKENS is set, the \
      other subcommands send the token that ORDERFLOW_TOKEN holds.

      Ctrl-C or SIGTERM stops the services in order, then the broker. A second Ctrl-C kills them.
      """)

  @Option(name: [.customLong("data-dir")], help: ArgumentHelp("Where state and logs are kept.", valueName: "dir"))
  var dataDirectory = StatePaths.standardDirectory

  @Option(
    help: ArgumentHelp(
      "A file to write when all is ready, beside ready.json in the data directory: URLs, "
        + "broker and process ids, as JSON. Removed at the end.", valueName: "file"))
  var readyFile: String?

  @Option(
    help: ArgumentHelp(
      "A Kafka to use instead of an embedded broker. The environment variable "
        + "KAFKA_BOOTSTRAP_SERVERS does not count here.", valueName: "host:port"))
  var bootstrapServers: String?

  @Option(help: "How many processes of each service; the further ones take free ports.")
  var instances = 1

  @Option(help: "The port before those of the services; 0 takes free ports.")
  var portBase = 8080

  @Flag(help: "Puts a dozen demo products in stock where they are missing, and prints curl lines to try.")
  var demo = false

  func validate() throws {
    guard (1...20).contains(instances) else { throw ValidationError("--instances has to be from 1 to 20") }
    guard portBase == 0 || (1024...65_532).contains(portBase) else {
      throw ValidationError("--port-base has to be 0, or from 1024 to 65532")
    }
    guard !dataDirectory.isEmpty, bootstrapServers != "" else { throw ValidationError("an option's value is empty") }
  }

  func run() async throws {
    let screen = Screen()
    defer { screen.flush() }
    let environment = ProcessInfo.processInfo.environment
    let paths = StatePaths(directory: URL(fileURLWithPath: dataDirectory).standardizedFileURL.path)
    let executables = try Executables.directory()
    let lock = try StateLock(paths)
    defer { withExtendedLifetime(lock) {} }
    let readyFiles = [paths.readyFile] + (readyFile.map { [$0] } ?? [])
    let plans = try await plan(after: try? ReadyFile.read(path: paths.readyFile), screen)
    for path in readyFiles { unlink(path) }

    let signals = EndSignals()
    let lifeline = try DescriptorPipe()
    let broker = try makeBroker(environment, screen)
    let run = StackRun(
      plans: plans, executables: executables,
      environment: ChildEnvironment(
        inherited: environment, bootstrapServers: bootstrapServers ?? broker?.bootstrapServers ?? "",
        isEmbeddedBroker: broker != nil, paths: paths, lifeline: ChildProcess.lifelineDescriptor,
        isTerminal: screen.output.isTerminal),
      readyFiles: readyFiles, hasDemoStock: demo, screen: screen)
    let result: Result<Void, any Error>
    do {
      result = .success(try await run.run(signals: signals, lifeline: lifeline))
    } catch {
      result = .failure(error)
    }
    if let broker { try await DedicatedThread.run(named: "broker-close") { broker.close() } }
    try result.get()
    screen.line("Everything has stopped.")
  }

  private func makeBroker(_ environment: [String: String], _ screen: Screen) throws -> EmbeddedBroker? {
    if let bootstrapServers {
      screen.line("Using the broker at \(bootstrapServers)")
      return nil
    }
    if let ignored = environment["KAFKA_BOOTSTRAP_SERVERS"], !ignored.isEmpty {
      screen.line("KAFKA_BOOTSTRAP_SERVERS is set and not used; --bootstrap-servers \(ignored.printable) would use it")
    }
    let partitions = try TopicPartitions.count(environment: environment)
    // On the thread that makes the broker's threads.
    BatchScheduling.adopt()
    let broker = try EmbeddedBroker(topics: Topics.all.map { ($0, partitions) })
    screen.line("Embedded broker: \(broker.bootstrapServers), \(partitions) partitions a topic")
    return broker
  }

  /// Which process gets which port.
  ///
  /// - Parameter leftover: what an `up` that was killed has left; its services are about to stop by themselves.
  private func plan(after leftover: ReadyFile?, _ screen: Screen) async throws -> [ServicePlan] {
    let free = try Ports.free(ServicePlan.freePortsNeeded(portBase: portBase, instances: instances))
    let plans = ServicePlan.stack(portBase: portBase, instances: instances, free: free)
    guard portBase > 0 else { return plans }
    let first = plans.filter { $0.instance == 1 }
    let deadline = ContinuousClock.now + .seconds(leftover == nil ? 0 : 12)
    var hasSaid = false
    while let taken = first.first(where: { !Ports.isFree($0.port) }) {
      guard ContinuousClock.now < deadline else {
        throw Failure(
          "port \(taken.port), for \(taken.service), is in use; stop what uses it, or choose another --port-base")
      }
      if !hasSaid { screen.line("The services of an `up` that was killed are still stopping; waiting for them") }
      hasSaid = true
      try await Task.sleep(for: .milliseconds(100))
    }
    return plans
  }
}
