import Foundation

/// The mail server that mails are handed to, as `SMTP_URL` says it. Printing it never shows the password.
public struct SMTPConfiguration: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  public enum Encryption: Sendable, Hashable {
    /// `smtp://`: STARTTLS where the server offers it.
    case whereOffered
    /// `smtp://` with a password, to another machine: STARTTLS, or nothing is sent.
    case required
    /// `smtps://`: TLS from the first byte.
    case fromTheStart
  }

  public struct Credentials: Sendable, Hashable {
    public var user: String
    public var password: String

    public init(user: String, password: String) {
      self.user = user
      self.password = password
    }
  }

  /// A name or an address; one of IPv6 without its brackets.
  public var host: String
  public var port: Int
  public var encryption: Encryption
  public var credentials: Credentials?
  /// A file of certificates (PEM) to trust instead of the system's: `SMTP_CA_LOCATION`.
  public var certificateAuthorities: String?
  /// How many mails may be on their way at the same time, each on a connection of its own: `SMTP_CONNECTIONS`.
  public var connections: Int = 4

  /// `smtp://mail.example:587`, without credentials.
  public var description: String {
    let scheme = encryption == .fromTheStart ? "smtps" : "smtp"
    return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  public var customMirror: Mirror { Mirror(reflecting: description) }
}

extension SMTPConfiguration {
  /// What is wrong with a URL. Never holds any of it: there may be a password in it.
  struct Malformed: Error {
    var reason: String
  }

  /// - Parameter url: `smtp://host:port` or `smtps://user:password@host:port`; ports are 25 and 465 where none is said.
  init(url: String) throws(Malformed) {
    guard let parts = URLComponents(string: url, encodingInvalidCharacters: false), let scheme = parts.scheme else {
      throw Malformed(reason: "is no URL; what is special in user or password has to be percent-encoded")
    }
    guard ["smtp", "smtps"].contains(scheme.lowercased()) else {
      throw Malformed(reason: "has to begin with smtp:// or smtps://")
    }
    let host = (parts.host ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    guard !host.isEmpty, host.utf8.allSatisfy(Self.isOfAHost) else {
      throw Malformed(reason: "names no host")
    }
    guard parts.port.map({ (1...65535).contains($0) }) ?? true else {
      throw Malformed(reason: "has no port from 1 to 65535")
    }
    guard ["", "/"].contains(parts.path), parts.query == nil, parts.fragment == nil else {
      throw Malformed(reason: "has something behind host and port")
    }
    credentials = try Self.credentials(parts)
    let isEncrypted = scheme.lowercased() == "smtps"
    self.host = host
    port = parts.port ?? (isEncrypted ? 465 : 25)
    let isExposed = credentials != nil && !ServiceConfiguration.isLoopback(host)
    encryption = isEncrypted ? .fromTheStart : isExposed ? .required : .whereOffered
  }

  private static func credentials(_ parts: URLComponents) throws(Malformed) -> Credentials? {
    guard parts.user != nil || parts.password != nil else { return nil }
    guard let user = parts.user, let password = parts.password, !user.isEmpty, !password.isEmpty else {
      throw Malformed(reason: "has to have both user and password, or neither")
    }
    guard !(user + password).unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
      throw Malformed(reason: "has a control character in user or password")
    }
    return Credentials(user: user, password: password)
  }

  private static func isOfAHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default:
      "-._:".utf8.contains(byte)
    }
  }
}

/// Who mails are from: `SMTP_FROM`. Everything is printable ASCII, so that it can stand in a header and in a command.
public struct MailSender: Sendable, Hashable {
  public let name: String?
  /// `orders@shop.example`
  public let address: String

  /// Who they are from where nobody says.
  public static let orderflow = MailSender(name: "Orderflow", address: "orders@orderflow.example")

  private init(name: String?, address: String) {
    self.name = name
    self.address = address
  }

  /// Reads `orders@shop.example` or `The shop <orders@shop.example>`; nil for anything else.
  public init?(_ text: String) {
    guard let match = text.wholeMatch(of: #/(?:([^<>"\\]*?) *<([^<>]+)>|([^<> ]+))/#),
      text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else { return nil }
    let name = match.1.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    let address = String(match.2 ?? match.3 ?? "")
    guard address.utf8.count <= 254, name.utf8.count <= 60,
      address.wholeMatch(
        of: #/[A-Za-z0-9!#$%&'*+\/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+\/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*/#)
        != nil
    else { return nil }
    self.init(name: name.isEmpty ? nil : name, address: address)
  }
}
