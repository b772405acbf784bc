import GRDB
import Messaging

/// Which dead letters to list; every condition that is not nil has to hold.
public struct DeadLetterFilter: Sendable, Hashable {
  public var status: DeadLetterStatus?
  /// The key of the event, an order's id, or of a record that could not be read.
  public var key: String?
  /// A part of the error's text.
  public var error: String?

  public init(status: DeadLetterStatus? = nil, key: String? = nil, error: String? = nil) {
    self.status = status
    self.key = key
    self.error = error
  }

  /// Conditions, each with `AND` at its end, and their arguments in order.
  var condition: (sql: String, arguments: StatementArguments) {
    var sql = ""
    var arguments: StatementArguments = []
    if let status {
      sql += "status = ? AND "
      arguments += [status.rawValue]
    }
    if let key {
      sql += "(event_key = ? OR message_key = CAST(? AS BLOB)) AND "
      arguments += [key, blob(Array(key.utf8))]
    }
    if let error {
      sql += "instr(error, ?) > 0 AND "
      arguments += [error]
    }
    return (sql, arguments)
  }
}
