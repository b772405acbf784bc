import EventSchema

/// A mail's `Message-ID`, made from the event it tells of: a repeated mail has the same one and can be recognised.
public struct MessageID: Sendable, Hashable, CustomStringConvertible {
  /// With its angle brackets: `<0198...@orderflow.example>`.
  public let description: String

  /// Different events have different ids. An event id that RFC 5322 does not allow here as it is (a leading, trailing
  /// or doubled dot) is written in hexadecimal, under a domain of its own.
  public init(of eventID: EventID) {
    let text = eventID.rawValue
    description =
      isDotAtom(text) ? "<\(text)@orderflow.example>" : "<\(hexadecimal(text))@hex.orderflow.example>"
  }
}

private func hexadecimal(_ text: String) -> String {
  text.utf8.map { byte in
    String(byte >> 4, radix: 16) + String(byte & 0x0F, radix: 16)
  }.joined()
}
