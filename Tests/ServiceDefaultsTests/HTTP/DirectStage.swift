import Dispatch
import HTTPTypes
import Hummingbird
import Logging
import Messaging
import ServiceDefaults
import Synchronization
import WireFormat

/// `POST /things` twice: the direct route answers `"direct …"`, the router's `"usual …"`, so that each answer tells which
/// way its request went. The body, a JSON text, says what is to be done.
final class DirectStage: Sendable {
  private struct State {
    var served: [String] = []
    var held: [@Sendable () -> Void] = []
    var isOpen = false
  }

  private let state = Mutex(State())
  private let (began, signal) = AsyncStream.makeStream(of: Void.self)

  /// What the direct route has done, and what the router's has.
  var served: [String] { state.withLock { $0.served } }

  /// Returns when the direct route has a request in hand whose answer is held.
  func holding() async { for await _ in began { break } }

  /// Gives the answers that are held, and holds no more.
  func release() {
    let held = state.withLock { state in
      state.isOpen = true
      defer { state.held = [] }
      return state.held
    }
    for answer in held { answer() }
  }

  var routes: [DirectRoute] {
    [.post("/things", read: { try Self.wish($0, $1) }, serve: { self.serve($0, $1) })]
  }

  func router() -> ServiceRouter {
    let router = ServiceHTTP.makeRouter()
    router.post("/things") { request, _ in
      let body = try await request.body.collect(upTo: 64 << 10)
      let name = try Self.text(request.headers, Array(body.readableBytesView))
      self.note("usual \(name)")
      if name == "large" { return Response(Self.large) }
      return Response.json("usual \(name)", status: .created, headers: Self.headers)
    }
    router.get("/slow") { _, _ in
      for _ in 0..<20 { await Task.yield() }
      return Response.json("slow")
    }
    return router
  }

  private static let headers: HTTPFields = [.location: "/things/1"]
  private static let large = WholeAnswer.json(String(repeating: "x", count: 10_000))

  private static func wish(_ fields: HTTPFields, _ body: [UInt8]) throws -> String? {
    let text = try text(fields, body)
    return text.hasPrefix("unusual") ? nil : text
  }

  private static func text(_ fields: HTTPFields, _ body: [UInt8]) throws -> String {
    try JSONElement.Object(body: body, fields: fields)["name"]?.string ?? ""
  }

  private func serve(_ wish: String, _ answer: @escaping DirectRoute.Answer) {
    note("direct \(wish)")
    switch wish {
    case "full":
      answer(.failure(StoreUnavailable("the disk is full")))
    case "large":
      answer(.success(Self.large))
    case "held":
      hold { answer(.success(.json("direct held"))) }
    default:
      // As a store's thread would.
      DispatchQueue.global().async {
        answer(.success(.json("direct \(wish)", status: .created, headers: Self.headers)))
      }
    }
  }

  private func hold(_ answer: @escaping @Sendable () -> Void) {
    let isHeld = state.withLock { state in
      if !state.isOpen { state.held.append(answer) }
      return !state.isOpen
    }
    if isHeld { signal.yield() } else { answer() }
  }

  private func note(_ text: String) { state.withLock { $0.served.append(text) } }
}
