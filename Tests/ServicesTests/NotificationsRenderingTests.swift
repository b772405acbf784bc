import EventSchema
import Testing
import WireFormat

@testable import Notifications

@Suite struct NotificationsRenderingTests {
  /// Version 1 is in mailboxes: these words must not change. New words are a new version.
  @Test func theFirstTemplateReadsTheSameForEver() throws {
    let rendered = try mail(.orderCreated).rendered()

    #expect(rendered.subject == "We have received your order order-1")
    #expect(
      rendered.text == """
        Hello ada,

        thank you for your order. We are checking our stock now.

        Order order-1

          keyboard   99.80  (2 x 49.90)
          mouse     100.00  (10 x 10.00)
          Total     199.80

        You will hear from us again as soon as we know that we have everything.

        The orderflow shop

        """)
  }

  @Test func everyKindHasItsOwnSubject() throws {
    let subjects = try MailKind.allCases.map { try mail($0, reason: "OUT_OF_STOCK").rendered().subject }

    #expect(
      subjects == [
        "We have received your order order-1", "Your order order-1 is confirmed",
        "We cannot fulfil your order order-1", "Your order order-1 is cancelled",
      ])
  }

  @Test(arguments: [
    (MailKind.orderRejected, "OUT_OF_STOCK", "We do not have enough of it in stock."),
    (.orderRejected, "UNKNOWN_PRODUCT", "The order names a product that we do not have."),
    (.orderRejected, "the shop is closed", "Reason: the shop is closed"),
    (.orderCancelled, "changed my mind", "Reason: changed my mind"),
  ])
  func aReasonIsToldInPlainEnglish(_ kind: MailKind, _ reason: String, _ sentence: String) throws {
    let rendered = try mail(kind, reason: reason).rendered()

    #expect(rendered.text.contains("\n\(sentence)\n"))
    #expect(rendered.html.contains(sentence))
  }

  @Test func aReasonThatIsEmptyIsLeftOut() throws {
    #expect(try !mail(.orderCancelled, reason: "").rendered().text.contains("Reason"))
    #expect(try !mail(.orderRejected, reason: "").rendered().html.contains("class=\"note\""))
  }

  @Test func hostileTextIsShownAndNeverRun() throws {
    // To Swift, "<" with a combining mark behind it is one character that is not "<". To a browser it is.
    let hostile = "</p><script>alert('1')</script> & \"quoted\" <\u{0338}img src=x onerror=alert(2)>"

    let html = try mail(.orderCancelled, reason: hostile).rendered().html

    #expect(html.unicodeScalars.filter { $0 == "<" }.count == html.unicodeScalars.filter { $0 == ">" }.count)
    #expect(!html.contains("<script"))
    #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;"))
  }

  @Test func aReasonStaysOnItsLine() throws {
    let text = try mail(.orderCancelled, reason: "one\r\nSubject: two\u{2028}three\tfour").rendered().text

    #expect(text.contains("\nReason: one  Subject: two three four\n"))
  }

  @Test func aMailOfANewerTemplateIsReadableAllTheSame() {
    #expect(MailTemplate.version(99).version == MailTemplate.current.version)
    #expect(MailTemplate.version(1).version == 1)
  }
}
