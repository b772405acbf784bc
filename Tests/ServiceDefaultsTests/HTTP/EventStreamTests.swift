import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceDefaults
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WireFormat

@Suite(.timeLimit(.minutes(1))) struct EventStreamTests {
  @Test func everyEventFromNowOnComesOnceAndInOrder() async throws {
    let numbers = Numbers(3)
    try await numbers.serving { client in
      try await client.stream("/numbers") { reader in
        #expect(reader.status == 200 && reader.contentType == "text/event-stream")
        try await reader.waitForComments(1)
        for round in 1...3 {
          numbers.add(150)
          for number in 1...150 {
            let event = try #require(try await reader.next())
            let expected = 3 + (round - 1) * 150 + number
            #expect(event == ReceivedEvent(id: "\(expected)", name: "number", data: "\(expected)"))
          }
        }
      }
    }
  }

  @Test func aClientThatComesAgainGoesOnWhereItWas() async throws {
    let numbers = Numbers(250)
    try await numbers.serving { client in
      let first = try await client.stream("/numbers", lastEventID: "245") { reader in
        var ids: [String?] = []
        for _ in 0..<5 { ids.append(try await reader.next()?.id) }
        return ids
      }
      #expect(first == ["246", "247", "248", "249", "250"])

      // From another life of the store: there is nothing behind the end but what comes.
      let beyond = try await client.stream("/numbers", lastEventID: "9000") { reader in
        try await reader.waitForComments(1)
        numbers.add(1)
        return try await reader.next()?.id
      }
      #expect(beyond == "251")
      for text in ["x", "-1", "1.5", "99999999999999999999"] {
        #expect(try await client.stream("/numbers", lastEventID: text) { $0.status } == 422)
      }
    }
  }

  @Test func aClientThatDoesNotReadIsCutOff() async throws {
    var limits = EventStreamLimits()
    limits.patience = .milliseconds(200)
    let numbers = Numbers(1_000_000_000, limits: limits, padding: 10_000)
    try await numbers.serving { client in
      let port = try #require(URL(string: client.base)?.port)
      let socket = try SilentClient(port: port, request: "GET /numbers HTTP/1.1\r\nhost: x\r\nlast-event-id: 0\r\n\r\n")
      _ = try await eventually("the stream's start", every: .milliseconds(5)) {
        numbers.streams.count == 1 ? true : nil
      }

      _ = try await eventually("the stream's end", within: .seconds(20)) { numbers.streams.count == 0 ? true : nil }

      socket.close()
    }
  }

  @Test func aClientThatGoesLeavesNothingBehind() async throws {
    let numbers = Numbers(0)
    try await numbers.serving { client in
      for _ in 0..<5 { try await client.stream("/numbers") { try await $0.waitForComments(1) } }
      _ = try await eventually("the streams' end") { numbers.streams.count == 0 ? true : nil }
    }
  }

  @Test func moreStreamsThanThereMayBeAreRefused() async throws {
    var limits = EventStreamLimits()
    limits.streams = 1
    let numbers = Numbers(0, limits: limits)
    try await numbers.serving { client in
      try await client.stream("/numbers") { reader in
        try await reader.waitForComments(1)
        let refused = try await client.get("/numbers")
        #expect(refused.status == 503 && refused.header("retry-after") == "5")
      }
      _ = try await eventually("the first stream's end") { numbers.streams.count == 0 ? true : nil }
      let head = try await client.send("HEAD", "/numbers")
      #expect(head.status == 200 && numbers.streams.count == 0)
      #expect(try await client.stream("/numbers") { $0.status } == 200)
    }
  }

  @Test func aQuietStreamShowsThatItIsAlive() async throws {
    var limits = EventStreamLimits()
    limits.safetyNet = .milliseconds(10)
    limits.heartbeat = .milliseconds(50)
    try await Numbers(0, limits: limits).serving { client in
      try await client.stream("/numbers") { try await $0.waitForComments(4) }
    }
  }

  @Test func whatNobodyWokeForIsSeenAllTheSame() async throws {
    var limits = EventStreamLimits()
    limits.safetyNet = .milliseconds(20)
    let numbers = Numbers(0, limits: limits)
    try await numbers.serving { client in
      try await client.stream("/numbers") { reader in
        try await reader.waitForComments(1)
        numbers.add(1, wakes: false)
        #expect(try await reader.next()?.id == "1")
      }
    }
  }

  @Test func aShutdownEndsTheStreamsAndIsNotHeldUpByThem() async throws {
    // Nothing but the shutdown can end them.
    var limits = EventStreamLimits()
    limits.safetyNet = .seconds(3600)
    limits.heartbeat = .seconds(3600)
    let numbers = Numbers(0, limits: limits)
    let (listening, port) = AsyncStream.makeStream(of: Int.self)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let application = ServiceHTTP.application(router: numbers.router(), logger: logger) { port.yield($0) }
    let group = ServiceGroup(services: [application], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let first = await listening.first { _ in true }
      let client = ServiceClient(base: "http://127.0.0.1:\(try #require(first))")

      let isAtEnd = try await client.stream("/numbers") { reader in
        try await reader.waitForComments(1)
        await group.triggerGracefulShutdown()
        return try await reader.next() == nil
      }

      #expect(isAtEnd)
      // The suite's time limit ends a wait that has no end.
      try await tasks.waitForAll()
    }
  }
}

/// A source of numbers, each an event, counted up by the test.
private final class Numbers: Sendable {
  let streams: EventStreams
  private let last: Mutex<Int64>
  private let padding: String

  init(_ last: Int64, limits: EventStreamLimits = EventStreamLimits(), padding: Int = 0) {
    self.last = Mutex(last)
    self.padding = String(repeating: "x", count: padding)
    streams = EventStreams(limits: limits)
  }

  func add(_ count: Int64, wakes: Bool = true) {
    last.withLock { $0 += count }
    if wakes { streams.wake() }
  }

  func router() -> ServiceRouter {
    let router = ServiceHTTP.makeRouter()
    let source = EventStreamSource(last: { self.last.withLock { $0 } }) { number, limit in
      let last = self.last.withLock { $0 }
      guard number < last else { return [] }
      return (number + 1...min(last, number + Int64(limit))).map { number in
        ServerSentEvent(id: number, name: "number", data: Number(text: "\(number)\(self.padding)"))
      }
    }
    router.get("/numbers") { request, context in
      try await self.streams.respond(to: request, context, from: source)
    }
    return router
  }

  func serving(_ body: @escaping @Sendable (ServiceClient) async throws -> Void) async throws {
    try await ServiceHTTP.application(router: router()).test(.live) { client in
      try await body(ServiceClient(base: "http://127.0.0.1:\(try #require(client.port))"))
    }
  }

  private struct Number: JSONEncodable {
    let text: String
    func write(to json: inout JSONWriter) { json.raw(text.utf8) }
  }
}

/// A client that asks, and never reads.
private struct SilentClient {
  private let descriptor: Int32

  init(port: Int, request: String) throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let descriptor = descriptor
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
    let bytes = Array(request.utf8)
    try #require(write(descriptor, bytes, bytes.count) == bytes.count)
  }

  func close() { _ = Foundation.close(descriptor) }
}
