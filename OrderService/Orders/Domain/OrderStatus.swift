import FaultInjection
import WireFormat

/// Where an order stands. It begins ``pending`` and moves only by the named steps of ``Order``.
public enum OrderStatus: String, Sendable, Hashable, CaseIterable, JSONEncodable {
  case pending = "PENDING"
  case confirmed = "CONFIRMED"
  case rejected = "REJECTED"
  case cancelled = "CANCELLED"

  /// Where an order must stand to come here. What is not listed cannot happen, in memory or in the store:
  /// both guards are made from this table.
  public var predecessors: [OrderStatus] {
    if Mutation.lastWriteWins.isOn { return Self.allCases }
    return switch self {
    case .pending: []
    case .confirmed, .rejected: [.pending]
    case .cancelled: [.pending, .confirmed]
    }
  }

  /// Whether the order has left ``pending``. One that is ``confirmed`` can still be cancelled.
  public var isSettled: Bool { self != .pending }

  public func write(to json: inout JSONWriter) {
    json.value(rawValue)
  }
}
