import HTTPTypes
import Hummingbird
import Logging
import Messaging
import Metrics
import NIOCore

/// Answers every request of a service: times it, logs it at debug, asks who makes it, hands it to the router, and makes a
/// problem of whatever fails.
///
/// It wraps the whole router instead of being a middleware in it, because it has to see requests that no route takes,
/// and because a chain of middlewares costs allocations on each request.
public struct ServiceResponder: HTTPResponder {
  private let router: RouterResponder<ServiceRequestContext>
  private let routes: RouteTable
  private let access: AccessControl
  private let metrics: HTTPMetrics
  private let directRoutes: [DirectRoute]

  init(
    _ router: ServiceRouter, directRoutes: [DirectRoute] = [], access: AccessControl = .none,
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {
    self.directRoutes = directRoutes
    self.access = access
    self.metrics = HTTPMetrics(in: metrics)
    routes = RouteTable(router)
    self.router = router.buildResponder()
  }

  public func respond(to request: Request, context: ServiceRequestContext) async throws -> Response {
    let start = ContinuousClock.now
    metrics.began()
    var response = await answer(request, context)
    // A refused HEAD has a body up to here, and would be followed by an answer that starts in its middle.
    if request.method == .head { response = response.createHeadResponse() }
    ended(
      request.method, request.uri.path, route: context.endpointPath ?? "none", response.status, since: start,
      context.logger)
    return response
  }

  private func ended(
    _ method: HTTPRequest.Method, _ path: @autoclosure () -> String, route: String, _ status: HTTPResponse.Status,
    since start: ContinuousClock.Instant, _ logger: Logger
  ) {
    let duration = ContinuousClock.now - start
    metrics.ended(route: route, method: method, status: status, after: duration)
    logger.debug(
      "Request answered",
      metadata: [
        "http.request.method": "\(method)", "url.path": "\(path())",
        "http.response.status_code": "\(status.code)", "duration": "\(duration)",
      ])
  }

  private func answer(_ request: Request, _ context: ServiceRequestContext) async -> Response {
    do {
      guard request.uri.string.utf8.count <= RequestLimits.path else {
        return Problem.pathTooLong.response
      }
      var context = context
      do throws(Problem) {
        context.requester = try access.admit(request, from: context.channel.remoteAddress?.ipAddress)
      } catch {
        return error.response
      }
      let response = try await router.respond(to: request, context: context)
      guard response.status.code >= 400, response.headers[.contentType] != Problem.contentType else { return response }
      return refusal(of: request, unanswered: response, context)
    } catch {
      return problem(of: error, context.logger).response
    }
  }

  /// Hummingbird itself refused, in a format of its own: no route took the request, or a capture was missing.
  private func refusal(of request: Request, unanswered response: Response, _ context: ServiceRequestContext) -> Response
  {
    guard response.status == .notFound, context.endpointPath == Self.noEndpoint else {
      return Problem(response.status, detail: "The request was refused.", headers: [:]).response
    }
    let allowed = routes.methods(of: request.uri.path)
    let problem =
      allowed.isEmpty ? Problem.notFound("There is nothing under this path.") : .methodNotAllowed(allowed: allowed)
    return problem.response
  }

  private func problem(of error: any Error, _ logger: Logger) -> Problem {
    switch error {
    case let problem as Problem:
      return problem
    case let error as StoreUnavailable:
      logger.warning("Request refused: the store is not available", metadata: ["reason": "\(error.reason)"])
      return .unavailable("The store cannot take this now.")
    case is CancellationError:
      return .unavailable("The service is shutting down.")
    default:
      logger.error("Request failed", metadata: ["error": "\(error)", "error.type": "\(type(of: error))"])
      return .unexpected
    }
  }

  /// What Hummingbird's router says of a request that no route takes.
  private static let noEndpoint = "NotFound"
}

// MARK: - Direct routes

/// What ``respond(to:context:)`` does beside the router's part, for ``DirectAnswers``.
extension ServiceResponder {
  /// The direct route that may take a request, and who makes it; nil also where the router will refuse that.
  func directRoute(of head: HTTPRequest) -> (route: DirectRoute, caller: AccessControl.Caller)? {
    guard let route = directRoutes.first(where: { $0.matches(head) }),
      let caller = try? access.caller(of: head, path: route.path), caller.hasScope
    else { return nil }
    return (route, caller)
  }

  /// Counts a request that a direct route has taken as being in hand, and lets it pass or says why not.
  func begin(for caller: AccessControl.Caller, on channel: any Channel) throws(Problem) {
    metrics.began()
    _ = try access.admit(caller, from: channel.remoteAddress?.ipAddress)
  }

  /// Makes the answer of `result`, and counts and logs the request as answered.
  func end(
    _ route: DirectRoute, with result: Result<WholeAnswer, any Error>, since start: ContinuousClock.Instant,
    _ logger: Logger
  ) -> WholeAnswer {
    let answer =
      switch result {
      case .success(let answer): answer
      case .failure(let error): problem(of: error, logger).answer
      }
    ended(route.method, route.path, route: route.path, answer.status, since: start, logger)
    return answer
  }
}
