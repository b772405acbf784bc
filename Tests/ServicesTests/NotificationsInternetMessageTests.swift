import EventSchema
import Testing
import WireFormat

@testable import Notifications

@Suite struct NotificationsInternetMessageTests {
  @Test(arguments: [
    ("customer-42", "customer-42@example.com"),
    ("A.b_c-9", "A.b_c-9@example.com"),
    (".ada", "\".ada\"@example.com"),
    ("ada.", "\"ada.\"@example.com"),
    ("a..b", "\"a..b\"@example.com"),
    (".", "\".\"@example.com"),
    ("a\"b\\c d", "\"a\\\"b\\\\c d\"@example.com"),
  ])
  func aLocalPartIsQuotedWhereItIsNoDotAtom(_ localPart: String, _ address: String) {
    #expect(MailAddress(localPart: localPart, domain: "example.com").description == address)
  }

  @Test func aMessageIDIsMadeFromTheEventIDAndStaysValid() throws {
    func id(_ event: String) throws -> String { MessageID(of: try #require(EventID(event))).description }

    #expect(try id("0198-abc") == "<0198-abc@orderflow.example>")
    #expect(try id("a..b") == "<612e2e62@hex.orderflow.example>")
    #expect(try id("612e2e62") != id("a..b"))
  }

  @Test(arguments: MailKind.allCases)
  func aMessageHasTheShapeThatRFC5322Wants(_ kind: MailKind) throws {
    let reason = String(repeating: "wegen Überlänge = 数量が多すぎる. ", count: 12)
    let message = try mail(
      kind, order: String(repeating: "o", count: 64), customer: ".." + String(repeating: "c", count: 62), reason: reason
    ).internetMessage()

    let lines = message.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    #expect(message.utf8.allSatisfy { $0 < 0x80 })
    #expect(lines.dropLast().allSatisfy { $0.last == UInt8(ascii: "\r") }, "a bare line feed")
    #expect(message.utf8.filter { $0 == UInt8(ascii: "\r") }.count == lines.count - 1, "a bare carriage return")
    #expect(lines.last?.isEmpty == true)
    #expect(lines.allSatisfy { $0.count <= 99 }, "a long line")

    let header = try #require(message.firstRange(of: "\r\n\r\n")).lowerBound
    let names = message[..<header].split(separator: "\r\n").filter { !$0.hasPrefix(" ") }
      .compactMap { $0.split(separator: ":").first.map(String.init) }
    #expect(
      names == ["Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"])
    #expect(message.contains("Date: Sun, 22 Nov 2026 20:21:07 +0000\r\n"))
  }

  @Test func quotedPrintableKeepsItsRules() {
    #expect(quotedPrintable("a = b\n\nend ") == "a =3D b\r\n\r\nend=20")
    #expect(quotedPrintable("ü\ttab\t\r") == "=C3=BC\ttab\t=0D")
    #expect(quotedPrintable(String(repeating: "x", count: 76)) == String(repeating: "x", count: 76))
    #expect(
      quotedPrintable(String(repeating: "x", count: 77)) == String(repeating: "x", count: 75) + "=\r\nxx")
    let long = quotedPrintable(String(repeating: "ü", count: 100))
    #expect(long.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
  }

  @Test func aFreeTextFieldIsFoldedOrEncoded() {
    #expect(headerField("Subject", unstructured: "Hello") == "Subject: Hello\r\n")
    let word = String(repeating: "w", count: 40)
    #expect(headerField("Subject", unstructured: "\(word) \(word)") == "Subject: \(word)\r\n \(word)\r\n")
    #expect(headerField("Subject", unstructured: "Grüße = ?") == "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_=3D_=3F?=\r\n")
    #expect(headerField("Subject", unstructured: "=?x").hasPrefix("Subject: =?utf-8?Q?"))
    #expect(headerField("Subject", unstructured: "a\r\nBcc: b") == "Subject: =?utf-8?Q?a=0D=0ABcc=3A_b?=\r\n")
    let long = headerField("Subject", unstructured: String(repeating: "数", count: 60))
    #expect(long.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
  }
}
