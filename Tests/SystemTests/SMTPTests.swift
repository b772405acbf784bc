import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// Mails through a mail server that is not ours, while it and the service come and go.
  @Suite struct SMTPTests {
    @Test(.timeLimit(.minutes(4)))
    func mailsWaitForTheServerAndItsAnswersDecide() async throws {
      let port = try freePortBase()
      let stack = try await RunningStack(environment: [
        "SMTP_URL": "smtp://shop:s3cret@127.0.0.1:\(port)", "SMTP_FROM": "Shop <shop@orderflow.example>",
      ])
      try await stack.stock("keyboard", onHand: 100)
      let customers = ["ada", "busy-1", "refused-1"]
      for customer in customers { try await stack.order("keyboard", by: customer) }

      let waiting = try await eventually("six mails") {
        let mails = try await stack.mails()
        return mails.count == 6 ? mails : nil
      }
      #expect(waiting.allSatisfy { ["PENDING", "SENDING"].contains($0["status"]?.string) })
      #expect(waiting.allSatisfy { $0["sent_at"]?.isNull == true })
      _ = try await eventually("a server that is away") {
        try await stack.metric("mail_server_reachable") == 0 ? true : nil
      }
      #expect(try await stack.notifications.get("/ready").status == 200)

      let sink = try await SMTPSink(port: port, ["--user", "shop", "--password", "s3cret"])
      let mails = try await eventually("no mail on its way") {
        let mails = try await stack.mails()
        return mails.allSatisfy { ["SENT", "FAILED"].contains($0["status"]?.string) } ? mails : nil
      }
      for mail in mails {
        switch mail["customer_id"]?.string {
        case "refused-1":
          #expect(mail["status"]?.string == "FAILED")
          #expect(mail["error"]?.string == "550 5.1.1 there is no such mailbox")
          #expect(mail["sent_at"]?.isNull == true)
        case "busy-1" where mail["kind"]?.string == "ORDER_CREATED":
          #expect(mail["attempts"]?.number?.int64 == 2)
        default:
          #expect(mail["attempts"]?.number?.int64 == 1)
          #expect(mail["status"]?.string == "SENT")
        }
      }
      let taken = mails.filter { $0["status"]?.string == "SENT" }
      _ = try await eventually("four mails at the server") { sink.mails.count >= 4 ? true : nil }
      #expect(sink.mails.count == 4)
      #expect(
        Set(sink.mails.map { $0["message_id"]?.string }) == Set(taken.map { $0["message_id"]?.string }))
      #expect(sink.mails.allSatisfy { $0["from"]?.string == "Shop <shop@orderflow.example>" })
      for customer in ["ada", "busy-1"] {
        let subjects = sink.mails.filter { $0["envelope_to"]?.array?.first?.string == "\(customer)@example.com" }
          .compactMap { $0["subject"]?.string }
        #expect(subjects.map { $0.contains("received") } == [true, false], "\(subjects)")
      }
      #expect(try await stack.metric("mail_sent_messages_total") == 4)
      #expect(try await stack.metric("mail_failed_messages_total") == 2)
      #expect(try await stack.metric("mail_server_reachable") == 1)

      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0)
      #expect(!stack.up.text.contains("s3cret"))
      #expect(try stack.logs().contains("The mail server takes mails again"))
      #expect(try !stack.logs().contains("s3cret"))
      try await sink.stop()
    }

    /// Once from outside, in the middle of a mail that the server has and has not answered; else by the service itself.
    @Test(.timeLimit(.minutes(4)), arguments: [nil, "mail.claimed", "mail.sending", "mail.sent"])
    func aServiceThatDiesWhileItSendsSendsAgainUnderTheSameMessageID(_ failpoint: String?) async throws {
      let sink = try await SMTPSink()
      var environment = ["SMTP_URL": "smtp://127.0.0.1:\(sink.port)"]
      let fired = try temporaryFolder()
      if let failpoint {
        environment["FAILPOINTS"] = "\(failpoint)=crash@\(failpoint == "mail.claimed" ? 1 : 3)"
        environment["FAILPOINTS_FIRED_DIR"] = fired.path
      }
      let stack = try await RunningStack(environment: environment)
      try await stack.stock("keyboard", onHand: 100)
      let process = try #require(stack.processIDs["NotificationService"]?.first)

      for number in 0..<8 { try await stack.order("keyboard", by: failpoint == nil ? "slow-\(number)" : "c-\(number)") }
      if failpoint == nil {
        _ = try await eventually("a mail without an answer", every: .milliseconds(5)) {
          sink.mails.isEmpty ? nil : true
        }
        kill(process, SIGKILL)
      }

      let mails = try await eventually("sixteen mails that are sent") {
        guard let mails = try? await stack.mails() else { return nil as [JSONObject]? }
        return mails.count == 16 && mails.allSatisfy { $0["status"]?.string == "SENT" } ? mails : nil
      }
      let stored = mails.map { $0["message_id"]?.string }
      #expect(Set(stored).count == 16)
      let arrived = try await eventually("every mail at the server") {
        let arrived = sink.mails.map { $0["message_id"]?.string }
        return Set(arrived).isSuperset(of: stored) ? arrived : nil
      }
      #expect(Set(arrived) == Set(stored))
      if let failpoint {
        #expect(FileManager.default.fileExists(atPath: fired.appendingPathComponent(failpoint).path))
      }
      // What the server had before the death, and nobody knew of, has come twice.
      if failpoint == nil || failpoint == "mail.sending" { #expect(arrived.count > stored.count) }
      if failpoint == "mail.claimed" { #expect(mails.contains { $0["attempts"]?.number?.int64 == 2 }) }
      let kinds = mails.map { "\($0["order_id"]?.string ?? "") \($0["kind"]?.string ?? "")" }
      #expect(Set(kinds).count == 16)
      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      _ = try await stack.stop()
      try await sink.stop()
    }

    @Test(.timeLimit(.minutes(2)))
    func aStopDoesNotWaitForAServerThatHangs() async throws {
      let sink = try await SMTPSink()
      let stack = try await RunningStack(environment: ["SMTP_URL": "smtp://127.0.0.1:\(sink.port)"])
      try await stack.stock("keyboard", onHand: 100)
      sink.send(SIGSTOP)
      try await stack.order("keyboard", by: "ada")
      _ = try await eventually("a mail in hand") {
        try await stack.mails().contains { $0["status"]?.string == "SENDING" } ? true : nil
      }

      let start = ContinuousClock.now
      #expect(try await stack.stop() == 0)
      #expect(ContinuousClock.now - start < .seconds(10))
      try await sink.stop()
    }

    @Test(.timeLimit(.minutes(2)))
    func aBadURLStopsTheStartWithItsKey() async throws {
      let started = try await ChildProcess.run(
        BuiltProduct.url("NotificationService"), environment: ["SMTP_URL": "smtp://shop:s3cret@"])
      #expect(started.status == 64)
      #expect(started.output.contains("SMTP_URL: names no host"))
      #expect(!started.output.contains("s3cret"))
    }
  }
}

extension RunningStack {
  fileprivate func mails() async throws -> [JSONObject] { try await notifications.all("/emails", "emails") }

  fileprivate func order(_ product: String, by customer: String) async throws {
    let placed = try await orders.send(
      "POST", "/orders",
      json: """
        {"customer_id":"\(customer)","items":[{"product_id":"\(product)","quantity":1,"unit_price":5}]}
        """)
    #expect(placed.status == 201)
  }

  /// The value of a metric of the NotificationService; nil where it has none yet.
  fileprivate func metric(_ name: String) async throws -> Int? {
    let text = String(decoding: try await notifications.get("/metrics").body, as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return line.flatMap { Int($0.dropFirst(name.count + 1)) }
  }

  /// What the services have logged.
  fileprivate func logs() throws -> String {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "log" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
  }
}
