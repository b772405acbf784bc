import TestSupport
import Testing
import WireFormat

/// Whatever a client sends, it is answered, and never with the server's fault.
@Suite struct OrdersRandomBodiesTests {
  @Test func tenThousandRandomAndMutatedBodiesGiveNo5xx() async throws {
    var random = SeededRun.generator()
    let fixture = try OrdersFixture()
    var bodies: [[UInt8]] = []
    for _ in 0..<10_000 { bodies.append(Self.body(using: &random)) }
    let sent = bodies

    let statuses = try await fixture.http { client in
      let order = try await fixture.place()
      var statuses: [Int: Int] = [:]
      for (index, body) in sent.enumerated() {
        let path = index % 8 == 0 ? "/orders/\(order.id)/cancel" : "/orders"
        let answer = try await client.send(.post, path, body: body, contentType: "application/json")
        statuses[answer.status, default: 0] += 1
        if answer.status >= 500 {
          Issue.record("\(answer.status) for \(path) with \(String(decoding: body, as: UTF8.self))")
        }
      }
      return statuses
    }

    #expect(Set(statuses.keys).isSubset(of: [200, 201, 400, 413, 422]), "\(statuses)")
    #expect(statuses[201] != nil && statuses[400] != nil && statuses[422] != nil, "\(statuses)")
  }

  private static func body(using random: inout SeededGenerator) -> [UInt8] {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      return (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 1:
      return mutated(Array(sample.utf8), using: &random)
    case 2:
      return Array(text(depth: 0, using: &random).utf8)
    default:
      return Array(order(using: &random).utf8)
    }
  }

  private static let sample =
    #"{"customer_id":"customer-42","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90},"#
    + #"{"product_id":"mouse","quantity":1,"unit_price":0.01}],"total":99.81,"reason":"caf\u00e9 \ud83d\udc1d"}"#

  /// A byte or a run of bytes changed, removed, doubled or inserted, a few times.
  private static func mutated(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let start = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, start + Int.random(in: 1...12, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.removeSubrange(start..<end)
      case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
      default: bytes.insert(contentsOf: text(depth: 2, using: &random).utf8, at: start)
      }
    }
    return bytes
  }

  /// An order whose fields are of the right name, and of any value.
  private static func order(using random: inout SeededGenerator) -> String {
    let items = (0..<Int.random(in: 0...3, using: &random)).map { number in
      field("product_id", "\"p\(number)\"", using: &random) + "," + field("quantity", "3", using: &random) + ","
        + field("unit_price", "1.5", using: &random)
    }
    return "{" + field("customer_id", "\"c\"", using: &random) + ","
      + field("items", "[" + items.map { "{\($0)}" }.joined(separator: ",") + "]", using: &random) + ","
      + field("total", "null", using: &random) + "}"
  }

  private static func field(_ name: String, _ fine: String, using random: inout SeededGenerator) -> String {
    let value = Int.random(in: 0..<6, using: &random) == 0 ? text(depth: 1, using: &random) : fine
    return "\"\(name)\":\(value)"
  }

  /// Some JSON value, with what parsers stumble over among them.
  private static func text(depth: Int, using random: inout SeededGenerator) -> String {
    let scalars = [
      "null", "true", "false", "0", "-0", "-1", "1.5", "1e400", "-1e-400", "1E99999999999", "9223372036854775807",
      "9223372036854775808", "-9223372036854775809", "49.90", "49.901", "0.1e1", #""""#, #""x""#, #""\u0000""#,
      #""\ud800""#, #""\udc00\ud800""#, #""🐝""#, "\"\(String(repeating: "y", count: 70))\"", "01", ".5", "1.", "+1",
      "NaN", "Infinity", "'x'",
    ]
    guard depth < 4, Int.random(in: 0..<3, using: &random) == 0 else {
      return scalars.randomElement(using: &random) ?? "null"
    }
    let count = Int.random(in: 0...3, using: &random)
    let inner = (0..<count).map { _ in text(depth: depth + 1, using: &random) }
    if Bool.random(using: &random) { return "[\(inner.joined(separator: ","))]" }
    return "{\(inner.map { "\"customer_id\":\($0)" }.joined(separator: ","))}"
  }

  @Test func deepNestingIsRefusedAndDoesNotOverflowTheStack() async throws {
    let fixture = try OrdersFixture()
    let deep = String(repeating: "[", count: 60_000)

    #expect(try await fixture.http { try await $0.post("/orders", deep) }.status == 400)
    #expect(try await fixture.http { try await $0.post("/orders", #"{"x":"# + deep) }.status == 400)
  }
}
