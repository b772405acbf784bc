import ArgumentParser
import HTTPTypes
import Hummingbird
import Logging
import Messaging
import NIOPosix
import Orders
import ServiceDefaults
import WireFormat

/// The intake without a store: the same server decodes and checks the order, and answers 201.
struct BareServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "server")

  @Option var port: Int

  func run() async throws {
    let ids = UUIDv7Generator()
    let router = ServiceHTTP.makeRouter()
    router.post("/orders") { request, _ in
      let draft = try OrderDraft(from: try await request.jsonObject())
      let now = Timestamp.now()
      let order = Order.placed(draft, id: .next(from: ids, at: now), at: now)
      return Response.json(order, status: .created, headers: [.location: "/orders/\(order.id)"])
    }
    BatchScheduling.adopt()
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var logger = Logger(label: "bare-server")
    logger.logLevel = .error
    try await ServiceHTTP.application(router: router, port: port, threads: .shared(threads), logger: logger).run()
  }
}
