import HTTPTypes
import Hummingbird
import Logging
import Messaging

/// Answers every request of a service: times it, logs it at debug, asks who makes it, hands it to the router, and makes a
/// problem of whatever fails.
///
/// It wraps the whole router instead of being a middleware in it, because it has to see requests that no route takes,
/// and because a chain of middlewares costs allocations on each request.
public struct ServiceResponder: HTTPResponder {
  private let router: RouterResponder<ServiceRequestContext>
  private let routes: RouteTable
  private let access: AccessControl
  private let metrics = HTTPMetrics()

  init(_ router: ServiceRouter, access: AccessControl = .none) {
    self.access = access
    routes = RouteTable(router)
    self.router = router.buildResponder()
  }

  public func respond(to request: Request, context: ServiceRequestContext) async throws -> Response {
    let start = ContinuousClock.now
    metrics.began()
    var response = await answer(request, context)
    // A refused HEAD has a body up to here, and would be followed by an answer that starts in its middle.
    if request.method == .head { response = response.createHeadResponse() }
    let duration = ContinuousClock.now - start
    metrics.ended(
      route: context.endpointPath ?? "none", method: request.method, status: response.status, after: duration)
    context.logger.debug(
      "Request answered",
      metadata: [
        "http.request.method": "\(request.method)", "url.path": "\(request.uri.path)",
        "http.response.status_code": "\(response.status.code)", "duration": "\(duration)",
      ])
    return response
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
