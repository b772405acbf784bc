import ServiceDefaults

extension Mail {
  /// The mail as RFC 5322 wants it, text and HTML side by side (multipart/alternative, RFC 2046). Lines end with CRLF;
  /// everything is ASCII.
  func internetMessage(from sender: MailSender = .orderflow) -> String {
    let rendered = rendered()
    // Neither quoted-printable text nor a header field of ours can hold "=_".
    let boundary = "=_\(id.rawValue)"
    let header = [
      headerField("Date", createdAt.mailDate),
      headerField("From", mailbox(sender)),
      headerField("To", recipient.description),
      headerField("Message-ID", messageID.description),
      headerField("Subject", unstructured: rendered.subject),
      headerField("Auto-Submitted", "auto-generated"),
      headerField("MIME-Version", "1.0"),
      headerField("Content-Type", "multipart/alternative;\r\n boundary=\"\(boundary)\""),
    ]
    return header.joined() + "\r\n"
      + "--\(boundary)\r\n" + part("text/plain", rendered.text)
      + "--\(boundary)\r\n" + part("text/html", rendered.html)
      + "--\(boundary)--\r\n"
  }

  private func part(_ type: String, _ body: String) -> String {
    headerField("Content-Type", "\(type); charset=utf-8")
      + headerField("Content-Transfer-Encoding", "quoted-printable")
      + "\r\n" + quotedPrintable(body) + "\r\n"
  }
}

/// `Orderflow <orders@orderflow.example>`, the name quoted where it is more than words of letters and digits.
private func mailbox(_ sender: MailSender) -> String {
  guard let name = sender.name else { return sender.address }
  let isPlain = name.utf8.allSatisfy { byte in
    byte == UInt8(ascii: " ") || Unicode.Scalar(byte).properties.isAlphabetic
      || Unicode.Scalar(byte).properties.numericType != nil
  }
  return (isPlain ? name : "\"\(name)\"") + " <\(sender.address)>"
}
