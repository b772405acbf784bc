import Hummingbird
import HummingbirdCore
import Logging
import Metrics
import NIOCore

/// Makes routers, and applications that serve them, all in the same way.
public enum ServiceHTTP {
  /// A router without routes. What has a GET gets a HEAD.
  public static func makeRouter() -> ServiceRouter {
    ServiceRouter(context: ServiceRequestContext.self, options: .autoGenerateHeadEndpoints)
  }

  /// Serves `router` over HTTP/1.1: a Hummingbird application, which is a Service, over connections of our own
  /// (``ServiceConnections``). `HummingbirdTesting` takes it too.
  ///
  /// Connections on which nothing comes for a minute, between requests or in the middle of one, are closed; header fields
  /// have limits.
  ///
  /// - Parameters:
  ///   - directRoutes: short ways to what `router` has too. In the router mode of `HummingbirdTesting` nobody takes them.
  ///   - access: who may do what.
  ///   - metrics: where requests are counted and timed.
  ///   - threads: what reads and writes the connections.
  ///   - maximumConnections: further ones wait in the kernel's queue.
  ///   - onListening: called once with the port that was bound.
  public static func application(
    router: ServiceRouter, directRoutes: [DirectRoute] = [], host: String = "127.0.0.1", port: Int = 0,
    access: AccessControl = .none, metrics: any MetricsFactory = MetricsSystem.factory,
    threads: EventLoopGroupProvider = .singleton, maximumConnections: Int = 4096,
    logger: Logger = Logger(label: "http"),
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> Application<ServiceResponder> {
    let responder = ServiceResponder(router, directRoutes: directRoutes, access: access, metrics: metrics)
    let connections = ServiceConnections(responder: responder, idleTimeout: .seconds(60), now: { .now() })
    return Application(
      responder: responder,
      server: HTTPServerBuilder { _ in connections },
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), backlog: 1024,
        availableConnectionsDelegate: .maximum(maximumConnections, logger: logger)),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
      eventLoopGroupProvider: threads,
      logger: logger)
  }
}
