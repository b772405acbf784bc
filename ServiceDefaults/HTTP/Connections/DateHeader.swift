import HTTPTypes
import Synchronization
import WireFormat

/// The `Date` of answers (RFC 9110, section 6.6.1), written once a second.
final class DateHeader: Sendable {
  private struct Written {
    var second: Int64 = -1
    var text = ""
  }

  private let now: @Sendable () -> Timestamp
  private let written = Mutex(Written())

  init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

  /// `head` with the time that it is now.
  func dated(_ head: HTTPResponse) -> HTTPResponse {
    var head = head
    head.headerFields[.date] = text
    return head
  }

  private var text: String {
    let now = now()
    let second = now.millisecondsSinceEpoch / 1000
    return written.withLock { written in
      if written.second != second { written = Written(second: second, text: now.httpDate) }
      return written.text
    }
  }
}
