/// What libcurl asks for and tells while a mail is handed over. Belongs to the thread of its connection.
final class SMTPExchange {
  private var message: [UInt8] = []
  private var position = 0
  private(set) var stage = SMTPStage.connection
  private var reply = ""
  private var isReplyWhole = false
  private var isOver = false
  private let isInterruptedNow: @Sendable () -> Bool

  init(isInterrupted: @escaping @Sendable () -> Bool) {
    isInterruptedNow = isInterrupted
  }

  var isInterrupted: Bool { isInterruptedNow() }

  /// The server's last reply on one line, without what a terminal or a log could take for its own.
  var lastReply: String { String(onOneLine(reply).prefix(300)).trimmingCharacters() }

  func begin(_ message: [UInt8]) {
    self.message = message
    position = 0
    stage = .connection
    reply = ""
    (isReplyWhole, isOver) = (false, false)
  }

  /// Copies what comes next of the message; 0 at its end.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, message.count - position)
    buffer.copyBytes(from: message[position..<position + count])
    position += count
    return count
  }

  /// Only the kind of a command is kept: some of them carry the password.
  func sent(_ command: UnsafeRawBufferPointer) {
    // What is answered to that says nothing of the mail.
    if command.starts(with: "QUIT".utf8) { isOver = true }
    if command.starts(with: "MAIL FROM:".utf8) {
      stage = .sender
    } else if command.starts(with: "RCPT TO:".utf8) {
      stage = .recipient
    } else if command.starts(with: "DATA".utf8), stage == .recipient {
      stage = .message
    }
  }

  /// Takes a line of a reply: its last one has a space behind the code, others have a hyphen (RFC 5321 section 4.2.1).
  func received(_ line: UnsafeRawBufferPointer) {
    guard !isOver else { return }
    if isReplyWhole { reply = "" }
    if reply.utf8.count < 1000 { reply += String(decoding: line.prefix(512), as: UTF8.self) }
    isReplyWhole = line.count < 4 || line[3] != UInt8(ascii: "-")
  }
}

extension String {
  /// Without spaces at its ends.
  fileprivate func trimmingCharacters() -> String {
    String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed())
  }
}
