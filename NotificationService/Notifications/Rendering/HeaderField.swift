/// A header field whose body is RFC 5322 already.
func headerField(_ name: String, _ body: String) -> String {
  "\(name): \(body)\r\n"
}

/// A header field whose body is free text: folded at spaces where it is long, and made of encoded words (RFC 2047)
/// where it holds more than printable ASCII.
func headerField(_ name: String, unstructured text: String) -> String {
  let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
  return headerField(name, isPlain ? folded(text, indent: name.utf8.count + 2) : encodedWords(text, after: name))
}

/// Lines of 78 characters where spaces allow it (RFC 5322 section 2.1.1).
private func folded(_ text: String, indent: Int) -> String {
  var lines = ""
  var length = indent
  for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
    if index > 0 {
      let fits = length + 1 + word.utf8.count <= 78 || word.isEmpty
      lines += fits ? " " : "\r\n "
      length = fits ? length + 1 : 1
    }
    lines += word
    length += word.utf8.count
  }
  return lines
}

/// Words of 75 characters at most, in lines of 76 (RFC 2047 section 2); no character is divided between two.
private func encodedWords(_ text: String, after name: String) -> String {
  let (opening, closing) = ("=?utf-8?Q?", "?=")
  let room = 75 - opening.utf8.count - closing.utf8.count
  var words: [String] = []
  var word = ""
  for scalar in text.unicodeScalars {
    let encoded = Unicode.UTF8.encode(scalar).map { $0.map(encodedByte).joined() } ?? ""
    let roomHere = words.isEmpty ? room - name.utf8.count - 1 : room
    if word.utf8.count + encoded.utf8.count > roomHere {
      words.append(word)
      word = ""
    }
    word += encoded
  }
  words.append(word)
  return words.map { opening + $0 + closing }.joined(separator: "\r\n ")
}

private func encodedByte(_ byte: UInt8) -> String {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    String(UnicodeScalar(byte))
  case UInt8(ascii: " "): "_"
  default: escapedByte(byte)
  }
}
