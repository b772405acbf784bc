import Logging
import Messaging
import ServiceLifecycle
import WireFormat

/// A service, wired: what each service's `...Application` is. ``ServiceMain`` runs it, tests build it themselves.
public protocol ServiceApplication: SendableMetatype {
  static var identity: ServiceIdentity { get }

  /// Opens the store and builds every part; nothing runs yet.
  ///
  /// - Parameters:
  ///   - clocks: the time, for every part. Nothing below reads a clock of its own.
  ///   - ids: makes the identifiers of whatever begins here.
  /// - Throws: ``StartError``, or whatever makes a start impossible.
  init(
    configuration: ServiceConfiguration, broker: any Broker, logger: Logger, clocks: Clocks, ids: UUIDv7Generator
  ) throws

  /// The routes, those of ``MessagingRuntime/addOperations(to:checks:)`` included.
  var router: ServiceRouter { get }

  /// Short ways to what ``router`` has too; none unless an application says otherwise.
  var directRoutes: [DirectRoute] { get }

  /// What runs, each after what it needs: the messaging services first. They are stopped in the reverse order, after
  /// the HTTP server, which ``ServiceMain`` adds.
  var services: [any Service] { get }
}

extension ServiceApplication {
  public var directRoutes: [DirectRoute] { [] }

  /// With the clocks of this machine.
  public init(configuration: ServiceConfiguration, broker: any Broker, logger: Logger) throws {
    try self.init(
      configuration: configuration, broker: broker, logger: logger, clocks: .system, ids: UUIDv7Generator())
  }
}
