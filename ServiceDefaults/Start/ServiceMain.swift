import FaultInjection
import Foundation
import Logging
import Messaging
import MessagingKafka
import Metrics
import NIOPosix
import ServiceLifecycle

/// Runs a service from its command line to its exit code.
///
/// ```swift
/// @main struct OrderService {
///   static func main() async { await ServiceMain.run(OrderApplication.self) }
/// }
/// ```
public enum ServiceMain {
  /// What a process ends with.
  enum ExitCode {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    /// `EX_USAGE` of sysexits.h: the configuration has to be changed.
    static let usage: Int32 = 64
  }

  /// Loads the configuration, starts log and metrics, builds the application, runs it until SIGTERM, SIGINT or the end
  /// of the lifeline, and ends the process: with 0 after a graceful shutdown, 64 for a bad configuration, else 1.
  @MainActor public static func run<Application: ServiceApplication>(_ type: Application.Type) async -> Never {
    // On the first thread, so that all others are made by it or its heirs.
    BatchScheduling.adopt()
    exit(
      await start(
        type, arguments: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment))
  }

  private static func start<Application: ServiceApplication>(
    _ type: Application.Type, arguments: [String], environment: [String: String]
  ) async -> Int32 {
    // A client that goes away while it is written to is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    do {
      let loaded = try ServiceConfiguration.load(
        type.identity, arguments: arguments, environment: environment, isTerminal: isatty(STDERR_FILENO) == 1)
      switch loaded {
      case .help(let text):
        print(text)
        return ExitCode.done
      case .configuration(let configuration):
        return await run(type, configuration)
      }
    } catch {
      complain("\(type.identity.displayName) cannot start with this configuration:\n\(error)")
      return ExitCode.usage
    }
  }

  private static func run<Application: ServiceApplication>(
    _ type: Application.Type, _ configuration: ServiceConfiguration
  ) async -> Int32 {
    let (format, level) = (configuration.logFormat, configuration.logLevel)
    LoggingSystem.bootstrap { ServiceLogHandler(label: $0, format: format, logLevel: level) }
    MetricsSystem.bootstrap(PrometheusRegistry.shared)
    let connections = FileDescriptorLimit.raise() / 2
    let logger = Logger(label: type.identity.displayName)
    do {
      let broker = KafkaBroker(configuration: configuration.kafka, logger: logger)
      let application = try Application(configuration: configuration, broker: broker, logger: logger)
      try Failpoint.serviceStarting.hit()
      try await serve(application, configuration, maximumConnections: connections, logger)
      logger.info("Stopped")
      return ExitCode.done
    } catch {
      logger.critical("Failed", metadata: ["reason": "\(StartFailure.describe(error, configuration))"])
      return ExitCode.failed
    }
  }

  private static func serve(
    _ application: some ServiceApplication, _ configuration: ServiceConfiguration, maximumConnections: Int,
    _ logger: Logger
  ) async throws {
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: configuration.httpThreads)
    let http = HTTPServerService(
      application: ServiceHTTP.application(
        router: application.router, directRoutes: application.directRoutes, host: configuration.httpHost,
        port: configuration.httpPort,
        access: AccessControl(tokens: configuration.apiTokens, rateLimit: configuration.rateLimit),
        threads: .shared(threads), maximumConnections: maximumConnections, logger: logger,
        onListening: { port in
          logger.info(
            "Listening", metadata: ["url": "http://\(configuration.httpHost):\(port)", "pid": "\(getpid())"])
        }),
      logger: logger)
    var services = application.services + [http]
    if let descriptor = configuration.lifelineDescriptor {
      services.append(Lifeline(descriptor: descriptor, logger: logger))
    }
    // Last in the list, so that it is the first to hear of a shutdown.
    services.append(ShutdownDeadline(logger: logger))
    var group = ServiceGroupConfiguration(
      services: services.map { service in
        .init(
          service: service,
          // The lifeline ends when the parent is gone; whatever else ends takes the rest with it in good order.
          successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      },
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = nil
    try await ServiceGroup(configuration: group).run()
  }

  /// For people, whatever the log's format is.
  private static func complain(_ message: String) {
    StandardErrorSink().write(Array((message + "\n").utf8))
  }
}
