/// No mail has this id. Trying again does not help.
public struct UnknownMail: Error, Sendable, Hashable, CustomStringConvertible {
  /// As the caller wrote it.
  public let id: String

  public var description: String { "no mail \(id)" }
}
