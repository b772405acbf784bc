import WireFormat

/// Names a mail in this service's store and in its URLs.
public struct MailID: Sendable, Hashable, JSONEncodable {
  public let rawValue: String

  init(_ rawValue: String) { self.rawValue = rawValue }

  public func write(to json: inout JSONWriter) {
    json.value(rawValue)
  }
}
