import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport
import Testing

@testable import ServiceDefaults

@Suite struct StartTests {
  @Test func aClosedLifelineEndsTheService() async throws {
    let pipe = Pipe()
    let lifeline = Lifeline(descriptor: pipe.fileHandleForReading.fileDescriptor, logger: .silent)
    try await deadline(.seconds(30), "the end of the lifeline") {
      async let end: Void = lifeline.run()
      try pipe.fileHandleForWriting.write(contentsOf: Data("still here".utf8))
      try pipe.fileHandleForWriting.close()
      try await end
    }
  }

  @Test func aGracefulShutdownEndsTheLifelineToo() async throws {
    let pipe = Pipe()
    try await running(Lifeline(descriptor: pipe.fileHandleForReading.fileDescriptor, logger: .silent)) { _ in }
    try pipe.fileHandleForWriting.close()
  }

  @Test func aRequestThatDoesNotEndIsCutOff() async throws {
    let (began, signal) = AsyncStream.makeStream(of: Void.self)
    let router = ServiceHTTP.makeRouter()
    router.get("/forever") { _, _ -> Response in
      signal.yield()
      try await Task.sleep(for: .seconds(3600))
      return Response(status: .ok)
    }
    let (server, ports) = impatientServer(of: router)
    try await running(server) { _ in
      var ports = ports.makeAsyncIterator()
      let connection = try await connect(try #require(await ports.next()))
      try await connection.writeAndFlush(ByteBuffer(string: "GET /forever HTTP/1.1\r\nhost: x\r\n\r\n"))
      for await _ in began { break }
    }
  }

  /// It waits for its client to read, and nothing but the end of the shutdown's patience ends that.
  @Test func aStreamWhoseClientDoesNotReadIsCutOff() async throws {
    let (began, signal) = AsyncStream.makeStream(of: Void.self)
    let router = ServiceHTTP.makeRouter()
    router.get("/endless") { _, _ -> Response in
      Response(
        status: .ok,
        body: ResponseBody { writer in
          let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
          signal.yield()
          while true { try await writer.write(part) }
        })
    }
    let (server, ports) = impatientServer(of: router)
    try await running(server) { _ in
      var ports = ports.makeAsyncIterator()
      let connection = try await connect(try #require(await ports.next()), reads: false)
      try await connection.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n"))
      for await _ in began { break }
    }
  }

  @Test func aShutdownWaitsForADirectAnswer() async throws {
    try await shuttingDownWithADirectRequestInHand(patience: .seconds(3600)) { port, _ in
      try await eventually("the end of listening") {
        guard let connection = try? await connect(port) else { return () }
        connection.close(promise: nil)
        return nil
      }
    }
  }

  @Test func aDirectAnswerThatComesAfterTheCutOffIsStillGiven() async throws {
    try await shuttingDownWithADirectRequestInHand(patience: .milliseconds(50)) { _, log in
      _ = try await eventually("the cut-off") { log.lines.isEmpty ? nil : true }
    }
  }

  @Test func anAddressInUseIsSaidInOneLine() async throws {
    let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(taken.localAddress?.port)
    var configuration = ServiceConfiguration(identity: .example)
    configuration.httpPort = port
    let server = HTTPServerService(
      application: ServiceHTTP.application(router: ServiceHTTP.makeRouter(), port: port, logger: .silent),
      logger: .silent)

    let error = await #expect(throws: (any Error).self) {
      try await ServiceGroup(services: [server], logger: .silent).run()
    }

    let line = StartFailure.describe(try #require(error), configuration)
    #expect(line == "HTTP_PORT: 127.0.0.1:\(port) is in use by another process")
    try await taken.close()
  }

  @Test func aStoreThatCannotBeOpenedSaysWhy() throws {
    var configuration = ServiceConfiguration(identity: .example)
    configuration.databasePath = "/proc/no/such/folder/x.sqlite"
    let error = #expect(throws: (any Error).self) { try configuration.openDatabase(migrations: []) }
    #expect("\(try #require(error))".contains("/proc/no/such/folder"))
  }

  /// The answer comes after `moment`, which is told the port and what the server logs.
  private func shuttingDownWithADirectRequestInHand(
    patience: Duration, until moment: @escaping @Sendable (Int, LinesInMemory) async throws -> Void
  ) async throws {
    let stage = DirectStage()
    let log = LinesInMemory()
    let (server, ports) = server(
      of: stage.router(), directly: stage.routes, patience: patience,
      logger: Logger(label: "http") { ServiceLogHandler(label: $0, format: .json, logLevel: .notice, sink: log) })
    let group = ServiceGroup(services: [server], logger: .silent)
    try await deadline(.seconds(30), "the shutdown") {
      async let end: Void = group.run()
      defer { stage.release() }
      var listening = ports.makeAsyncIterator()
      let port = try #require(await listening.next())
      let connection = try await RawConnection(port: port, reads: true)
      try await connection.send(post("held"))
      await stage.holding()

      await group.triggerGracefulShutdown()
      try await moment(port, log)
      stage.release()

      #expect(try await connection.answer() == Answer(200, #""direct held""#))
      #expect(try await connection.answer() == nil)
      try await end
    }
  }

  /// Cuts off what is open 50 ms after it was told to stop. Its port comes when it listens.
  private func impatientServer(of router: ServiceRouter) -> (server: HTTPServerService, ports: AsyncStream<Int>) {
    server(of: router, patience: .milliseconds(50), logger: .silent)
  }

  private func server(
    of router: ServiceRouter, directly directRoutes: [DirectRoute] = [], patience: Duration, logger: Logger
  ) -> (server: HTTPServerService, ports: AsyncStream<Int>) {
    let (listening, port) = AsyncStream.makeStream(of: Int.self)
    let application = ServiceHTTP.application(
      router: router, directRoutes: directRoutes, logger: .silent,
      onListening: {
        port.yield($0)
        port.finish()
      })
    return (HTTPServerService(application: application, patience: patience, logger: logger), listening)
  }

  private func connect(_ port: Int, reads: Bool = true) async throws -> any Channel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: reads)
      .connect(host: "127.0.0.1", port: port).get()
  }
}
