import HTTPTypes
import Hummingbird

/// Which methods the paths of a router have: tells a wrong method (405) from a wrong path (404).
///
/// Asked only after the router has found nothing, so it simply tries every path.
struct RouteTable: Sendable {
  private var routes: [(path: RouterPath, method: String)]

  init(_ router: ServiceRouter) {
    routes = router.routes.map { ($0.path, $0.method.rawValue) }
  }

  /// Sorted; empty for a path that is none. What can GET can HEAD.
  func methods(of path: String) -> [String] {
    let components = path.split(separator: "/", omittingEmptySubsequences: true)
    var methods: Set<String> = []
    for route in routes where Self.matches(route.path, components) {
      methods.insert(route.method)
      if route.method == "GET" { methods.insert("HEAD") }
    }
    return methods.sorted()
  }

  private static func matches(_ path: RouterPath, _ components: [Substring]) -> Bool {
    path.count == components.count && zip(path, components).allSatisfy { $0 ~= $1 }
  }
}
