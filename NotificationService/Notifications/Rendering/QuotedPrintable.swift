/// `text` in quoted-printable (RFC 2045 section 6.7): ASCII, lines of at most 76 characters that end with CRLF.
/// A line feed in `text` is the end of a line; a carriage return is data.
func quotedPrintable(_ text: String) -> String {
  text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map(quotedPrintableLine)
    .joined(separator: "\r\n")
}

private func quotedPrintableLine(_ line: Substring.UTF8View) -> String {
  var encoded = ""
  var length = 0
  var rest = line
  while let byte = rest.popFirst() {
    let isLast = rest.isEmpty
    let unit = isLiteral(byte, isLast: isLast) ? String(UnicodeScalar(byte)) : escapedByte(byte)
    // The last unit may fill the line; any other leaves room for the soft break.
    if length + unit.utf8.count > (isLast ? 76 : 75) {
      encoded += "=\r\n"
      length = 0
    }
    encoded += unit
    length += unit.utf8.count
  }
  return encoded
}

/// Spaces and tabs are lost at the end of a line, so the last one is escaped.
private func isLiteral(_ byte: UInt8, isLast: Bool) -> Bool {
  switch byte {
  case UInt8(ascii: "="): false
  case 0x21...0x7E: true
  case UInt8(ascii: " "), UInt8(ascii: "\t"): !isLast
  default: false
  }
}

/// `=3D`: an equals sign and two hexadecimal digits.
func escapedByte(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return byte < 0x10 ? "=0\(digits)" : "=\(digits)"
}
