import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle

/// Hands the store's pending mails to the mail server: each at least once, and the mails of an order one after another. A
/// repeat has the same Message-ID.
///
/// Any number of mailers, in any number of processes, share a store's mails. What a process had in hand when it died is
/// sent again by another, or by the next one. Mails wait as long as the server is away; one that the server refuses for
/// good has failed, and can be seen.
///
/// Threads: ``run()`` starts one for each connection, as connections block.
final class Mailer: Service {
  private let queue: MailQueue
  private let server: SMTPConfiguration
  private let sender: MailSender
  private let configuration: MailerConfiguration
  private let clocks: Clocks
  private let bell: MailerBell
  private let logger: Logger

  private let seed: UInt64?

  /// - Parameter seed: where the jitter of the pauses comes from; nil for a seed that nobody knows.
  init(
    database: SQLiteDatabase, server: SMTPConfiguration, sender: MailSender, clocks: Clocks, seed: UInt64? = nil,
    logger: Logger
  ) {
    SMTPConnection.prepare()
    queue = MailQueue(database: database)
    self.server = server
    self.sender = sender
    var configuration = MailerConfiguration()
    configuration.connections = server.connections
    self.configuration = configuration
    self.clocks = clocks
    self.seed = seed
    bell = MailerBell(clocks: clocks)
    var logger = logger
    logger[metadataKey: "mail_server"] = "\(server)"
    self.logger = logger
  }

  /// Mails have been written and committed. Never blocks.
  func wake() {
    bell.ring()
  }

  /// Delivers until the service is shut down. Then no mail is begun, one in hand has two seconds to arrive or goes back,
  /// and what was claimed goes back. Cancellation skips the seconds.
  func run() async throws {
    logger.info("Mails are handed to the mail server", metadata: ["from": "\(sender.address)"])
    let report = MailerReport(logger: logger)
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await withThrowingTaskGroup(of: Void.self) { lanes in
          for number in 0..<configuration.connections {
            lanes.addTask {
              try await DedicatedThread.run(named: "mailer-\(number)") { try self.makeLane(number, report).run() }
            }
          }
          // The first that fails has the others come to their end.
          defer { bell.stop(after: .zero) }
          for try await _ in lanes {}
        }
      } onGracefulShutdown: {
        self.bell.stop(after: self.configuration.grace)
      }
    } onCancel: {
      bell.stop(after: .zero)
    }
  }

  private func makeLane(_ number: Int, _ report: MailerReport) throws -> MailerLane {
    let transport = try SMTPConnection(
      to: server, from: sender, timeout: configuration.deliveryTimeout,
      isInterrupted: { [bell] in bell.isInterrupted })
    return MailerLane(
      claimant: MailClaimant(lane: number, process: .current), queue: queue, transport: transport, bell: bell,
      clocks: clocks, configuration: configuration,
      random: seed.map { SeededRandom(seed: $0 &+ UInt64(number)) } ?? SeededRandom(), report: report)
  }
}
