import HTTPTypes
import Metrics
import Synchronization

/// Counts and times requests, under OpenTelemetry's names: `http.server.request.duration` by route, method and status,
/// and `http.server.active_requests`.
final class HTTPMetrics: Sendable {
  private struct Key: Hashable {
    var route: String
    var method: String
    var status: Int
  }

  private let timers = Mutex<[Key: Timer]>([:])
  private let active: Meter
  private let factory: any MetricsFactory

  init(in factory: any MetricsFactory) {
    self.factory = factory
    active = Meter(label: "http.server.active_requests", factory: factory)
  }

  func began() { active.increment() }

  /// - Parameter route: the pattern, `/orders/{order_id}`: paths themselves would be too many.
  func ended(route: String, method: HTTPRequest.Method, status: HTTPResponse.Status, after duration: Duration) {
    active.decrement()
    let key = Key(route: route, method: Self.known(method), status: status.code)
    let timer = timers.withLock { timers in
      if let timer = timers[key] { return timer }
      let timer = Timer(
        label: "http.server.request.duration",
        dimensions: [
          ("http_route", key.route), ("http_request_method", key.method),
          ("http_response_status_code", "\(key.status)"),
        ], factory: factory)
      timers[key] = timer
      return timer
    }
    let (seconds, attoseconds) = duration.components
    timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// Clients can invent methods; each would be a series of its own.
  private static func known(_ method: HTTPRequest.Method) -> String {
    switch method {
    case .get, .head, .post, .put, .delete, .patch, .options: method.rawValue
    default: "_OTHER"
    }
  }
}
