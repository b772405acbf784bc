/// A mail address as RFC 5322 section 3.4.1 writes it.
public struct MailAddress: Sendable, Hashable, CustomStringConvertible {
  public let localPart: String
  public let domain: String

  /// - Parameter localPart: printable ASCII and spaces, before quoting.
  public init(localPart: String, domain: String) {
    self.localPart = localPart
    self.domain = domain
  }

  /// `ada@example.com`, and `".ada"@example.com` where the local part is no dot-atom.
  public var description: String {
    "\(isDotAtom(localPart) ? localPart : quoted(localPart))@\(domain)"
  }

  private func quoted(_ text: String) -> String {
    var quoted = "\""
    for character in text {
      if character == "\"" || character == "\\" { quoted.append("\\") }
      quoted.append(character)
    }
    return quoted + "\""
  }
}

/// Whether `text` is a dot-atom (RFC 5322 section 3.2.3): atoms that are not empty, with single dots in between.
func isDotAtom(_ text: String) -> Bool {
  text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
    !atom.isEmpty && atom.utf8.allSatisfy(isAtomByte)
  }
}

private func isAtomByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default:
    "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }
}
