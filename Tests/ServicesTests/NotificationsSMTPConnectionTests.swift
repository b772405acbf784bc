import Foundation
import Messaging
import ServiceDefaults
import TestSupport
import Testing
import WireFormat

@testable import Notifications

/// Our client against a mail server that is not ours.
@Suite(.serialized) struct NotificationsSMTPConnectionTests {
  @Test(.timeLimit(.minutes(3)))
  func mailsArriveAsTheyAreAndShareAConnection() async throws {
    let sink = try await SMTPSink()
    // Lines that begin with dots, and a local part that has to be quoted (the server tells it without the quotes).
    let mails = try [
      mail(customer: ".ada", event: "event-1", reason: nil), mail(.orderCancelled, event: "event-2", reason: ".\n.."),
    ]

    let outcomes = try await deliver(mails, "smtp://127.0.0.1:\(sink.port)")

    #expect(outcomes == [.taken, .taken])
    let arrived = try await eventually("both mails at the server") { sink.mails.count >= 2 ? sink.mails : nil }
    #expect(arrived.map { $0["message_id"]?.string } == mails.map(\.messageID.description))
    #expect(arrived.map { $0["text"]?.string } == mails.map { $0.rendered().text })
    #expect(arrived.map { $0["subject"]?.string } == mails.map { $0.rendered().subject })
    #expect(arrived[0]["envelope_to"]?.array?.first?.string == ".ada@example.com")
    #expect(arrived[0]["envelope_from"]?.string == "shop@orderflow.example")
    #expect(arrived[0]["from"]?.string == "The shop <shop@orderflow.example>")
    #expect(arrived[0]["encrypted"]?.bool == false)
    #expect(Set(arrived.map { $0["peer"]?.number?.int64 }).count == 1, "a connection for each mail")
    try await sink.stop()
  }

  @Test(.timeLimit(.minutes(3)))
  func refusalsAreTheServersOwnWords() async throws {
    let sink = try await SMTPSink()
    let mails = try ["refused-1", "busy-1", "busy-1", "full-1", "ada"].map { try mail(customer: $0) }

    let outcomes = try await deliver(mails, "smtp://127.0.0.1:\(sink.port)")

    #expect(
      outcomes == [
        .refusedForGood("550 5.1.1 there is no such mailbox"), .refusedForNow("451 4.3.0 come back later"), .taken,
        .refusedForGood("552 5.2.2 the mailbox is full"), .taken,
      ])
    try await sink.stop()
    guard case .serverAway(let reason) = try await deliver([mail()], "smtp://127.0.0.1:\(sink.port)").first else {
      Issue.record("a server that is not there is away")
      return
    }
    #expect(reason.contains("connect"))
  }

  @Test(.timeLimit(.minutes(3)), .enabled(if: TestCertificate.canBeMade, "there is no openssl here"))
  func passwordsAndMailsGoEncryptedAndToAServerThatIsTrustedOnly() async throws {
    let certificate = try await TestCertificate()
    let options = ["--certificate", certificate.certificate, "--key", certificate.key]
    let account = ["--user", "shop", "--password", "p@ss:word"]
    let always = try await SMTPSink(options + account + ["--tls", "always"])
    let offered = try await SMTPSink(options + account + ["--tls", "offered"])
    let smtps = "smtps://shop:p%40ss%3Aword@127.0.0.1:\(always.port)"
    let startTLS = "smtp://shop:p%40ss%3Aword@127.0.0.1:\(offered.port)"

    #expect(try await deliver([mail()], smtps, trusting: certificate.certificate) == [.taken])
    #expect(try await deliver([mail()], startTLS, trusting: certificate.certificate) == [.taken])
    for sink in [always, offered] {
      _ = try await eventually("a mail at the server") { sink.mails.isEmpty ? nil : true }
      #expect(sink.mails.map { $0["encrypted"]?.bool } == [true])
      #expect(sink.mails.map { $0["user"]?.string } == ["shop"])
    }

    for (url, trusted) in [
      (smtps, nil), (startTLS, nil),
      ("smtps://shop:wrong-secret@127.0.0.1:\(always.port)", certificate.certificate),
    ] {
      guard case .serverAway(let reason)? = try await deliver([mail()], url, trusting: trusted).first else {
        Issue.record("taken, or blamed on the mail: \(url)")
        continue
      }
      #expect(!reason.contains("p@ss") && !reason.contains("wrong-secret"), "\(reason)")
    }
    #expect(always.mails.count == 1)
    try await always.stop()
    try await offered.stop()
  }

  @Test(.timeLimit(.minutes(3)))
  func aServerThatHangsIsLeftWhenTheServiceStops() async throws {
    let sink = try await SMTPSink()
    sink.send(SIGSTOP)
    let bell = MailerBell(clocks: .system)
    bell.stop(after: .milliseconds(100))

    let start = ContinuousClock.now
    let outcomes = try await deliver([mail()], "smtp://127.0.0.1:\(sink.port)", isInterrupted: { bell.isInterrupted })

    #expect(outcomes == [.interrupted])
    #expect(ContinuousClock.now - start < .seconds(8))
    try await sink.stop()
  }

  /// Delivers over one connection, on a thread of its own.
  private func deliver(
    _ mails: [Mail], _ url: String, trusting authorities: String? = nil,
    isInterrupted: @escaping @Sendable () -> Bool = { false }
  ) async throws -> [MailOutcome] {
    var environment = ["SMTP_URL": url, "SMTP_FROM": "The shop <shop@orderflow.example>"]
    if let authorities { environment["SMTP_CA_LOCATION"] = authorities }
    guard
      case .configuration(let configuration) = try ServiceConfiguration.load(
        NotificationApplication.identity, arguments: [], environment: environment),
      let server = configuration.smtp
    else { throw CancellationError() }
    return try await DedicatedThread.run(named: "smtp") {
      let connection = try SMTPConnection(
        to: server, from: configuration.mailSender, timeout: .seconds(20), isInterrupted: isInterrupted)
      defer { connection.close() }
      return mails.map(connection.deliver)
    }
  }
}
