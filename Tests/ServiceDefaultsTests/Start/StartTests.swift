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

  /// Cuts off what is open 50 ms after it was told to stop. Its port comes when it listens.
  private func impatientServer(of router: ServiceRouter) -> (server: HTTPServerService, ports: AsyncStream<Int>) {
    let (listening, port) = AsyncStream.makeStream(of: Int.self)
    let application = ServiceHTTP.application(
      router: router, logger: .silent,
      onListening: {
        port.yield($0)
        port.finish()
      })
    return (HTTPServerService(application: application, patience: .milliseconds(50), logger: .silent), listening)
  }

  private func connect(_ port: Int, reads: Bool = true) async throws -> any Channel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: reads)
      .connect(host: "127.0.0.1", port: port).get()
  }
}
