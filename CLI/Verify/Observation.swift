import Messaging
import WireFormat

/// Everything that the checks look at, as the services and the topics showed it.
struct Observation: Sendable {
  var orders: [ObservedOrder] = []
  var reservations: [ObservedReservation] = []
  var products: [ObservedProduct] = []
  var mails: [ObservedMail] = []
  var outbox: [ObservedOutboxRow] = []
  var records: [ObservedRecord] = []
  /// Where each partition that was read begins and ends.
  var logs: [TopicPartition: Range<Int64>] = [:]
  var deadLetters: [ObservedDeadLetter] = []
  /// Whether nothing was on its way any more when the look was taken.
  var isQuiet = true
  var takenAt = Timestamp.now()
}

struct ObservedOrder: Sendable, Hashable {
  enum Status: String, Sendable, CaseIterable {
    case pending = "PENDING"
    case confirmed = "CONFIRMED"
    case rejected = "REJECTED"
    case cancelled = "CANCELLED"
  }

  var id: String
  var status: Status
  var version: Int64
  /// Quantities by product.
  var items: [String: Int64]

  /// The kinds of mail that an order with this history gets.
  var mailKinds: [String] {
    switch status {
    case .pending: ["ORDER_CREATED"]
    case .confirmed: ["ORDER_CREATED", "ORDER_CONFIRMED"]
    case .rejected: ["ORDER_CREATED", "ORDER_REJECTED"]
    // Version 3: it was confirmed in between.
    case .cancelled where version > 2: ["ORDER_CREATED", "ORDER_CONFIRMED", "ORDER_CANCELLED"]
    case .cancelled: ["ORDER_CREATED", "ORDER_CANCELLED"]
    }
  }
}

struct ObservedReservation: Sendable, Hashable {
  var id: String
  var orderID: String
  var status: String
  var items: [String: Int64]
}

struct ObservedProduct: Sendable, Hashable {
  var id: String
  var onHand: Int64
  var reserved: Int64
  var available: Int64
}

struct ObservedMail: Sendable, Hashable {
  var orderID: String
  var kind: String
}

struct ObservedOutboxRow: Sendable, Hashable {
  /// The service whose store it is in.
  var service: String
  var sequence: Int64
  var eventID: String
  var topic: String
  var createdAt: Timestamp?
  var publishedAt: Timestamp?
  var isPublished: Bool
  /// Where it was acknowledged; nil where the broker did not say.
  var partition: Int32?
  var offset: Int64?
}

/// A record on a topic, with what its headers and its value say about it.
struct ObservedRecord: Sendable, Hashable {
  var place: TopicPartition
  var offset: Int64
  var timestamp: Timestamp?
  /// Nil for a record without one, which comes in no order.
  var key: String?
  /// `ce_source`, without a slash before it.
  var source: String?
  /// `ce_id`.
  var eventID: String?
  var orderID: String?
  var type: String?
  var version: Int64?

  var position: String { "\(place)@\(offset)" }

  /// The services whose events these are, as `ce_source` names them.
  static let ownSources: Set<String> = ["order-service", "inventory-service", "notification-service"]

  /// Written by one of the services, not by some other program.
  var isOurs: Bool { source.map(Self.ownSources.contains) ?? false }
}

struct ObservedDeadLetter: Sendable, Hashable {
  enum Cause: Sendable, Hashable {
    /// The record cannot be read.
    case unreadable
    /// It names an order that OrderService never had.
    case unknownOrder
    case failure
  }

  /// Where it was found: a service's store or a dead letter topic.
  var place: String
  var group: String
  var eventID: String
  var redrives: Int64
  var isOpen: Bool
  var orderID: String?
  var error: String
  var cause: Cause

  /// A group has one dead letter an event, however often it is redriven.
  var name: String { "\(group)/\(eventID)" }
  /// What it is published under, each time another.
  var publicationID: String { "\(name)/\(redrives)" }
}
