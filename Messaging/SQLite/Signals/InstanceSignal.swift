/// One datagram between two instances of a service.
enum InstanceSignal: Sendable, Hashable {
  /// The sender, by the name of its socket, is there from now on.
  case hello(String)
  /// The sender ends. Whatever it did for all, such as publishing, somebody else has to do now.
  case goodbye(String)
  /// Rows were appended to the outbox, and the sender does not publish them.
  case appended
  /// What these keys stand for has changed.
  case changed([String])
  /// Datagrams before this one were lost, or there is too much to name.
  case lookAgain

  /// A datagram that names more keys than this says ``lookAgain`` instead: it has to fit into a socket's buffer.
  static let mostKeys = 256

  var bytes: [UInt8] {
    switch self {
    case .hello(let name): Array("h\(name)".utf8)
    case .goodbye(let name): Array("b\(name)".utf8)
    case .appended: Array("a".utf8)
    case .changed(let keys) where keys.count <= Self.mostKeys: Array("c\(keys.joined(separator: "\n"))".utf8)
    case .changed, .lookAgain: Array("l".utf8)
    }
  }

  /// Nil for bytes that are no signal: from a newer version, perhaps.
  init?(_ bytes: some Collection<UInt8>) {
    let content = String(decoding: bytes.dropFirst(), as: UTF8.self)
    switch bytes.first {
    case UInt8(ascii: "h"): self = .hello(content)
    case UInt8(ascii: "b"): self = .goodbye(content)
    case UInt8(ascii: "a"): self = .appended
    case UInt8(ascii: "c"): self = .changed(content.split(separator: "\n").map(String.init))
    case UInt8(ascii: "l"): self = .lookAgain
    default: return nil
    }
  }
}

/// What the other instances have told since the last time, put together.
public struct InstanceNews: Sendable, Hashable {
  /// The outbox has rows that nobody publishes yet, as far as the sender knew.
  public var isOutboxWaiting = false
  /// What has changed, by its keys.
  public var changedKeys: Set<String> = []
  /// More than the keys say may have changed: everything has to be looked at again.
  public var mayBeIncomplete = false

  var isEmpty: Bool { self == InstanceNews() }
}
