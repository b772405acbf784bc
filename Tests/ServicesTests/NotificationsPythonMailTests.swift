import Foundation
import Testing
import WireFormat

@testable import Notifications

/// What a mail reader that is not ours makes of our mails: Python's, with its strict policy.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: PythonMail.interpreter), "there is no python3 here"))
struct NotificationsPythonMailTests {
  @Test(arguments: MailKind.allCases)
  func pythonReadsWhatWeWrote(_ kind: MailKind) throws {
    let reason = "weil <b>ich</b> = Übermut " + String(repeating: "数 ", count: 80) + "\u{1F600}"
    let mail = try mail(kind, order: String(repeating: "o", count: 64), customer: "a..b", reason: reason)
    let rendered = mail.rendered()

    let read = try PythonMail.read(mail.internetMessage())

    #expect(read["defects"]?.array?.isEmpty == true, "\(read)")
    #expect(read["type"]?.string == "multipart/alternative")
    #expect(read["subject"]?.string == rendered.subject)
    #expect(read["to"]?.array == [.string("a..b"), .string("example.com")])
    #expect(read["message_id"]?.string == mail.messageID.description)
    #expect(read["date"]?.string == "2026-11-22T20:21:07+00:00")
    // The line break before a boundary belongs to the boundary, so nothing is added to a part.
    #expect(read["text"]?.string == rendered.text)
    #expect(read["html"]?.string == rendered.html)
  }
}

private enum PythonMail {
  static let interpreter = "/usr/bin/python3"

  static func read(_ message: String) throws -> JSONObject {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("mail-\(UUID().uuidString).eml")
    try Data(message.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }

    let process = Process()
    process.executableURL = URL(fileURLWithPath: interpreter)
    process.arguments = ["-c", script, file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try #require(try JSONValue(parsing: [UInt8](bytes)).object)
  }

  private static let script = """
    import email, email.policy, json, sys
    mail = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
    text, html = mail.get_body(('plain',)), mail.get_body(('html',))
    defects = [str(d) for part in mail.walk() for d in part.defects]
    defects += [str(d) for name in ('To', 'From', 'Subject', 'Date', 'Message-ID') for d in mail[name].defects]
    to = mail['To'].addresses[0]
    print(json.dumps({
      'defects': defects, 'type': mail.get_content_type(), 'subject': mail['Subject'], 'to': [to.username, to.domain],
      'message_id': mail['Message-ID'], 'date': mail['Date'].datetime.isoformat(),
      'text': text.get_content().replace('\\r\\n', '\\n'),
      'html': html.get_content().replace('\\r\\n', '\\n')}))
    """
}
